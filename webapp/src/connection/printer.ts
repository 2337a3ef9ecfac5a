/**
 * One printer as this browser sees it: its requests, its push connection, and the stores that both feed. The page's
 * panels get it as their `host` (`panels/contract.ts`).
 */
import { Client } from "../api/client";
import { listFiles, selectFile } from "../api/files";
import { signInPassively } from "../api/session";
import { fetchState } from "../api/state";
import type { PrinterSnapshot } from "../generated/messages";
import { whyNot } from "../stores/abilities";
import { newsOf } from "../stores/changes";
import { failed, loaded, NO_FILES } from "../stores/files";
import { added, dismissed } from "../stores/notices";
import type { Notice } from "../stores/notices";
import { NOTHING_KNOWN } from "../stores/situation";
import { Store } from "../stores/store";
import { appendPoints, EMPTY_SERIES, seriesOf } from "../stores/temperatures";
import type { TemperaturePoint } from "../stores/temperatures";
import { appendLogs, EMPTY_BUFFER, replaceLogs } from "../stores/terminal";
import type { Uploads } from "../stores/uploads";
import { baseName } from "../util/base-name";
import { debounce } from "../util/debounce";
import { HostSocket } from "./socket";
import type { SocketStatus } from "./socket";
import type { OpenTransport } from "./transport";
import { Uploader } from "./uploader";

/** Bursts of file events (an upload brings three) cause one reload. */
const RELOAD_DELAY_MS = 300;

const FILE_EVENTS: ReadonlySet<string> = new Set([
  "FileAdded",
  "FileRemoved",
  "FileMoved",
  "FolderAdded",
  "FolderRemoved",
  "FolderMoved",
  "UpdatedFiles",
  "MetadataAnalysisFinished",
  "MetadataStatisticsUpdated",
  "FileAnalysed",
  "PrintDone",
  "PrintFailed",
  "PrintCancelled",
]);

interface StateMessage {
  readonly temps?: readonly TemperaturePoint[];
  readonly logs?: readonly string[];
}

export class PrinterSession {
  readonly client: Client;
  readonly situation = new Store(NOTHING_KNOWN);
  readonly status = new Store<SocketStatus>({ state: "stopped", retryAt: null, problem: "" });
  readonly temperatures = new Store(EMPTY_SERIES);
  readonly terminal = new Store(EMPTY_BUFFER);
  readonly files = new Store(NO_FILES);
  readonly uploads = new Store<Uploads>([]);
  readonly notices = new Store<readonly Notice[]>([]);
  readonly uploader: Uploader;
  readonly reloadFilesSoon: () => void;

  private readonly socket: HostSocket;
  private noticeCount = 0;

  /** `base`: absolute URL of the printer's routes, with a slash at its end. */
  constructor(base: string, open: OpenTransport) {
    this.client = new Client(base);
    this.reloadFilesSoon = debounce(() => void this.reloadFiles(), RELOAD_DELAY_MS);
    this.uploader = new Uploader(
      this.client,
      this.uploads,
      (path) => this.uploaded(path),
      (upload) => this.notify({ kind: "error", text: `${upload.name} was not uploaded: see Files.` }),
    );
    this.socket = new HostSocket({
      url: this.client.url("sockjs"),
      open,
      signIn: () => signInPassively(this.client),
      onStatus: (status) => this.changeStatus(status),
      onMessage: (kind, payload) => this.routes[kind]?.(payload as never),
    });
  }

  start(): void {
    this.socket.start();
    void this.loadState();
  }

  stop(): void {
    this.socket.stop();
  }

  retry(): void {
    this.socket.retry();
  }

  wake(): void {
    this.socket.wake();
  }

  wantLogs(wanted: boolean): void {
    this.socket.wantLogs(wanted);
  }

  notify(notice: Omit<Notice, "id">): void {
    this.noticeCount += 1;
    const id = this.noticeCount;
    this.notices.update((notices) => added(notices, { ...notice, id }));
  }

  dismiss(id: number): void {
    this.notices.update((notices) => dismissed(notices, id));
  }

  async reloadFiles(): Promise<void> {
    try {
      const list = await listFiles(this.client);
      this.files.update((state) => loaded(state, list));
    } catch (error) {
      this.files.update((state) => failed(state, error instanceof Error ? error.message : String(error)));
    }
  }

  /** What is done with each kind of message; kinds that are not listed concern others. */
  private readonly routes: Readonly<Record<string, (payload: never) => void>> = {
    snapshot: (snapshot: PrinterSnapshot) => this.applySnapshot(snapshot),
    history: ({ temps, logs }: StateMessage) => {
      this.temperatures.set(seriesOf(temps ?? []));
      if (logs && logs.length > 0) this.terminal.update((buffer) => replaceLogs(buffer, logs));
    },
    current: ({ temps, logs }: StateMessage) => {
      this.temperatures.update((series) => appendPoints(series, temps ?? []));
      this.terminal.update((buffer) => appendLogs(buffer, logs ?? []));
    },
    event: ({ type }: { type: string }) => {
      if (FILE_EVENTS.has(type)) this.reloadFilesSoon();
    },
  };

  private uploaded(path: string): void {
    this.reloadFilesSoon();
    const text = `${baseName(path)} is uploaded.`;
    const canPrint = whyNot("print", this.situation.value) === "";
    this.notify({
      kind: "success",
      text,
      ...(canPrint ? { action: { label: "Print", run: () => void this.print(path) } } : {}),
    });
  }

  private async print(path: string): Promise<void> {
    try {
      await selectFile(this.client, path, true);
    } catch (error) {
      this.notify({ kind: "error", text: error instanceof Error ? error.message : String(error) });
    }
  }

  private applySnapshot(snapshot: PrinterSnapshot): void {
    const news = newsOf(this.situation.value.snapshot, snapshot);
    this.situation.update((situation) => ({ ...situation, snapshot }));
    if (news) this.notify(news);
  }

  private changeStatus(status: SocketStatus): void {
    const live = status.state === "live";
    if (live && this.status.value.state !== "live") void this.reloadFiles();
    this.status.set(status);
    this.situation.update((situation) => (situation.live === live ? situation : { ...situation, live }));
  }

  /** The first paint need not wait for the socket. */
  private async loadState(): Promise<void> {
    try {
      const snapshot = await fetchState(this.client);
      if (this.situation.value.snapshot === null) this.applySnapshot(snapshot);
    } catch {
      // The push connection tells the same failure, and retries.
    }
  }
}
