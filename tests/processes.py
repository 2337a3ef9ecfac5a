"""Real processes for the tests: virtual printers, links, hosts; each is ended whatever happens.

Everything waits for conditions with a deadline. What a process says on standard error goes to a
file in the test's folder, so that a failure can be understood.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import msgspec
import serial
from tests.helpers import wait_until

from bedplate.messages import commands
from bedplate.messages.checkpoint import Checkpoint
from bedplate.messages.codec import decode_payload, encode, frame_decoder
from bedplate.messages.commands import AnyCommand, LineSettings, Scripts
from bedplate.messages.events import PublicEvent
from bedplate.messages.frames import (
    PROTOCOL_VERSION,
    EventFrame,
    Hello,
    LinkOptions,
    Reply,
    ReplyError,
    SnapshotFrame,
    TerminalFrame,
    TerminalLine,
)
from bedplate.messages.snapshot import FileRef, JobSnapshot, LinkSnapshot
from bedplate.messages.states import ACTIVE_JOB_STATES, ConnectionState, JobState
from bedplate.printers.supervisor import read_record

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "core"
PLUGINS = ROOT / "plugins" / "virtual_printer"
SAMPLES = CORE / "bedplate" / "samples"
PATIENCE = 30.0
"""Seconds after which a process counts as hanging. Nothing comes near it on a quiet machine."""
QUICK = LineSettings(greeting_timeout=0.3, answer_timeout=5.0)
"""The virtual printer greets a tenth of a second after its port was opened."""
ADDED = frozenset(("M105", "M155", "M114", "M400", "M110", "M27", "M115", "M108"))
"""Commands that a host may add to the file's own."""


def alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def memory(pid: int) -> int:
    """Resident memory of a process in kB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def commands_of(source: Path) -> list[str]:
    """What a file holds for the printer: an independent, plain reading of it."""
    found = []
    for line in source.read_bytes().decode("latin-1").split("\n"):
        command = line.partition(";")[0].strip()
        if command and command.split()[0] not in ADDED and not command.startswith("@"):
            found.append(command)
    return found


def without_added(record: Iterable[str]) -> list[str]:
    """A printer's record without what a host may add."""
    return [command for command in record if command.split()[0] not in ADDED]


def make_file(path: Path, lines: int, start: int = 0) -> Path:
    """A file of moves of which no two are the same, with comments, empty lines and both line
    ends."""
    moves = (
        f"G1 X{index % 200} Y{index / 1000:.3f} F6000" + ("; a comment" if index % 7 == 0 else "")
        for index in range(start, start + lines)
    )
    ends = ("\n", "\r\n", "\n\n", "\n; only a comment\n")
    path.write_text("".join(move + ends[i % 4] for i, move in enumerate(moves)), newline="")
    return path


class VirtualPrinter:
    """The virtual printer as a process, with its record. At speed 0 unless told otherwise."""

    def __init__(self, folder: Path, *arguments: str, speed: float = 0) -> None:
        self.record_file = folder / f"record-{time.monotonic_ns()}.txt"
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "bedplate_virtual_printer"),
                *("--speed", str(speed), "--record", str(self.record_file), *arguments),
            ],
            cwd=PLUGINS,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        announced = self.process.stdout.readline()
        assert announced.startswith("PTY "), announced
        self.path = announced.removeprefix("PTY ").strip()

    @property
    def record(self) -> list[str]:
        """Every command that the printer accepted, in order."""
        return self.record_file.read_text("latin-1").splitlines()

    def end(self) -> None:
        """Unplug it."""
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


