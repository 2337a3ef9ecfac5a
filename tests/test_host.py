"""Hosts as processes: a print survives them, and whatever ends is told exactly once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sqlite3
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.helpers import eventually, wait_until
from tests.processes import (
    SAMPLES,
    Serving,
    Workshop,
    alive,
    commands_of,
    make_file,
    without_added,
)

from bedplate import __version__
from bedplate.errors import ConflictError, DataDirectoryInUseError, NotFoundError, PortError
from bedplate.host import Host
from bedplate.messages.states import ConnectionState, JobState, Outcome
from bedplate.printers.supervisor import read_record, runtime_directory

FAST = "plugins:\n  virtual_printer:\n    speed: 0\n    record: record.txt\n"
SECONDS = FAST.replace("speed: 0", "speed: 40")
"""Slow enough for a print to last a few seconds."""


def record_of(data: Path) -> list[str]:
    """What the virtual printer of a host accepted."""
    path = data / "plugin-data" / "virtual_printer" / "record.txt"
    return path.read_text().splitlines() if path.exists() else []


def journal_of(data: Path) -> list[tuple[int, str]]:
    """Number and type of each event in the journal, read by other means than ours."""
    with contextlib.closing(sqlite3.connect(data / "journal.sqlite")) as database:
        return database.execute("SELECT seq, type FROM events ORDER BY seq").fetchall()


def printer_events(data: Path) -> list[str]:
    """Types of the events of the printer and its jobs, in order; layers and marks left out."""
    left_out = ("LayerChanged", "PrintProgress")
    return [
        name
        for _, name in journal_of(data)
        if name.startswith(("Print", "Link", "Firmware")) and name not in left_out
    ]


def slow_file(workshop: Workshop, name: str = "slow.gcode", steps: int = 60) -> Path:
    """A file that takes some three seconds with the settings SECONDS."""
    path = workshop.uploads / name
    lines = (f"G4 P{2000 + step}\nG1 X{step} F6000\n" for step in range(steps))
    path.write_text("G28\n" + "".join(lines))
    return path


def printing(workshop: Workshop, *, line: int, steps: int = 60) -> tuple[Serving, Path]:
    """A host in the middle of a slow print, past `line` of the file; and that file."""
    workshop.settings(SECONDS)
    source = slow_file(workshop, steps=steps)
    host = workshop.host()
    host.connect()
    host.print(source.name)
    host.wait_for(lambda s: s["job"] and s["job"]["line"] > line, "the first lines")
    return host, source


def link_pid(host: Serving) -> int:
    pid = host.state()["link_pid"]
    assert isinstance(pid, int)
    return pid


def _wait_for_line(host: Serving, line: int) -> None:
    host.wait_for(
        lambda s: s["job"] and (s["job"]["line"] > line or s["job"]["outcome"]), f"line {line}"
    )


def outcome(state: Any) -> Any:
    return state["job"] and state["job"]["outcome"]


# In this process


@pytest.fixture
def runtime(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(workshop.runtime))


@contextlib.asynccontextmanager
async def running(data: Path) -> AsyncIterator[Host]:
    host = Host(data)
    try:
        await host.start()
        yield host
    finally:
        await host.stop()


@pytest.mark.usefixtures("runtime")
async def test_a_print_from_the_library_to_the_history(workshop: Workshop) -> None:
    workshop.settings(FAST)
    source = workshop.uploads / "nut.gcode"
    source.write_bytes((SAMPLES / "nut-cura.gcode").read_bytes())
    async with running(workshop.data) as host:
        printer = host.printers["default"]
        assert printer.snapshot.connection.text == "Offline"
        assert any(port.name == "VIRTUAL" for port in await printer.list_ports())
        await printer.connect("VIRTUAL")
        await eventually(lambda: printer.is_operational)
        assert printer.snapshot.connection.port == "VIRTUAL"
        await printer.start("nut.gcode", user="somebody")
        await eventually(lambda: printer.is_active or printer.snapshot.job)
        await eventually(lambda: printer.snapshot.job and printer.snapshot.job.outcome, 60)
        job = printer.snapshot.job
        assert job is not None
        assert (job.outcome, job.completion, job.user) == (Outcome.DONE, 100.0, "somebody")
        prints = await eventually(lambda: host.library.file("nut.gcode").prints)
        assert (prints.success, prints.failure) == (1, 0)
        assert without_added(record_of(workshop.data)) == commands_of(source)
        await printer.disconnect()
        assert printer.snapshot.connection.state is ConnectionState.CLOSED
        assert printer.snapshot.link_pid is None
    assert printer_events(workshop.data) == [
        "PrinterConnecting",
        "PrinterConnected",
        "PrintStarted",
        "PrintDone",
        "PrinterDisconnected",
    ]
    numbers = [seq for seq, _ in journal_of(workshop.data)]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.usefixtures("runtime")
async def test_layers_and_remaining_time_come_from_the_analysis(workshop: Workshop) -> None:
    workshop.settings(FAST)
    source = workshop.uploads / "nut.gcode"
    source.write_bytes((SAMPLES / "nut-cura.gcode").read_bytes())
    async with running(workshop.data) as host:
        printer = host.printers["default"]
        await eventually(lambda: host.library.file("nut.gcode").analysis, 60)
        analysis = host.library.analysis("nut.gcode")
        assert analysis is not None
        await printer.connect("VIRTUAL")
        await eventually(lambda: printer.is_operational)
        await printer.start("nut.gcode")
        await eventually(lambda: printer.snapshot.job and printer.snapshot.job.outcome, 60)
        job = printer.snapshot.job
        assert job is not None
        assert job.layers == len(analysis.layers) == job.layer
    changes = [name for _, name in journal_of(workshop.data) if name == "LayerChanged"]
    assert len(changes) == len(analysis.layers)


@pytest.mark.usefixtures("runtime")
async def test_what_can_not_be_done_is_refused_in_words(workshop: Workshop) -> None:
    workshop.settings(FAST)
    make_file(workshop.uploads / "x.gcode", 5)
    async with running(workshop.data) as host:
        printer = host.printers["default"]
        with pytest.raises(ConflictError, match="not connected"):
            await printer.start("x.gcode")
        with pytest.raises(ConflictError, match="not connected"):
            await printer.send(["G28"], "test")
        with pytest.raises(NotFoundError):
            printer.select("missing.gcode")
        with pytest.raises(PortError, match="There is no port NOWHERE"):
            await printer.connect("NOWHERE")
        with pytest.raises(Exception, match="There is no port /dev/ttyNOWHERE"):
            await printer.connect("/dev/ttyNOWHERE")
        assert printer.snapshot.connection.state is ConnectionState.ERROR
        assert printer.snapshot.connection.problem is not None
        await printer.connect("VIRTUAL")
        await eventually(lambda: printer.is_operational)
        with pytest.raises(ConflictError, match="No file is chosen"):
            await printer.start()
        with pytest.raises(NotFoundError, match="no tool5"):
            await printer.select_tool(5)


@pytest.mark.usefixtures("runtime")
async def test_a_second_host_on_the_same_directory_is_refused(workshop: Workshop) -> None:
    async with running(workshop.data):
        with pytest.raises(DataDirectoryInUseError, match="Another Bedplate runs on"):
            Host(workshop.data)
    async with running(workshop.data):
        pass


@pytest.mark.usefixtures("runtime")
async def test_terminal_lines_come_while_somebody_watches(workshop: Workshop) -> None:
    workshop.settings(FAST)
    async with running(workshop.data) as host:
        printer = host.printers["default"]
        stop = printer.watch_terminal()
        await printer.connect("VIRTUAL")
        await eventually(lambda: any("M115" in line.text for line in printer.terminal))
        await printer.send(["M117 watched"], "test")
        await eventually(lambda: any("M117 watched" in line.text for line in printer.terminal))
        stop()
        stop()
        await printer.send(["M117 unseen"], "test")
        await eventually(lambda: "M117 unseen" in record_of(workshop.data))
        await asyncio.sleep(0.6)  # more than two turns of the link's housekeeping
        assert not any("M117 unseen" in line.text for line in printer.terminal)


@pytest.mark.usefixtures("runtime")
async def test_on_a_full_disk_events_wait_and_the_print_goes_on(workshop: Workshop) -> None:
    """SQLite is told that its file may not grow: the same error as from a full disk."""
    workshop.settings(FAST)
    source = make_file(workshop.uploads / "x.gcode", 50)
    async with running(workshop.data) as host:
        printer = host.printers["default"]
        await printer.connect("VIRTUAL")
        await eventually(lambda: printer.is_operational)
        link = printer.snapshot.link_pid
        with _full(host):
            for number in range(1, 80):  # until nothing fits into the last page
                await printer.start("x.gcode")
                await eventually(
                    lambda: printer.snapshot.job and printer.snapshot.job.outcome is not None
                )
                if len(printer_events(workshop.data)) < 2 + 2 * number:
                    break
            else:
                raise AssertionError("the journal never was full")
        assert printer.snapshot.link_pid == link
        assert printer.snapshot.connection.state is ConnectionState.OPERATIONAL
        await printer.start("x.gcode")
        expected = ["PrinterConnecting", "PrinterConnected"]
        expected += ["PrintStarted", "PrintDone"] * (number + 1)
        await eventually(lambda: printer_events(workshop.data) == expected)
        await eventually(lambda: not printer.is_active)
    record = without_added(record_of(workshop.data))
    assert record == commands_of(source) * (number + 1)


@contextlib.contextmanager
def _full(host: Host) -> Iterator[None]:
    """No page more for the journal."""
    database = host.journal._database
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count = {pages}")
    try:
        yield
    finally:
        database.execute("PRAGMA max_page_count = 1073741823")


async def test_the_sockets_lie_in_a_short_private_directory(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(workshop.runtime))
    deep = workshop.known(workshop.folder / ("d" * 120) / ("e" * 120))
    deep.mkdir(parents=True)
    (deep / "config.yaml").write_text(FAST)
    async with running(deep) as host:
        printer = host.printers["default"]
        await printer.connect("VIRTUAL")
        await eventually(lambda: printer.is_operational)
        record = read_record(deep / "printers" / "default")
        assert record is not None
        assert len(os.fsencode(record.socket)) < 108
        folder = Path(record.socket).parent
        assert folder == runtime_directory(deep)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not Path(record.socket).exists()


def test_a_runtime_directory_that_others_could_read_is_closed_to_them(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(workshop.runtime))
    folder = runtime_directory(workshop.data)
    folder.chmod(0o755)
    assert stat.S_IMODE(runtime_directory(workshop.data).stat().st_mode) == 0o700


# A print outlives its host


def test_a_killed_hosts_print_goes_on_and_the_next_host_shows_it(workshop: Workshop) -> None:
    workshop.settings(SECONDS)
    source = slow_file(workshop)
    first = workshop.host()
    first.connect()
    first.print(source.name)
    state = first.wait_for(lambda s: s["job"] and s["job"]["line"] > 5, "the first lines")
    pid, job = link_pid(first), state["job"]["id"]
    first.kill()
    before = len(record_of(workshop.data))
    wait_until(lambda: len(record_of(workshop.data)) > before + 3, what="more lines, unwatched")

    second = workshop.host()
    state = second.wait_for(lambda s: s["job"] is not None, "the same print")
    assert (state["job"]["id"], state["link_pid"]) == (job, pid)
    assert state["job"]["state"] == "printing"
    assert state["connection"]["text"] == "Printing"
    assert state["job"]["line"] > 5
    answer = second.get("/api/job")
    assert answer["state"] == "Printing"
    assert answer["job"]["file"]["name"] == source.name
    assert 0 < answer["progress"]["completion"] < 100
    second.wait_for(lambda s: outcome(s) == "done", "its end")
    assert without_added(record_of(workshop.data)) == commands_of(source)
    entry = wait_until(
        lambda: second.get(f"/api/files/local/{source.name}").get("prints"), what="the history"
    )
    assert (entry["success"], entry["failure"]) == (1, 0)
    assert second.stop() == 0
    assert printer_events(workshop.data) == [
        "PrinterConnecting",
        "PrinterConnected",
        "PrintStarted",
        "PrintDone",
        "PrinterDisconnected",
    ]


def test_hosts_killed_again_and_again_do_not_harm_a_print(workshop: Workshop) -> None:
    workshop.settings(SECONDS)
    source = slow_file(workshop)
    host = workshop.host()
    host.connect()
    host.print(source.name)
    for line in (4, 20, 40):
        _wait_for_line(host, line)
        host.kill()
        host = workshop.host()
    host.wait_for(lambda s: outcome(s) == "done", "the end")
    assert without_added(record_of(workshop.data)) == commands_of(source)
    events = printer_events(workshop.data)
    assert events.count("PrintStarted") == events.count("PrintDone") == 1
    assert "PrintFailed" not in events


def test_a_host_that_is_stopped_in_mid_print_says_that_the_print_goes_on(
    workshop: Workshop,
) -> None:
    first, source = printing(workshop, line=3)
    pid = link_pid(first)
    assert first.stop() == 0
    assert "printer default goes on printing without this host" in first.errors
    assert alive(pid)
    assert [path.suffix for path in workshop.runtime.glob("bedplate-*/*")] == [".sock"]
    second = workshop.host()
    second.wait_for(lambda s: outcome(s) == "done", "its end")
    assert link_pid(second) == pid
    assert without_added(record_of(workshop.data)) == commands_of(source)
    assert printer_events(workshop.data).count("PrintDone") == 1


def test_a_print_that_ended_without_a_host_is_in_the_next_ones_history(
    workshop: Workshop,
) -> None:
    first, _ = printing(workshop, line=1, steps=15)
    first.kill()
    wait_until(lambda: record_of(workshop.data)[-1:] == ["M400"], 60, "the end, unwatched")
    second = workshop.host()
    state = second.wait_for(lambda s: outcome(s) == "done", "the outcome")
    assert state["job"]["completion"] == 100
    assert printer_events(workshop.data)[-1] == "PrintDone"


def test_a_host_that_is_stopped_while_idle_leaves_no_process(workshop: Workshop) -> None:
    workshop.settings(FAST)
    host = workshop.host()
    host.connect()
    pid = link_pid(host)
    board = _process_of(workshop.data / "plugin-data" / "virtual_printer" / "record.txt")
    assert host.stop() == 0
    wait_until(lambda: not alive(pid), what="the end of the link")
    wait_until(lambda: not alive(board), what="the end of the virtual printer")
    assert not (workshop.data / "printers" / "default" / "link.json").exists()
    assert not list((workshop.data / "printers" / "default").glob("events.*"))


def test_the_folder_for_sockets_goes_with_the_last_link(workshop: Workshop) -> None:
    workshop.settings(FAST)
    first = workshop.host()
    first.connect()
    (folder,) = workshop.runtime.glob("bedplate-*")
    first.kill()
    second = workshop.host()
    second.wait_for(lambda state: state["link_pid"], "the link of the killed host")
    assert [path.suffix for path in folder.iterdir()] == [".sock"]
    assert second.stop() == 0
    assert list(workshop.runtime.iterdir()) == []


def _process_of(record: Path) -> int:
    """The virtual printer that writes this record."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and str(record).encode() in (entry / "cmdline").read_bytes():
                return int(entry.name)
    raise AssertionError("no virtual printer")


