/** The tree of print files: looking things up in it and putting a folder in order. Pure functions. */
import type { FileEntry, FileList } from "../api/files";
import { parentPath } from "../util/parent-path";

export interface FilesState {
  /** Loaded at least once. */
  readonly known: boolean;
  readonly entries: readonly FileEntry[];
  readonly free: number | null;
  /** Why the list could not be loaded, else empty. */
  readonly problem: string;
  /** The folder that is open; uploads go there. */
  readonly folder: string;
}

export const NO_FILES: FilesState = { known: false, entries: [], free: null, problem: "", folder: "" };

/** A new list. Where the open folder has gone, its nearest remaining parent is open. */
export function loaded(state: FilesState, list: FileList): FilesState {
  let folder = state.folder;
  while (folder !== "" && entryAt(list.files, folder)?.type !== "folder") folder = parentPath(folder);
  return { known: true, entries: list.files, free: list.free ?? null, problem: "", folder };
}

export function failed(state: FilesState, problem: string): FilesState {
  return { ...state, problem };
}

export function opened(state: FilesState, folder: string): FilesState {
  return { ...state, folder };
}

/** The file or folder at a path of the host's own files. */
export function entryAt(entries: readonly FileEntry[], path: string): FileEntry | undefined {
  for (const entry of entries) {
    if (entry.origin !== "local") continue;
    if (entry.path === path) return entry;
    if (entry.type === "folder" && path.startsWith(`${entry.path}/`)) return entryAt(entry.children ?? [], path);
  }
  return undefined;
}

/** What the open folder holds. */
export function folderEntries({ entries, folder }: FilesState): readonly FileEntry[] {
  const all = folder === "" ? entries : (entryAt(entries, folder)?.children ?? []);
  return all.filter((entry) => entry.origin === "local");
}

export type SortOrder = "newest" | "name" | "size";

const COMPARISONS: Readonly<Record<SortOrder, (a: FileEntry, b: FileEntry) => number>> = {
  newest: (a, b) => (b.date ?? 0) - (a.date ?? 0),
  name: () => 0,
  size: (a, b) => (b.size ?? 0) - (a.size ?? 0),
};

/** Folders first; equal ones by name, as people count ("part 2" before "part 10"). */
export function sorted(entries: readonly FileEntry[], order: SortOrder): FileEntry[] {
  const isFile = (entry: FileEntry) => (entry.type === "folder" ? 0 : 1);
  return [...entries].sort(
    (a, b) =>
      isFile(a) - isFile(b) || COMPARISONS[order](a, b) || a.name.localeCompare(b.name, undefined, { numeric: true }),
  );
}

/** All files below a folder whose name holds `text`; everything in the folder itself without one. */
export function search(entries: readonly FileEntry[], text: string): readonly FileEntry[] {
  const wanted = text.trim().toLocaleLowerCase();
  if (wanted === "") return entries;
  return entries.flatMap((entry) => {
    const inside = entry.type === "folder" ? search(entry.children ?? [], text) : [];
    return entry.name.toLocaleLowerCase().includes(wanted) ? [entry, ...inside] : inside;
  });
}

/** Number of files in a folder, at any depth. */
export function countFiles(entry: FileEntry): number {
  if (entry.type !== "folder") return 1;
  return (entry.children ?? []).reduce((sum, child) => sum + countFiles(child), 0);
}