class LinkClient:
    """A connection to a link's socket, as a host has one; sync, and only what a test needs."""

    def __init__(self, path: str, *, acknowledging: bool = True) -> None:
        self.acknowledging = acknowledging
        self.events: list[EventFrame] = []
        self.snapshots = 0
        self.snapshot = LinkSnapshot()
        self.terminal: list[TerminalLine] = []
        self.terminal_frames: list[TerminalFrame] = []
        self.hello: Hello | None = None
        self.closed = False
        self._replies: dict[int, Reply] = {}
        self._numbers = iter(range(1, 1_000_000))
        self._decoder = frame_decoder()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)

    def close(self) -> None:
        """Drop the connection, as a host that dies does."""
        self._socket.close()

    def read(self, timeout: float = 0.05) -> None:
        """Take what has come, or wait for it a moment."""
        self._socket.settimeout(timeout)
        try:
            data = self._socket.recv(1 << 20)
        except TimeoutError:
            return
        except OSError:
            data = b""
        if not data:
            self.closed = True
            time.sleep(0.005)
            return
        for frame in self._decoder.feed(data):
            match frame:
                case Hello():
                    self.hello = frame
                case Reply():
                    self._replies[frame.request] = frame
                case SnapshotFrame():
                    self.snapshot = frame.snapshot
                    self.snapshots += 1
                case TerminalFrame():
                    self.terminal += frame.lines
                    self.terminal_frames.append(frame)
                case EventFrame():
                    self.events.append(frame)
                    if self.acknowledging:
                        self.tell(commands.Acknowledge(seq=frame.seq))

    def until(self, condition: Callable[[], Any], what: str = "", timeout: float = PATIENCE) -> Any:
        """Read until `condition()` is true, and answer its value."""
        deadline = time.monotonic() + timeout
        while not (value := condition()):
            if time.monotonic() > deadline:
                names = [event.event for event in self.events]
                raise AssertionError(f"not within {timeout} s: {what}\n{names}\n{self.snapshot}")
            self.read()
        return value

    def listen(self, seconds: float) -> None:
        """Read for a while: to see that something does not happen."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.read()

    def tell(self, command: AnyCommand) -> None:
        """Send a command without waiting for anything."""
        with contextlib.suppress(OSError):
            self.send(encode(command))

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.settimeout(5)
        self._socket.sendall(data)

    def wait_for_closing(self) -> None:
        """Wait until the link has closed this connection."""
        self.until(lambda: self.closed, "the end of the connection")

    def ask(self, command: AnyCommand) -> ReplyError | None:
        """Send a command; the error of its reply, None where it was carried out."""
        number = next(self._numbers)
        self.tell(msgspec.structs.replace(command, request=number))
        reply: Reply = self.until(lambda: self._replies.get(number), f"reply to {command}")
        return reply.error

    def do(self, command: AnyCommand) -> None:
        """Send a command that has to be carried out."""
        error = self.ask(command)
        assert error is None, error

    def attach(self, *, link: str = "", acknowledged: int = 0) -> LinkClient:
        """Become the link's host."""
        self.do(
            commands.Attach(
                protocol=PROTOCOL_VERSION,
                host_pid=os.getpid(),
                link=link,
                acknowledged=acknowledged,
            )
        )
        return self

    # What a test asks for most

    @property
    def job(self) -> JobSnapshot:
        """The job, which there must be."""
        assert self.snapshot.job is not None
        return self.snapshot.job

    def names(self) -> list[str]:
        """Types of the events so far."""
        return [event.event for event in self.events]

    def payload(self, name: str) -> PublicEvent:
        """The last event of a type; waits for the first one."""
        self.until(lambda: name in self.names(), f"event {name}")
        frame = [event for event in self.events if event.event == name][-1]
        return decode_payload(frame.event, frame.payload)

    def connect(self, port: str, settings: LineSettings = QUICK, baudrate: int = 0) -> None:
        """Connect the printer at `port`, and wait until it takes commands."""
        self.do(commands.Connect(port=port, target=port, settings=settings, baudrate=baudrate))
        self.until(
            lambda: self.snapshot.state is ConnectionState.OPERATIONAL, f"connection to {port}"
        )

    def print(
        self,
        source: Path,
        scripts: Scripts | None = None,
        *,
        job: str = "job",
        marks: list[float] | None = None,
        layers: list[commands.LayerMark] | None = None,
    ) -> None:
        """Start a job."""
        self.do(
            commands.StartJob(
                job=job,
                file=FileRef(path=source.name, origin="local", size=source.stat().st_size),
                source=str(source),
                scripts=scripts or Scripts(),
                progress_marks=marks or [],
                layers=layers or [],
            )
        )

    def wait_for_state(self, state: JobState) -> None:
        """Wait until the job is in `state`."""
        self.until(lambda: self.snapshot.job and self.snapshot.job.state is state, f"job {state}")

    def wait_for_end(self, timeout: float = PATIENCE * 2) -> JobSnapshot:
        """Wait until the job has ended, whichever way."""
        self.until(
            lambda: self.snapshot.job and self.snapshot.job.state not in ACTIVE_JOB_STATES,
            "end of the job",
            timeout,
        )
        return self.job

    def wait_for_offset(self, offset: int) -> None:
        """Wait until the printer has acknowledged that much of the file."""
        self.until(
            lambda: self.snapshot.job and self.snapshot.job.offset >= offset, f"offset {offset}"
        )