def test_a_host_that_hangs_does_not_hold_up_the_print(workshop: Workshop) -> None:
    host, source = printing(workshop, line=1, steps=30)
    host.process.send_signal(signal.SIGSTOP)
    try:
        wait_until(lambda: record_of(workshop.data)[-1:] == ["M400"], 60, "the end, unwatched")
    finally:
        host.process.send_signal(signal.SIGCONT)
    host.wait_for(lambda s: outcome(s) == "done", "the outcome")
    assert without_added(record_of(workshop.data)) == commands_of(source)
    assert printer_events(workshop.data)[-2:] == ["PrintStarted", "PrintDone"]


# A link that dies


def test_a_killed_link_is_noticed_at_once_and_nothing_goes_on_by_itself(
    workshop: Workshop,
) -> None:
    host, source = printing(workshop, line=3, steps=25)
    os.kill(link_pid(host), signal.SIGKILL)
    state = host.wait_for(lambda s: s["connection"]["state"] == "error", "the loss", timeout=2)
    assert state["link_pid"] is None
    assert state["connection"]["problem"]["code"] == "link_lost"
    assert state["job"]["outcome"] == "failed"
    assert state["job"]["state"] == "idle"
    wait_until(lambda: printer_events(workshop.data)[-2:] == ["LinkLost", "PrintFailed"])
    assert host.request("POST", "/api/job", {"command": "pause", "action": "resume"})[0] == 409

    state = host.connect()
    assert state["job"]["outcome"] == "failed"  # people still see how the last print ended
    assert without_added(record_of(workshop.data)) == []  # a new board, and nothing was sent
    host.print(source.name)
    host.wait_for(lambda s: outcome(s) == "done", "another print")
    host.stop()
    assert outcome(workshop.host().state()) == "done"
    events = printer_events(workshop.data)
    assert events.count("PrintFailed") == events.count("LinkLost") == 1


