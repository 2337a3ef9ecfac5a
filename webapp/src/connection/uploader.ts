/** Sends chosen files to the host, one after the other, and keeps the list of them current. */
import { uploadFile } from "../api/files";
import type { Client } from "../api/client";
import type { Store } from "../stores/store";
import { changed, nextUpload, queued, removed } from "../stores/uploads";
import type { Upload, Uploads } from "../stores/uploads";

/** A finished upload stays in the list for this long, so that its end can be seen. */
const LINGER_MS = 2500;

export class Uploader {
  private readonly files = new Map<number, File>();
  private readonly aborts = new Map<number, AbortController>();
  private count = 0;

  constructor(
    private readonly client: Client,
    private readonly uploads: Store<Uploads>,
    private readonly onDone: (path: string) => void,
    private readonly onFailed: (upload: Upload) => void,
  ) {}

  add(files: Iterable<File>, folder: string): void {
    for (const file of files) {
      this.count += 1;
      const id = this.count;
      this.files.set(id, file);
      this.uploads.update((uploads) => queued(uploads, { id, name: file.name, folder, size: file.size }));
    }
    void this.sendNext();
  }

  /** Gives an upload up, or clears a failed one away. */
  remove(id: number): void {
    this.aborts.get(id)?.abort();
    this.files.delete(id);
    this.uploads.update((uploads) => removed(uploads, id));
  }

  retry(id: number): void {
    this.uploads.update((uploads) => changed(uploads, id, { state: "waiting", progress: 0, problem: "" }));
    void this.sendNext();
  }

  private async sendNext(): Promise<void> {
    const upload = nextUpload(this.uploads.value);
    const file = upload && this.files.get(upload.id);
    if (!upload || !file) return;
    await this.send(upload, file);
    void this.sendNext();
  }

  private async send(upload: Upload, file: File): Promise<void> {
    const { id, folder } = upload;
    const abort = new AbortController();
    this.aborts.set(id, abort);
    this.uploads.update((uploads) => changed(uploads, id, { state: "sending" }));
    const progress = (part: number) =>
      this.uploads.update((uploads) => changed(uploads, id, { progress: part }));
    try {
      const answer = await uploadFile(this.client, folder, file, { progress, signal: abort.signal });
      this.uploads.update((uploads) => changed(uploads, id, { state: "done", progress: 1 }));
      this.onDone(answer.files["local"]?.path ?? file.name);
      setTimeout(() => this.remove(id), LINGER_MS);
    } catch (error) {
      if (abort.signal.aborted) return;
      const problem = error instanceof Error ? error.message : String(error);
      this.uploads.update((uploads) => changed(uploads, id, { state: "failed", problem }));
      this.onFailed(upload);
    } finally {
      this.aborts.delete(id);
    }
  }
}
