"""Which files were printed, how often and with what end: kept from the events of jobs.

Read from the journal with a cursor of its own, so that what happened while the host was down, or
just before it was killed, is not missed; each job counts once, however often its end is told.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Literal

from bedplate.bus import EventBus, Subscription
from bedplate.errors import StorageFullError, UnavailableError
from bedplate.files.entries import PrintResult
from bedplate.files.library import ORIGIN
from bedplate.files.metadata import MetadataStore
from bedplate.journal import Journal
from bedplate.messages.events import Envelope, PrintCancelled, PrintDone, PrintFailed, PublicEvent

log = logging.getLogger(__name__)

CURSOR = "print history"

OUTCOMES: dict[type[PublicEvent], Literal["done", "failed", "cancelled"]] = {
    PrintDone: "done",
    PrintFailed: "failed",
    PrintCancelled: "cancelled",
}


class HistoryKeeper:
    """Notes the end of every job in the store, from `start` to `close`."""

    def __init__(self, store: MetadataStore, bus: EventBus, journal: Journal) -> None:
        self._store = store
        self._bus = bus
        self._journal = journal
        self._subscription: Subscription | None = None

    def start(self) -> None:
        """Catches up with the journal, and listens from then on."""
        self._subscription = self._bus.subscribe(
            "print history", self._note_live, events=tuple(OUTCOMES)
        )
        names = [event.__name__ for event in OUTCOMES]
        after = self._journal.get_cursor(CURSOR) or 0
        while missed := self._journal.read(after, types=names):
            for envelope in missed:
                self._note(envelope)
            after = missed[-1].seq
            self._journal.set_cursor(CURSOR, after)

    def close(self) -> None:
        """Stops listening."""
        if self._subscription is not None:
            self._subscription.close()

    def _note_live(self, envelope: Envelope) -> None:
        try:
            self._note(envelope)
            if envelope.seq:
                self._journal.set_cursor(CURSOR, envelope.seq)
        except (StorageFullError, UnavailableError) as error:
            log.error("the end of a job is noted at the next start: %s", error)

    def _note(self, envelope: Envelope) -> None:
        event = envelope.payload
        if not isinstance(event, PrintDone | PrintFailed | PrintCancelled):
            return
        if event.file.origin == ORIGIN:
            result = PrintResult(
                time=datetime.fromisoformat(envelope.time).timestamp(),
                duration=event.time,
                outcome=OUTCOMES[type(event)],
                printer=envelope.printer,
            )
            self._store.add_print(event.job, event.file.path, result)