def test_a_failure_that_was_told_is_not_told_again_by_the_next_host(workshop: Workshop) -> None:
    workshop.settings(SECONDS)
    source = slow_file(workshop)
    host = workshop.host()
    host.connect()
    host.print(source.name)
    wait_until((workshop.data / "printers" / "default" / "checkpoint.json").exists)
    os.kill(link_pid(host), signal.SIGKILL)
    wait_until(lambda: "PrintFailed" in printer_events(workshop.data))
    host.stop()
    again = workshop.host()
    again.wait_for(lambda s: s["connection"]["state"] == "closed", "the start")
    again.stop()
    assert printer_events(workshop.data).count("PrintFailed") == 1


def test_after_a_power_cut_the_interrupted_print_is_told_once(workshop: Workshop) -> None:
    workshop.settings(SECONDS)
    source = slow_file(workshop)
    first = workshop.host()
    first.connect()
    first.print(source.name)
    checkpoint = workshop.data / "printers" / "default" / "checkpoint.json"
    wait_until(checkpoint.exists, what="a checkpoint")
    pid = link_pid(first)
    first.kill()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not alive(pid))

    second = workshop.host()
    state = second.wait_for(lambda s: s["job"] is not None, "what is known of the print")
    assert state["job"]["outcome"] == "failed"
    assert state["job"]["problem"]["code"] == "interrupted"
    assert state["connection"]["state"] == "closed"
    wait_until(lambda: "PrintFailed" in printer_events(workshop.data))
    entry = wait_until(
        lambda: second.get(f"/api/files/local/{source.name}").get("prints"), what="the history"
    )
    assert (entry["success"], entry["failure"]) == (0, 1)
    second.stop()
    third = workshop.host()
    third.connect()
    third.stop()
    assert printer_events(workshop.data).count("PrintFailed") == 1


