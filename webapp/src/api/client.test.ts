import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, Client, errorText } from "./client";

describe("the sentence of an error", () => {
  it.each([
    [409, '{"error": "A print is running."}', "A print is running."],
    [404, "<html>not found</html>", "That is not there any more."],
    [500, "", "The host could not do that (status 500)."],
    [500, '{"error": 7}', "The host could not do that (status 500)."],
  ])("of status %d and body %j", (status, body, text) => {
    expect(errorText(status, body)).toBe(text);
  });
});

describe("a client", () => {
  const fetched = vi.fn<typeof fetch>();
  const client = new Client("http://shop.example/printer/");

  beforeEach(() => vi.stubGlobal("fetch", fetched));
  afterEach(() => {
    vi.unstubAllGlobals();
    fetched.mockReset();
  });

  it("stays below the prefix that the page was served from", () => {
    expect(client.url("api/state")).toBe("http://shop.example/printer/api/state");
  });

  it("sends JSON, and gives nothing for an empty answer", async () => {
    fetched.mockResolvedValue(new Response(null, { status: 204 }));
    await expect(client.post("api/job", { command: "start" })).resolves.toBeUndefined();
    const [url, init] = fetched.mock.calls[0] ?? [];
    expect(url).toBe("http://shop.example/printer/api/job");
    expect(init?.body).toBe('{"command":"start"}');
    expect(init?.headers).toEqual({ "Content-Type": "application/json" });
  });

  it("tells the host's own sentence with the status", async () => {
    fetched.mockResolvedValue(new Response('{"error":"No printer."}', { status: 409 }));
    const error = await client.get("api/printer").catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ message: "No printer.", status: 409 });
  });

  it("says that the host can't be reached", async () => {
    fetched.mockRejectedValue(new TypeError("Failed to fetch"));
    await expect(client.get("api/state")).rejects.toMatchObject({ status: 0, message: /does not answer/ });
  });
});
