"""The journal of events: every event but telemetry, in order, in one SQLite file.

An event is in the journal before anybody hears of it, and before its link hears that it may forget
it. Whoever must not miss one reads from a cursor of its own.

The connection belongs to the thread that opened the journal, the event loop's: every call is one
short transaction (tens of microseconds).
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bedplate.database import open_database, transaction
from bedplate.messages.codec import CodecError, decode_payload
from bedplate.messages.events import EVENTS_BY_NAME, Envelope, PublicEvent

log = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- a number is never given twice, also after pruning
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    printer TEXT,
    time TEXT NOT NULL,
    payload BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS events_type ON events (type, seq);
CREATE TABLE IF NOT EXISTS cursors (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS links (
    number INTEGER PRIMARY KEY,
    printer TEXT NOT NULL,
    link TEXT NOT NULL,
    acknowledged INTEGER NOT NULL,
    UNIQUE (printer, link)
);
"""

PRUNE_AT_ONCE = 5_000
"""Entries that one `prune` removes at most, which keeps it to some ten milliseconds."""

LINKS_KEPT = 64
"""Links whose last number is remembered; a printer has one at a time."""


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, with milliseconds and `Z`: sorts as text in the order of time."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


class Journal:
    """The journal in the file `path`.

    Whatever writes raises StorageFullError on a full disk, UnavailableError where another program
    has locked the file or it went bad.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database = open_database(path, SCHEMA)

    def append(
        self, *, id: str, time: str, event: PublicEvent, printer: str | None = None
    ) -> Envelope | None:
        """Adds an event, unless its id is there already: then the answer is None."""
        with transaction(self._database):
            return self._insert(id, time, event, printer)

    def append_from_link(
        self, *, printer: str, link: str, link_seq: int, id: str, time: str, event: PublicEvent
    ) -> Envelope | None:
        """Adds an event of a link and notes the link's number for it, both or neither.

        None where it is there already. Afterwards `link_acknowledged` is at least `link_seq`.
        """
        with transaction(self._database):
            if link_seq <= self.link_acknowledged(printer, link):
                return None
            self._database.execute(
                "INSERT INTO links (printer, link, acknowledged) VALUES (?, ?, ?)"
                " ON CONFLICT (printer, link) DO UPDATE SET acknowledged = excluded.acknowledged",
                (printer, link, link_seq),
            )
            return self._insert(id, time, event, printer)

    def link_acknowledged(self, printer: str, link: str) -> int:
        """The number of the link's last event that is here; 0 for a link that is not known."""
        row = self._database.execute(
            "SELECT acknowledged FROM links WHERE printer = ? AND link = ?", (printer, link)
        ).fetchone()
        return int(row[0]) if row else 0

    def read(
        self,
        after: int,
        limit: int = 500,
        types: Collection[str] | None = None,
        printer: str | None = None,
    ) -> list[Envelope]:
        """Up to `limit` events after number `after`, oldest first; of some types, of one printer.

        Events of types that this version does not know, or whose payload it can't read (an older or
        a newer version wrote them), are left out; they stay in the journal.
        """
        names = EVENTS_BY_NAME.keys() if types is None else EVENTS_BY_NAME.keys() & set(types)
        query = (
            "SELECT seq, id, type, printer, time, payload FROM events WHERE seq > ?"
            f" AND type IN ({', '.join('?' * len(names))})"
            + (" AND printer = ?" if printer is not None else "")
            + " ORDER BY seq"
        )
        parameters = [after, *names, *([printer] if printer is not None else [])]
        found: list[Envelope] = []
        with contextlib.closing(self._database.execute(query, parameters)) as rows:
            for seq, id, type, of_printer, time, payload in rows:
                if len(found) >= limit:
                    break
                try:
                    event = decode_payload(type, payload)
                except CodecError as error:
                    log.warning("journal entry %d is left out: %s", seq, error)
                    continue
                found.append(
                    Envelope(
                        id=id, type=type, printer=of_printer, seq=seq, time=time, payload=event
                    )
                )
        return found

    def last_seq(self) -> int:
        """The number of the newest event, also where it was pruned; 0 in a new journal."""
        row = self._database.execute(
            "SELECT seq FROM sqlite_sequence WHERE name = 'events'"
        ).fetchone()
        return int(row[0]) if row else 0

    def get_cursor(self, name: str) -> int | None:
        """The number up to which the reader `name` has read, None for one that never did."""
        row = self._database.execute("SELECT seq FROM cursors WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else None

    def set_cursor(self, name: str, seq: int) -> None:
        """Notes that the reader `name` is done with everything up to `seq`. Later events are kept
        for it.
        """
        with transaction(self._database):
            self._database.execute(
                "INSERT INTO cursors VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET seq = excluded.seq",
                (name, seq),
            )

    def remove_cursor(self, name: str) -> None:
        """Forgets a reader; nothing is kept for it any longer."""
        with transaction(self._database):
            self._database.execute("DELETE FROM cursors WHERE name = ?", (name,))

    def prune(self, *, keep: int, before: datetime | None = None) -> int:
        """Removes events beyond the newest `keep`, and of these only what is older than `before`.

        What a reader with a cursor has not read yet stays. At most `PRUNE_AT_ONCE` at a time:
        answers how many went; call again, later, until it is 0.
        """
        last = self.last_seq() - keep
        with transaction(self._database):
            (slowest,) = self._database.execute("SELECT min(seq) FROM cursors").fetchone()
            if slowest is not None:
                last = min(last, slowest)
            removed = self._database.execute(
                "DELETE FROM events WHERE seq IN"
                " (SELECT seq FROM events WHERE seq <= ? AND time < ? ORDER BY seq LIMIT ?)",
                (last, timestamp(before) if before else "~", PRUNE_AT_ONCE),
            ).rowcount
            self._database.execute(
                "DELETE FROM links WHERE number NOT IN"
                " (SELECT number FROM links ORDER BY number DESC LIMIT ?)",
                (LINKS_KEPT,),
            )
        return removed

    def close(self) -> None:
        """Closes the file; further calls fail."""
        self._database.close()

    def _insert(
        self, id: str, time: str, event: PublicEvent, printer: str | None
    ) -> Envelope | None:
        name = type(event).__name__
        cursor = self._database.execute(
            "INSERT INTO events (id, type, printer, time, payload) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO NOTHING",
            (id, name, printer, time, msgspec.json.encode(event)),
        )
        if not cursor.rowcount or cursor.lastrowid is None:
            return None
        return Envelope(
            id=id, type=name, printer=printer, seq=cursor.lastrowid, time=time, payload=event
        )
