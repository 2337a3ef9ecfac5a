"""What is known of print files besides their bytes: one SQLite file, and thumbnails as files beside
it.

What depends on a file's content (the analysis) counts only as long as size and time of change are
those it was made for; what depends on its name (who uploaded it, its prints) stays. When a file
turns up under a new path with the size and time of one that is gone, it is taken for that one,
moved.

As with the journal, all calls come from the thread that opened the store, the event loop's; each is
one short transaction.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import msgspec

from bedplate.database import open_database, transaction
from bedplate.durable import write_atomically
from bedplate.files.entries import PrintHistory, PrintResult, ThumbnailFile
from bedplate.files.scan import FoundFile, Stamp
from bedplate.gcode.records import FORMAT, Analysis, Layer
from bedplate.gcode.worker import Picture

log = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY,
    display TEXT, user TEXT, userdata BLOB,
    size INTEGER, mtime_ns INTEGER,             -- of the content that the rest speaks of
    format INTEGER, analysis BLOB, layers BLOB, layer_count INTEGER,
    thumbnails BLOB, error TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS files_content ON files (size, mtime_ns);
CREATE TABLE IF NOT EXISTS prints (
    number INTEGER PRIMARY KEY,
    job TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    printer TEXT, outcome TEXT NOT NULL, time REAL NOT NULL, duration REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS prints_path ON prints (path, number);
"""

_COLUMNS = (
    "display, user, userdata, size, mtime_ns, format, analysis, layer_count, thumbnails, error"
)

_SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg"}

_THUMBNAIL_NAME = re.compile(r"[0-9a-f]{40}-\d{1,2}\.(?:png|jpg)")
"""SHA-1 of the print file, number and kind: copies of a file share their pictures."""


class FileFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of one file; `stamp` is that of the content that was analysed."""

    display: str | None = None
    user: str | None = None
    userdata: Any = None
    stamp: Stamp | None = None
    analysis: Analysis | None = None
    """Without its layers."""
    layers: int | None = None
    thumbnails: list[ThumbnailFile] = []
    error: str | None = None


class MetadataStore:
    """The file `path` (`library.sqlite`) and the folder `thumbnails/` beside it.

    `revision` grows with every change. Whatever writes raises StorageFullError on a full disk.
    """

    def __init__(self, path: Path) -> None:
        self.revision = 0
        self.thumbnails = path.with_name("thumbnails")
        self._database = open_database(path, SCHEMA)
        self._facts: dict[str, FileFacts] = {}
        self._prints = self._read_prints()

    def close(self) -> None:
        """Closes the file; further calls fail."""
        self._database.close()

    def facts(self, path: str, stamp: Stamp) -> FileFacts:
        """What is stored of a file whose present content has `stamp`."""
        facts = self._facts.get(path)
        if facts is None:
            row = self._database.execute(
                f"SELECT {_COLUMNS} FROM files WHERE path = ?", (path,)
            ).fetchone()
            facts = self._facts[path] = _facts(row) if row else FileFacts()
        if facts.stamp == stamp:
            return facts
        return FileFacts(display=facts.display, user=facts.user, userdata=facts.userdata)

    def layers(self, path: str, stamp: Stamp) -> list[Layer] | None:
        """The layers of a file's analysis, None where there is none of this content."""
        row = self._database.execute(
            "SELECT layers FROM files WHERE path = ? AND size = ? AND mtime_ns = ? AND format = ?",
            (path, *stamp, FORMAT),
        ).fetchone()
        return msgspec.json.decode(row[0], type=list[Layer]) if row and row[0] else None

    def prints(self, path: str) -> PrintHistory | None:
        """The jobs that printed a file, None without any."""
        return self._prints.get(path)

    def set_upload(self, path: str, *, display: str, user: str | None, userdata: Any) -> None:
        """Notes who uploaded a file, and under which name."""
        self._write(path, display=display, user=user, userdata=msgspec.json.encode(userdata))

    def set_analysis(
        self, path: str, stamp: Stamp, analysis: Analysis, thumbnails: list[ThumbnailFile]
    ) -> None:
        """Stores the analysis of the content with `stamp`; its thumbnails are on disk already."""
        old = self._thumbnails_of([path])
        self._write(
            path,
            size=stamp.size,
            mtime_ns=stamp.mtime_ns,
            format=analysis.format,
            analysis=msgspec.json.encode(msgspec.structs.replace(analysis, layers=[])),
            layers=msgspec.json.encode(analysis.layers),
            layer_count=len(analysis.layers),
            thumbnails=msgspec.json.encode(thumbnails),
            error=None,
        )
        self._remove_unused(old)

    def set_error(self, path: str, stamp: Stamp, error: str) -> None:
        """Stores why the content that has `stamp` could not be analysed."""
        old = self._thumbnails_of([path])
        nothing = dict.fromkeys(("analysis", "layers", "layer_count", "thumbnails"))
        self._write(
            path, size=stamp.size, mtime_ns=stamp.mtime_ns, format=FORMAT, error=error, **nothing
        )
        self._remove_unused(old)

    def add_print(self, job: str, path: str, result: PrintResult) -> bool:
        """Notes how a job ended; False where that is known already."""
        with transaction(self._database):
            added = self._database.execute(
                "INSERT INTO prints (job, path, printer, outcome, time, duration)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (job) DO NOTHING",
                (job, path, result.printer, result.outcome, result.time, result.duration),
            ).rowcount
        if added:
            self._prints = self._read_prints()
            self.revision += 1
        return bool(added)

    def move(self, old: str, new: str) -> None:
        """Everything known of `old`, and of what is below it, is from now on known of `new`.

        A file with another name than before is shown by that.
        """
        renamed = old.rpartition("/")[2] != new.rpartition("/")[2]
        with transaction(self._database):
            for table in ("files", "prints"):
                self._database.execute(f"DELETE FROM {table} WHERE {_BELOW}", _below(new))
                self._database.execute(
                    f"UPDATE {table} SET path = ? || substr(path, ?) WHERE {_BELOW}",
                    (new, len(old) + 1, *_below(old)),
                )
            if renamed:
                self._database.execute("UPDATE files SET display = NULL WHERE path = ?", (new,))
        self._forget(old, new)

    def copy(self, old: str, old_stamp: Stamp, new: str, new_stamp: Stamp) -> None:
        """What is known of the content of `old` is known of its copy `new` too."""
        with transaction(self._database):
            self._database.execute(f"DELETE FROM files WHERE {_BELOW}", _below(new))
            self._database.execute(
                "INSERT INTO files"
                " SELECT ?, NULL, user, userdata, ?, ?, format, analysis, layers, layer_count,"
                " thumbnails, error FROM files WHERE path = ? AND size = ? AND mtime_ns = ?",
                (new, *new_stamp, old, *old_stamp),
            )
        self._forget(new)

    def remove(self, path: str) -> None:
        """Forgets a file, or a folder with everything below it."""
        rows = self._database.execute(
            f"SELECT path FROM files WHERE {_BELOW}", _below(path)
        ).fetchall()
        old = self._thumbnails_of([row[0] for row in rows])
        with transaction(self._database):
            for table in ("files", "prints"):
                self._database.execute(f"DELETE FROM {table} WHERE {_BELOW}", _below(path))
        self._forget(path)
        self._remove_unused(old)

    def adopt(self, new: Iterable[FoundFile], present: Collection[str]) -> None:
        """Follows moves that were made behind our back.

        A file among `new` of which nothing is known takes the place of a known one with its size
        and time that is not among the `present` paths any more.
        """
        known = {path for (path,) in self._database.execute("SELECT path FROM files")}
        for file in new:
            if file.path in known:
                continue
            rows = self._database.execute(
                "SELECT path FROM files WHERE size = ? AND mtime_ns = ?", file.stamp
            ).fetchall()
            gone = [path for (path,) in rows if path not in present]
            if gone:
                log.info("%s is taken for %s, moved", file.path, gone[0])
                self.move(gone[0], file.path)

    def write_thumbnails(self, sha1: str, pictures: list[Picture]) -> list[ThumbnailFile]:
        """Writes pictures before `set_analysis`, from any thread. What fails is left out."""
        written: list[ThumbnailFile] = []
        for number, picture in enumerate(pictures[:100]):
            suffix = _SUFFIXES.get(picture.media_type)
            if suffix is None:
                continue
            name = f"{sha1}-{number}{suffix}"
            try:
                self.thumbnails.mkdir(exist_ok=True)
                write_atomically(self.thumbnails / name, picture.data)
            except OSError as error:
                log.warning("thumbnail %s can't be written: %s", name, error)
                continue
            written.append(
                ThumbnailFile(
                    name=name,
                    width=picture.width,
                    height=picture.height,
                    media_type=picture.media_type,
                )
            )
        return written

    def thumbnail_path(self, name: str) -> Path | None:
        """Where a thumbnail lies; None for a name that is none."""
        path = self.thumbnails / name
        return path if _THUMBNAIL_NAME.fullmatch(name) and path.is_file() else None

    def _write(self, path: str, **values: Any) -> None:
        names = ", ".join(values)
        places = ", ".join("?" * len(values))
        changes = ", ".join(f"{name} = excluded.{name}" for name in values)
        with transaction(self._database):
            self._database.execute(
                f"INSERT INTO files (path, {names}) VALUES (?, {places})"
                f" ON CONFLICT (path) DO UPDATE SET {changes}",
                (path, *values.values()),
            )
        self._facts.pop(path, None)
        self.revision += 1

    def _forget(self, *paths: str) -> None:
        """After a change of whole folders: what was read is read again when it is asked for."""
        for path in paths:
            for known in [k for k in self._facts if k == path or k.startswith(f"{path}/")]:
                del self._facts[known]
        self._prints = self._read_prints()
        self.revision += 1

    def _read_prints(self) -> dict[str, PrintHistory]:
        rows = self._database.execute(
            # With max(), SQLite takes the other columns from the row that has the maximum.
            "SELECT path, sum(outcome = 'done'), sum(outcome != 'done'), time, duration, outcome,"
            " printer, avg(iif(outcome = 'done', duration, NULL)), max(number)"
            " FROM prints GROUP BY path"
        )
        return {
            path: PrintHistory(
                success=success,
                failure=failure,
                last=PrintResult(time=time, duration=duration, outcome=outcome, printer=printer),
                average_duration=average,
            )
            for path, success, failure, time, duration, outcome, printer, average, _ in rows
        }

    def _thumbnails_of(self, paths: Iterable[str]) -> set[str]:
        names: set[str] = set()
        for path in paths:
            row = self._database.execute(
                "SELECT thumbnails FROM files WHERE path = ?", (path,)
            ).fetchone()
            if row and row[0]:
                pictures = msgspec.json.decode(row[0], type=list[ThumbnailFile])
                names.update(picture.name for picture in pictures)
        return names

    def _remove_unused(self, names: set[str]) -> None:
        for name in names:
            used = self._database.execute(
                "SELECT 1 FROM files WHERE instr(thumbnails, ?) LIMIT 1", (name.encode(),)
            ).fetchone()
            if not used:
                (self.thumbnails / name).unlink(missing_ok=True)


_BELOW = "(path = ? OR (path >= ? AND path < ?))"
"""A path and everything below it; `0` is the character after `/`."""


def _below(path: str) -> tuple[str, str, str]:
    return path, f"{path}/", f"{path}0"


def _facts(row: tuple[Any, ...]) -> FileFacts:
    display, user, userdata, size, mtime_ns, format, analysis, layers, thumbnails, error = row
    current = format == FORMAT
    return FileFacts(
        display=display,
        user=user,
        userdata=msgspec.json.decode(userdata) if userdata else None,
        stamp=Stamp(size, mtime_ns) if current else None,
        analysis=msgspec.json.decode(analysis, type=Analysis) if current and analysis else None,
        layers=layers if current else None,
        thumbnails=(
            msgspec.json.decode(thumbnails, type=list[ThumbnailFile]) if thumbnails else []
        ),
        error=error if current else None,
    )
