"""What the library knows of a job's file, for the documents about jobs."""

from __future__ import annotations

from bedplate.errors import BedplateError
from bedplate.files.entries import FileEntry
from bedplate.files.library import Library
from bedplate.messages.printer import PrinterSnapshot
from bedplate.messages.snapshot import FileRef
from bedplate.web.documents import FilamentDocument, FileFacts


def facts_of(entry: FileEntry) -> FileFacts:
    """The facts of a file's entry."""
    analysis, prints = entry.analysis, entry.prints
    successful = prints is not None and prints.last.outcome == "done"
    return FileFacts(
        display=entry.display,
        date=int(entry.modified),
        estimated_time=analysis.estimated_time if analysis else None,
        average_time=prints.average_duration if prints else None,
        last_time=prints.last.duration if prints and successful else None,
        filament=filament_of(entry),
    )


def filament_of(entry: FileEntry) -> dict[str, FilamentDocument] | None:
    """Filament by tool, once the file was analysed."""
    if entry.analysis is None:
        return None
    return {
        f"tool{tool}": FilamentDocument(length=use.length, volume=use.volume)
        for tool, use in sorted(entry.analysis.filament.items())
    }


def file_of(snapshot: PrinterSnapshot) -> FileRef | None:
    """The file that documents about the job speak of: the running job's, else the selected one."""
    job = snapshot.job
    if job is not None and job.state != "idle":
        return job.file
    return snapshot.selected


def file_facts(library: Library, snapshot: PrinterSnapshot) -> FileFacts | None:
    """The facts of that file; None where it is not in the library (any more)."""
    file = file_of(snapshot)
    if file is None or file.origin != "local":
        return None
    try:
        entry = library.entry(file.path)
    except BedplateError:
        return None
    return facts_of(entry) if isinstance(entry, FileEntry) else None


class FactsCache:
    """The facts for messages that go out twice a second: asked for again after `forget`.

    Asking means a look at the disk, so it must not happen with every message.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._path: str | None = None
        self._facts: FileFacts | None = None

    def of(self, snapshot: PrinterSnapshot) -> FileFacts | None:
        """As `file_facts`."""
        file = file_of(snapshot)
        path = None if file is None else file.path
        if path != self._path:
            self._path = path
            self._facts = file_facts(self._library, snapshot)
        return self._facts

    def forget(self) -> None:
        """Something about files or their prints has changed."""
        self._path = self._facts = None
