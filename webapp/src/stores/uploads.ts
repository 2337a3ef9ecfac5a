/** The files that are on their way to the host. Pure functions. */

export type UploadState = "waiting" | "sending" | "done" | "failed";

export interface Upload {
  readonly id: number;
  readonly name: string;
  readonly folder: string;
  readonly size: number;
  readonly state: UploadState;
  /** Sent part, from 0 to 1. */
  readonly progress: number;
  /** Why it failed, else empty. */
  readonly problem: string;
}

export type Uploads = readonly Upload[];

export function queued(uploads: Uploads, upload: Pick<Upload, "id" | "name" | "folder" | "size">): Uploads {
  return [...uploads, { ...upload, state: "waiting", progress: 0, problem: "" }];
}

export function changed(uploads: Uploads, id: number, change: Partial<Upload>): Uploads {
  return uploads.map((upload) => (upload.id === id ? { ...upload, ...change } : upload));
}

export function removed(uploads: Uploads, id: number): Uploads {
  return uploads.filter((upload) => upload.id !== id);
}

/** The next one to send: one at a time, in the order in which they came. */
export function nextUpload(uploads: Uploads): Upload | undefined {
  if (uploads.some(({ state }) => state === "sending")) return undefined;
  return uploads.find(({ state }) => state === "waiting");
}
