/**
 * What a panel gets from the page. Panels are custom elements; the shell sets `host` once and `situation` on every
 * change. Types only: a panel that is loaded at run time needs nothing else of the page.
 */
import type { Client } from "../api/client";
import type { FilesState } from "../stores/files";
import type { Notice } from "../stores/notices";
import type { Situation } from "../stores/situation";
import type { TemperatureSeries } from "../stores/temperatures";
import type { TerminalBuffer } from "../stores/terminal";
import type { Uploads } from "../stores/uploads";

/** A value that can be watched; the returned function ends the watch. */
export interface Readable<T> {
  readonly value: T;
  watch(watcher: () => void): () => void;
}

export interface Writable<T> extends Readable<T> {
  update(change: (value: T) => T): void;
}

/** One printer: requests, and what the host pushes. */
export interface PanelHost {
  readonly client: Client;
  readonly temperatures: Readable<TemperatureSeries>;
  readonly terminal: Readable<TerminalBuffer>;
  readonly files: Writable<FilesState>;
  readonly uploads: Readable<Uploads>;
  readonly uploader: {
    add(files: Iterable<File>, folder: string): void;
    remove(id: number): void;
    retry(id: number): void;
  };
  /** Shows a short message over the page. */
  notify(notice: Omit<Notice, "id">): void;
  reloadFiles(): Promise<void>;
  /** Terminal lines are sent only while somebody looks at them. */
  wantLogs(wanted: boolean): void;
}

/** The properties of every panel's element. */
export interface PanelElement extends HTMLElement {
  host: PanelHost;
  situation: Situation;
}
