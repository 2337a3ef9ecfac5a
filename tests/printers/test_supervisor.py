"""Starting and finding a printer's link."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.helpers import wait_until
from tests.processes import Workshop, alive

from bedplate.errors import LinkError
from bedplate.printers.supervisor import (
    LOG_LIMIT,
    LinkProcess,
    read_record,
    runtime_directory,
)


@pytest.fixture
def make(workshop: Workshop) -> Iterator[Callable[[], LinkProcess]]:
    """Makes the supervisor of one printer's link, as each host would."""
    made = []

    def make() -> LinkProcess:
        made.append(
            LinkProcess(
                "default",
                workshop.data / "printers" / "default",
                workshop.data / "logs",
                workshop.runtime,
            )
        )
        return made[-1]

    yield make
    record = read_record(workshop.data / "printers" / "default")
    if record is not None and alive(record.pid):
        os.kill(record.pid, signal.SIGKILL)
    for process in made:
        wait_until(process.reap, what="the end of the link")


def pid(workshop: Workshop) -> int:
    record = read_record(workshop.data / "printers" / "default")
    assert record is not None
    return record.pid


async def test_a_link_is_started_detached_and_found_again(
    workshop: Workshop, make: Callable[[], LinkProcess]
) -> None:
    process = make()
    assert process.find() is None
    assert not process.is_running()
    socket = await process.start()
    assert process.find() == socket == str(workshop.runtime / "default.sock")
    assert process.is_running()
    assert make().find() == socket
    link = pid(workshop)
    assert os.getsid(link) == link != os.getsid(0)
    streams = {os.readlink(f"/proc/{link}/fd/{number}") for number in (1, 2)}
    assert streams == {str(workshop.data / "logs" / "link-default.log")}
    assert os.readlink(f"/proc/{link}/fd/0") == os.devnull
    assert os.readlink(f"/proc/{link}/cwd") == "/"


async def test_a_second_link_of_a_printer_does_not_start_and_the_first_stays(
    workshop: Workshop,
    make: Callable[[], LinkProcess],
) -> None:
    socket = await make().start()
    link = pid(workshop)
    with pytest.raises(LinkError, match="ended at once"):
        await make().start()
    assert pid(workshop) == link
    assert make().find() == socket
    assert "has a link already" in (workshop.data / "logs" / "link-default.log").read_text()


async def test_what_a_killed_link_left_does_not_pass_for_a_new_one(
    workshop: Workshop, make: Callable[[], LinkProcess]
) -> None:
    process = make()
    await process.start()
    first = pid(workshop)
    os.kill(first, signal.SIGKILL)
    wait_until(process.reap)
    assert not process.is_running()
    assert process.find() is not None  # the names are still there
    await process.start()
    assert pid(workshop) != first


async def test_a_long_log_is_put_aside(workshop: Workshop, make: Callable[[], LinkProcess]) -> None:
    log = workshop.data / "logs" / "link-default.log"
    log.parent.mkdir(parents=True)
    log.write_bytes(b"x" * (LOG_LIMIT + 1))
    await make().start()
    assert log.stat().st_size < 1000
    assert log.with_name(log.name + ".1").stat().st_size == LOG_LIMIT + 1


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"pid":"x"}', b"[]"])
def test_a_record_that_can_not_be_read_is_none(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "link.json").write_bytes(content)
    assert read_record(tmp_path) is None


def test_each_data_directory_has_its_own_folder_for_sockets(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(workshop.runtime))
    one, other = (runtime_directory(tmp_path / name) for name in ("one", "other"))
    assert one != other
    assert one == runtime_directory(tmp_path / "one" / ".." / "one")
    assert stat.S_IMODE(one.stat().st_mode) == 0o700


def test_a_folder_for_sockets_that_leads_elsewhere_is_refused(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(workshop.runtime))
    folder = runtime_directory(tmp_path)
    folder.rmdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    folder.symlink_to(elsewhere)
    with pytest.raises(LinkError, match="Remove it"):
        runtime_directory(tmp_path)
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o755
