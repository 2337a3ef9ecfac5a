"""Opening SQLite files and writing to them: what the journal and the files' metadata have in
common.

A connection belongs to the thread that opened it. Write-ahead logging with `synchronous=NORMAL`: a
killed process loses nothing that was committed; a power failure may take the last moments, but
never leaves a broken file.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from bedplate.errors import StorageFullError, UnavailableError

log = logging.getLogger(__name__)

BUSY_TIMEOUT = 1.0
"""Seconds to wait for another program that writes. The event loop waits with us: not long."""

_NO_SPACE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})
_BUGS = (sqlite3.IntegrityError, sqlite3.ProgrammingError)


def open_database(path: Path, schema: str) -> sqlite3.Connection:
    """Opens the file, with `schema` (all `IF NOT EXISTS`), in autocommit mode.

    A file that is damaged beyond opening is put aside as `<name>.damaged`, and a new one begun.
    Raises UnavailableError where the file itself is not at fault (locked, not permitted, no space).
    """
    try:
        return _open(path, schema)
    except sqlite3.OperationalError as error:
        raise UnavailableError(f"{path} can't be opened: {error}.") from error
    except sqlite3.DatabaseError as error:
        log.error("%s is damaged (%s): put aside, a new one begins", path, error)
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                part = path.with_name(path.name + suffix)
                part.replace(path.with_name(f"{path.name}.damaged{suffix}"))
        return _open(path, schema)


@contextlib.contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing.

    Raises StorageFullError where the disk takes no more, and UnavailableError where another program
    has locked the file, or it went bad.
    """
    try:
        database.execute("BEGIN IMMEDIATE")
        try:
            yield
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:  # SQLite may have rolled back by itself
                database.execute("ROLLBACK")
            raise
    except _BUGS:
        raise
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _NO_SPACE:
            raise StorageFullError(f"The disk takes no more data: {error}.") from error
        raise UnavailableError(f"The database can't be written: {error}.") from error


def _open(path: Path, schema: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.executescript(schema)
    except BaseException:
        database.close()
        raise
    return database
