import { encodePath } from "../util/encode-path";
import type { Client, UploadOptions } from "./client";

export interface FilamentUse {
  readonly length: number;
  readonly volume?: number;
}

/** What the analysis of a file found; it comes some seconds after the upload. */
export interface Analysis {
  readonly estimatedPrintTime?: number | null;
  readonly filament?: Readonly<Record<string, FilamentUse>> | null;
  readonly dimensions?: { readonly width: number; readonly depth: number; readonly height: number };
}

/** Something that whoever prints should know; `line` of the file, from 1. */
export interface FileWarning {
  readonly message: string;
  readonly line?: number | null;
}

export interface PrintHistory {
  readonly success: number;
  readonly failure: number;
  readonly last?: { readonly date: number; readonly printTime?: number | null; readonly success: boolean };
}

/** A file or folder as the host lists it. `date` is Unix seconds, `size` bytes. */
export interface FileEntry {
  readonly name: string;
  readonly display?: string;
  readonly path: string;
  readonly origin: string;
  readonly type: string;
  readonly size?: number;
  readonly date?: number;
  readonly gcodeAnalysis?: Analysis;
  /** Number of layers; null where the file was not read, or has none. */
  readonly layers?: number | null;
  /** Why the file could not be read, else null. */
  readonly analysisError?: string | null;
  readonly warnings?: readonly FileWarning[];
  readonly prints?: PrintHistory;
  readonly thumbnail?: string;
  readonly refs?: { readonly resource?: string; readonly download?: string };
  readonly children?: readonly FileEntry[];
}

export interface FileList {
  readonly files: readonly FileEntry[];
  readonly free?: number;
  readonly total?: number;
}

/** Answer to an upload; `path` may differ from what was sent. */
export interface Uploaded {
  readonly files: Readonly<Record<string, { readonly name: string; readonly path: string }>>;
  readonly effectivePrint: boolean;
}

const route = (path: string) => `api/files/local/${encodePath(path)}`;

export function listFiles(client: Client): Promise<FileList> {
  return client.get<FileList>("api/files?recursive=true");
}

/** Makes `path` the file that "start" prints, and prints it at once where asked to. */
export function selectFile(client: Client, path: string, print: boolean): Promise<void> {
  return client.post(route(path), { command: "select", print });
}

/** Deletes a file, or a folder with everything in it. */
export function deleteFile(client: Client, path: string): Promise<void> {
  return client.delete(route(path));
}

export function createFolder(client: Client, folder: string, name: string): Promise<void> {
  const form = new FormData();
  form.set("foldername", name);
  form.set("path", folder);
  return client.post("api/files/local", form);
}

export function uploadFile(client: Client, folder: string, file: File, options: UploadOptions): Promise<Uploaded> {
  const form = new FormData();
  form.set("path", folder);
  form.set("file", file);
  return client.upload<Uploaded>("api/files/local", form, options);
}

/** Where a browser can fetch the file itself. */
export function downloadUrl(client: Client, entry: FileEntry): string {
  return client.url(`downloads/files/local/${encodePath(entry.path)}`);
}