def test_a_printing_link_of_another_version_is_left_alone(workshop: Workshop) -> None:
    """It can't be taken over; its job must neither be reported as failed nor disturbed."""
    printer = workshop.printer(speed=40)
    directory = workshop.data / "printers" / "default"
    directory.mkdir(parents=True)
    link = workshop.link_in(directory)
    client = link.attach()
    client.connect(printer.path)
    client.print(slow_file(workshop))
    client.close()
    record = read_record(directory)
    assert record is not None
    # A host that can't reach the socket stands for one that is refused at it.
    moved = Path(record.socket).rename(record.socket + ".moved")
    host = workshop.host()
    state = host.wait_for(lambda s: s["connection"]["problem"], "word of it")
    assert state["connection"]["problem"]["code"] == "link_unreachable"
    assert (
        host.request("POST", "/api/connection", {"command": "connect", "port": printer.path})[0]
        >= 400
    )
    assert host.stop() == 0
    assert printer_events(workshop.data) == []
    moved.rename(record.socket)
    assert read_record(directory) == record
    client = link.attach()
    client.wait_for_end()
    assert client.job.outcome is Outcome.DONE
    assert client.job.state is JobState.IDLE


# Starting


def test_the_first_line_says_where_it_listens(workshop: Workshop) -> None:
    host = workshop.host()
    assert host.first_line.startswith(f"Bedplate {__version__} listening on http://127.0.0.1:")
    assert host.first_line.endswith("/\n")
    assert "api" in host.get("/api/version")


