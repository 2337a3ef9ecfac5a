"""How often files were printed, and with what end."""

from __future__ import annotations

import pytest
from tests.files.conftest import Files

from bedplate.files.entries import PrintHistory
from bedplate.files.history import HistoryKeeper
from bedplate.messages.events import PrintCancelled, PrintDone, PrintFailed, PublicEvent
from bedplate.messages.snapshot import FileRef


def ending(kind: str, job: str, path: str = "a.gcode", origin: str = "local") -> PublicEvent:
    file = FileRef(path=path, origin=origin, size=1)
    if kind == "done":
        return PrintDone(file=file, job=job, time=100.0)
    if kind == "failed":
        return PrintFailed(file=file, job=job, time=5.0, reason="x", error="x", offset=0, line=0)
    return PrintCancelled(file=file, job=job, time=5.0, offset=0, line=0)


def keeper(files: Files) -> HistoryKeeper:
    return HistoryKeeper(files.store, files.bus, files.journal)


def prints(files: Files, path: str = "a.gcode") -> PrintHistory:
    history = files.store.prints(path)
    assert history is not None
    return history


async def test_the_end_of_each_job_counts(files: Files) -> None:
    keeper(files).start()
    for number, kind in enumerate(["done", "failed", "done", "cancelled"]):
        files.bus.publish(ending(kind, f"j{number}"), "default")
    await files.bus.close()
    history = prints(files)
    assert (history.success, history.failure) == (2, 2)
    assert (history.last.outcome, history.last.printer) == ("cancelled", "default")
    assert history.average_duration == 100.0


async def test_a_job_whose_end_is_told_twice_counts_once(files: Files) -> None:
    keeper(files).start()
    for _ in range(3):
        files.bus.publish(ending("done", "j"), "default")
    await files.bus.close()
    assert prints(files).success == 1


@pytest.mark.parametrize("missed", [1, 3])
async def test_what_ended_while_nobody_listened_is_caught_up(files: Files, missed: int) -> None:
    first = keeper(files)
    first.start()
    files.bus.publish(ending("done", "before"), "default")
    first.close()  # killed before the handler ran
    for number in range(missed):
        files.bus.publish(ending("failed", f"j{number}"), "default")
    keeper(files).start()
    history = prints(files)
    assert (history.success, history.failure) == (1, missed)
    await files.bus.close()


async def test_files_on_the_printers_card_are_not_ours(files: Files) -> None:
    keeper(files).start()
    files.bus.publish(ending("done", "j", origin="sdcard"), "default")
    await files.bus.close()
    assert files.store.prints("a.gcode") is None


async def test_the_history_outlives_the_host(files: Files) -> None:
    keeper(files).start()
    files.bus.publish(ending("done", "j"), "default")
    await files.bus.close()
    files.close()
    again = Files(files.folder)
    assert prints(again).success == 1
    again.close()