class Link:
    """A link process and its folder. `program` takes the place of `bedplate.link`, `options` are
    those of LinkOptions."""

    def __init__(
        self,
        folder: Path,
        runtime: Path,
        *,
        program: str | None = None,
        environment: dict[str, str] | None = None,
        **options: Any,
    ) -> None:
        self.folder = folder
        self.folder.mkdir(exist_ok=True)
        self.socket = str(runtime / f"{time.monotonic_ns()}")
        self.serial_log = folder / "serial.log"
        self.log = folder / "link.log"
        self.clients: list[LinkClient] = []
        chosen = LinkOptions(
            printer="default",
            directory=str(folder),
            socket=self.socket,
            serial_log=str(self.serial_log),
            **options,
        )
        places = (CORE, *(Path(str(m.__file__)).parent.parent for m in (msgspec, serial)))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-S"),
                    *(("-m", "bedplate.link") if program is None else ("-c", program)),
                    msgspec.json.encode(chosen),
                ],
                env={
                    **os.environ,
                    **(environment or {}),
                    "PYTHONPATH": os.pathsep.join(map(str, places)),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )

    def wait_for_socket(self) -> Link:
        """Wait until it answers."""
        wait_until(self._answers, PATIENCE, f"link {self.log}")
        return self

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        record = read_record(self.folder)
        return record is not None and record.pid == self.process.pid

    def open(self, *, acknowledging: bool = True) -> LinkClient:
        """A connection that is not attached."""
        client = LinkClient(self.socket, acknowledging=acknowledging)
        self.clients.append(client)
        return client

    def attach(self, *, acknowledging: bool = True) -> LinkClient:
        """A connection that is the host."""
        return self.open(acknowledging=acknowledging).attach()

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid

    def has_checkpoint(self) -> bool:
        """Whether a job of this folder has written one."""
        return (self.folder / "checkpoint.json").exists()

    def checkpoint(self) -> Checkpoint:
        """What is on disk of the job."""
        return msgspec.json.decode((self.folder / "checkpoint.json").read_bytes(), type=Checkpoint)

    def stored_events(self) -> list[EventFrame]:
        """Events on disk, of all links of this folder."""
        decoder = frame_decoder()
        content = b"".join(path.read_bytes() for path in sorted(self.folder.glob("events.*.jsonl")))
        return [frame for frame in decoder.feed(content) if isinstance(frame, EventFrame)]

    def wait(self) -> int:
        """Wait for its end; its exit status."""
        return self.process.wait(PATIENCE)

    def end(self) -> None:
        """Be sure that it is gone."""
        for client in self.clients:
            client.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Serving:
    """`bedplate serve` as a process, and HTTP requests to it."""

    def __init__(self, data: Path, runtime: Path, *arguments: str) -> None:
        self.data = data
        self.stderr_file = data.parent / f"host-{time.monotonic_ns()}.stderr"
        with self.stderr_file.open("wb") as errors:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "bedplate", "serve", "--data", str(data)),
                    *("--port", "0", *arguments),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment(runtime),
                text=True,
            )
        self.first_line = ""
        self.url = ""

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid

    @property
    def errors(self) -> str:
        """What it has said on standard error."""
        return self.stderr_file.read_text()

    @property
    def stdout(self) -> IO[str]:
        """Its standard output."""
        assert self.process.stdout is not None
        return self.process.stdout

    def wait_until_serving(self) -> Serving:
        """Wait for the line that says where it listens."""
        self.first_line = self.stdout.readline()
        assert " listening on " in self.first_line, (self.first_line, self.errors)
        self.url = self.first_line.split()[-1].rstrip("/")
        return self

    def request(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of an answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path,
            data,
            {"Content-Type": "application/json"} if data is not None else {},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                status, text = error.code, error.read()
        return status, json.loads(text) if text else None

    def get(self, path: str) -> Any:
        """The JSON of a GET that has to succeed."""
        status, answer = self.request("GET", path)
        assert status == 200, (path, status, answer)
        return answer

    def post(self, path: str, body: Any) -> Any:
        """The JSON of a POST that has to succeed."""
        status, answer = self.request("POST", path, body)
        assert status < 300, (path, body, status, answer)
        return answer

    def state(self) -> Any:
        """Our own snapshot of the printer."""
        return self.get("/api/state")

    def wait_for(self, condition: Callable[[Any], Any], what: str, timeout: float = 60) -> Any:
        """Wait until the snapshot is as described; the snapshot."""

        def look() -> Any:
            state = self.state()
            return state if condition(state) else None

        try:
            return wait_until(look, timeout, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.state()}\n{self.errors}") from None

    def connect(self, port: str = "VIRTUAL") -> Any:
        """Connect the printer."""
        self.post("/api/connection", {"command": "connect", "port": port})
        return self.wait_for(
            lambda state: state["connection"]["state"] == "operational", "connection"
        )

    def print(self, name: str) -> None:
        """Print a file of the library."""
        self.post(f"/api/files/local/{name}", {"command": "select", "print": True})

    def kill(self) -> None:
        """As a crash does."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """In order; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def end(self) -> None:
        """Be sure that it is gone."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.stdout.close()


def environment(runtime: Path) -> dict[str, str]:
    """For commands of ours: this checkout, with sockets in a folder of the test's own."""
    search = os.pathsep.join((str(CORE), str(PLUGINS)))
    return {**os.environ, "PYTHONPATH": search, "XDG_RUNTIME_DIR": str(runtime)}


def bedplate(runtime: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `bedplate` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "bedplate", *arguments],
        env=environment(runtime),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
        check=False,
    )