def test_a_second_host_ends_with_status_3_and_a_sentence(workshop: Workshop) -> None:
    first = workshop.host()
    second = workshop.start_host()
    assert second.process.wait(30) == 3
    assert "Another Bedplate runs on" in second.errors
    assert "Traceback" not in second.errors
    assert second.stdout.read() == ""
    assert first.get("/api/version")
    first.kill()
    assert workshop.host().get("/api/version")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("server:\n  prot: 1\n", ["server.prot", "server.port", "line 2"]),
        ("server:\n  port: many\n", ["server.port", "line 2"]),
        ("name: [\n", ["line"]),
        ("- 1\n", ["config.yaml"]),
        ("printers:\n  'A B': {}\n", ["A B"]),
        ("\x00", ["config.yaml"]),
    ],
)
def test_wrong_settings_end_it_with_status_2_and_the_place(
    workshop: Workshop, text: str, words: list[str]
) -> None:
    workshop.settings(text)
    host = workshop.start_host()
    assert host.process.wait(30) == 2
    assert "Traceback" not in host.errors
    for word in words:
        assert word in host.errors
    assert (workshop.data / "config.yaml").read_text() == text


def test_a_port_in_use_ends_it_with_status_2_and_a_sentence(workshop: Workshop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        host = workshop.start_host("--port", str(taken.getsockname()[1]))
        assert host.process.wait(30) == 2
    assert "The server can't start" in host.errors
    assert "Traceback" not in host.errors


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1"])
def test_without_protection_only_loopback_is_served(workshop: Workshop, address: str) -> None:
    host = workshop.start_host("--address", address)
    assert host.process.wait(30) == 2
    assert "only loopback is served" in host.errors
    assert "Traceback" not in host.errors


def test_with_the_settings_consent_other_addresses_are_served(workshop: Workshop) -> None:
    workshop.settings("server:\n  allow_unprotected: true\n")
    host = workshop.start_host("--address", "0.0.0.0").wait_until_serving()
    assert host.first_line.split()[-1].startswith("http://0.0.0.0:")


def test_the_demo_connects_and_brings_files(workshop: Workshop) -> None:
    host = workshop.host("--demo")
    host.wait_for(lambda s: s["connection"]["state"] == "operational", "the virtual printer")
    files = {entry["name"] for entry in host.get("/api/files")["files"]}
    assert {path.name for path in SAMPLES.glob("*.gcode")} <= files
    assert host.stop() == 0


def test_a_printer_that_shall_connect_by_itself(workshop: Workshop) -> None:
    workshop.settings(FAST + "printers:\n  default:\n    port: VIRTUAL\n    autoconnect: true\n")
    host = workshop.host()
    host.wait_for(lambda s: s["connection"]["state"] == "operational", "the connection")


def test_two_printers_have_each_their_own_link(workshop: Workshop) -> None:
    workshop.settings(
        "plugins: {virtual_printer: {speed: 0}}\n"
        "printers:\n  default: {}\n  second: {name: The other one}\n"
    )
    host = workshop.host()
    for place in ("/api", "/printers/second/api"):
        host.post(f"{place}/connection", {"command": "connect", "port": "VIRTUAL"})
    pids = {host.get(f"{place}/state")["link_pid"] for place in ("/api", "/printers/second/api")}
    assert len(pids) == 2
    for pid in pids:
        assert alive(pid)
    assert host.stop() == 0
    wait_until(lambda: not any(map(alive, pids)), what="the end of both")
