import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, Client } from "../api/client";
import type { UploadOptions } from "../api/client";
import { Store } from "../stores/store";
import type { Uploads } from "../stores/uploads";
import { Uploader } from "./uploader";

interface Sent {
  readonly form: FormData;
  readonly options: UploadOptions;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A client whose uploads end when the test says so. */
class SlowClient extends Client {
  readonly sent: Sent[] = [];

  override upload<T>(_path: string, form: FormData, options: UploadOptions): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.sent.push({ form, options, resolve: resolve as (answer: unknown) => void, reject });
      options.signal.addEventListener("abort", () => reject(new Error("given up")));
    });
  }
}

const answer = (path: string) => ({ files: { local: { name: path, path } }, effectivePrint: false });
const settle = () => vi.advanceTimersByTimeAsync(0);

describe("the uploader", () => {
  const client = () => new SlowClient("http://host/");
  const set = () => {
    const uploads = new Store<Uploads>([]);
    const host = client();
    const done = vi.fn();
    const failed = vi.fn();
    return { uploads, host, done, failed, uploader: new Uploader(host, uploads, done, failed) };
  };
  const files = [new File(["G28"], "a.gcode"), new File(["G28\nG1"], "b.gcode")];

  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("sends one after the other, with progress, to the folder that was open", async () => {
    const { uploads, host, done, uploader } = set();
    uploader.add(files, "parts");
    expect(uploads.value.map(({ state }) => state)).toEqual(["sending", "waiting"]);
    expect(host.sent[0]?.form.get("path")).toBe("parts");
    host.sent[0]?.options.progress(0.5);
    expect(uploads.value[0]?.progress).toBe(0.5);
    host.sent[0]?.resolve(answer("parts/a.gcode"));
    await settle();
    expect(done).toHaveBeenCalledWith("parts/a.gcode");
    expect(uploads.value.map(({ state }) => state)).toEqual(["done", "sending"]);
  });

  it("clears finished ones away after a while", async () => {
    const { uploads, host, uploader } = set();
    uploader.add(files.slice(0, 1), "");
    host.sent[0]?.resolve(answer("a.gcode"));
    await settle();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(uploads.value).toEqual([]);
  });

  it("keeps a failed one with its reason, goes on, and sends it again when asked to", async () => {
    const { uploads, host, failed, uploader } = set();
    uploader.add(files, "");
    host.sent[0]?.reject(new ApiError("The host's disk is full.", 507));
    await settle();
    expect(failed).toHaveBeenCalledTimes(1);
    expect(uploads.value[0]).toMatchObject({ state: "failed", problem: "The host's disk is full." });
    host.sent[1]?.resolve(answer("b.gcode"));
    await settle();
    uploader.retry(1);
    expect(uploads.value[0]).toMatchObject({ state: "sending", problem: "" });
    expect((host.sent[2]?.form.get("file") as File).name).toBe("a.gcode");
  });

  it("gives one up without calling it a failure", async () => {
    const { uploads, host, failed, uploader } = set();
    uploader.add(files, "");
    uploader.remove(1);
    await settle();
    expect(host.sent[0]?.options.signal.aborted).toBe(true);
    expect(failed).not.toHaveBeenCalled();
    expect(uploads.value.map(({ name, state }) => [name, state])).toEqual([["b.gcode", "sending"]]);
  });
});