class Workshop:
    """Makes processes in a folder; ends all of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Short, as the path of a socket may hold 108 bytes, and pytest's folders are deep.
        self.runtime = Path(tempfile.mkdtemp(prefix="bpt-"))
        self._cleanup = contextlib.ExitStack()
        self._data: list[Path] = []
        self.links: list[Link] = []

    def printer(self, *arguments: str, speed: float = 0) -> VirtualPrinter:
        """A virtual printer of its own."""
        printer = VirtualPrinter(self.folder, *arguments, speed=speed)
        self._cleanup.callback(printer.end)
        return printer

    def link(self, **options: Any) -> Link:
        """A link that answers."""
        return self.start_link(**options).wait_for_socket()

    def start_link(self, **options: Any) -> Link:
        """A link that may not come up."""
        return self._start_link(self.folder / "printer", **options)

    def link_in(self, folder: Path) -> Link:
        """A link that answers, of the printer that this folder belongs to."""
        return self._start_link(folder).wait_for_socket()

    def _start_link(self, folder: Path, **options: Any) -> Link:
        link = Link(folder, self.runtime, **options)
        self._cleanup.callback(link.end)
        self.links.append(link)
        return link

    def start_host(self, *arguments: str, data: Path | None = None) -> Serving:
        """A host that may not come up."""
        host = Serving(data or self.data, self.runtime, *arguments)
        self._cleanup.callback(host.end)
        return host

    def host(self, *arguments: str) -> Serving:
        """A host that answers."""
        return self.start_host(*arguments).wait_until_serving()

    @property
    def data(self) -> Path:
        """The data directory of the hosts."""
        return self.known(self.folder / "data")

    def known(self, data: Path) -> Path:
        """A data directory whose links have to be ended."""
        if data not in self._data:
            self._data.append(data)
        return data

    @property
    def uploads(self) -> Path:
        """Where the hosts look for print files."""
        uploads = self.data / "uploads"
        uploads.mkdir(parents=True, exist_ok=True)
        return uploads

    def settings(self, text: str) -> None:
        """Write the hosts' settings file."""
        self.data.mkdir(exist_ok=True)
        (self.data / "config.yaml").write_text(text)

    def bedplate(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `bedplate` to its end."""
        return bedplate(self.runtime, *arguments)

    def defer(self, end: Callable[[], Any]) -> None:
        """Something else that has to be ended."""
        self._cleanup.callback(end)

    def close(self) -> None:
        """End everything, and the links that hosts left."""
        self._cleanup.close()
        for pid in [pid for place in self._data for pid in _records(place)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.runtime, ignore_errors=True)


def _records(data: Path) -> Iterator[int]:
    for folder in data.glob("printers/*"):
        record = read_record(folder)
        if record is not None and _is_link(record.pid):
            yield record.pid


def _is_link(pid: int) -> bool:
    try:
        return b"bedplate.link" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
