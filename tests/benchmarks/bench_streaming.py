"""How fast the link streams, beside the smallest loop that Python allows, in one run.

Both send the same numbered lines to the same peer, one in flight, over a pseudo-terminal; the peer
(a process of its own) answers `ok` at once and measures the turn-around: from just before it writes
an `ok` to when the next line has arrived. The machine's speed changes from minute to minute, so
only the ratios count: the two take turns, and medians are printed.

    python tests/benchmarks/bench_streaming.py [--lines 30000] [--runs 5]
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from bedplate.link import __main__ as link_main
from bedplate.messages import commands
from bedplate.messages.codec import encode, frame_decoder
from bedplate.messages.frames import LinkOptions, SnapshotFrame
from bedplate.messages.snapshot import FileRef, LinkSnapshot
from bedplate.messages.states import ConnectionState

TICKS = os.sysconf("SC_CLK_TCK")
END = b"M117 END"


class Figures(NamedTuple):
    """One run: lines a second, CPU seconds per 100,000 lines, turn-around in microseconds."""

    rate: float
    cpu: float
    p50: float
    p99: float
    rss: float
    """Resident memory in MB (10^6 bytes)."""


def peer() -> None:
    """The printer: prints its port's path, then answers; at the end prints what it measured."""
    master, slave = os.openpty()
    tty.setraw(slave)
    print(os.ttyname(slave), flush=True)
    waits: list[float] = []
    rest = b""
    count, begun, asked = 0, 0.0, 0.0
    while True:
        data = rest + os.read(master, 65536)
        now = time.perf_counter()
        *lines, rest = data.split(b"\n")
        for line in lines:
            if asked:
                waits.append(now - asked)
            count += 1
            if b"M117 BEGIN" in line:
                count, begun, waits = 0, now, []
            answer = b"ok T:20 /0 B:20 /0\n" if b"M105" in line else b"ok\n"
            if b"M115" in line:
                answer = b"FIRMWARE_NAME:Peer\n" + answer
            if END in line:
                waits.sort()
                report = {
                    "rate": count / (now - begun),
                    "p50": waits[len(waits) // 2] * 1e6,
                    "p99": waits[len(waits) * 99 // 100] * 1e6,
                }
                print(json.dumps(report), flush=True)
            asked = time.perf_counter()
            os.write(master, answer)


def bare_loop(port: str, path: Path) -> None:
    """The floor: read a line, number it, write it, wait for ok."""
    fd = os.open(port, os.O_RDWR | os.O_NOCTTY)
    texts = (raw.split(b";", 1)[0].strip() for raw in path.read_bytes().split(b"\n"))
    for number, text in enumerate(text for text in texts if text):
        line = b"N%d %s" % (number, text)
        value = 0
        for byte in line:
            value ^= byte
        os.write(fd, b"%s*%d\n" % (line, value))
        answer = b""
        while not answer.endswith(b"\n"):
            answer += os.read(fd, 4096)


@contextmanager
def running(*arguments: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process of this file, or another module, ended at the end."""
    process = subprocess.Popen([sys.executable, *arguments], text=True, **options)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def cpu_seconds(pid: int) -> float:
    """CPU time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(pid: int) -> float:
    """Resident memory in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


class LinkUnderTest:
    """A real link process, driven over its socket."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "link.sock"
        options = LinkOptions(
            printer="bench",
            directory=str(directory),
            socket=str(self.path),
            serial_log=str(directory / "serial.log"),
        )
        self.arguments = ["-m", "bedplate.link", msgspec.json.encode(options).decode()]
        self.snapshot = LinkSnapshot()
        self._decoder = frame_decoder()
        self._numbers = iter(range(1, 100))

    def attach(self) -> None:
        """Connect once the socket is there."""
        deadline = time.monotonic() + 10
        while not (self.path.parent / "link.json").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(self.path))
        self.tell(commands.Attach(protocol=1, host_pid=os.getpid(), link="", acknowledged=0))

    def tell(self, command: commands.AnyCommand) -> None:
        """Send a command; its reply is read with the rest."""
        numbered = msgspec.structs.replace(command, request=next(self._numbers))
        self._socket.sendall(encode(numbered))

    def until(self, condition: Callable[[LinkSnapshot], object]) -> None:
        """Read frames until the state fits."""
        while not condition(self.snapshot):
            for frame in self._decoder.feed(self._socket.recv(65536)):
                if isinstance(frame, SnapshotFrame):
                    self.snapshot = frame.snapshot


def measure_link(port: str, path: Path, read_report: Callable[[], dict[str, float]]) -> Figures:
    """One print through a link."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        link = LinkUnderTest(Path(folder))
        with running(*link.arguments, stderr=subprocess.DEVNULL) as process:
            link.attach()
            link.tell(commands.Connect(port=port, target=port, baudrate=115200))
            link.until(lambda snapshot: snapshot.state is ConnectionState.OPERATIONAL)
            before = cpu_seconds(process.pid)
            file = FileRef(path=path.name, origin="local", size=path.stat().st_size)
            link.tell(commands.StartJob(job="bench", file=file, source=str(path)))
            link.until(lambda snapshot: snapshot.job is not None and snapshot.job.outcome)
            report = read_report()
            used, memory = cpu_seconds(process.pid) - before, resident(process.pid)
    return _figures(report, used, memory, path)


def measure_bare(port: str, path: Path, read_report: Callable[[], dict[str, float]]) -> Figures:
    """One print through the bare loop."""
    with running(__file__, "--bare", port, str(path)) as process:
        report = read_report()
        used, memory = cpu_seconds(process.pid), resident(process.pid)
    return _figures(report, used, memory, path)


def _figures(report: dict[str, float], cpu: float, memory: float, path: Path) -> Figures:
    lines = path.read_bytes().count(b"\n")
    return Figures(report["rate"], cpu / lines * 1e5, report["p50"], report["p99"], memory)


def write_file(path: Path, lines: int) -> None:
    """Lines as a slicer writes them, about 35 bytes each."""
    with path.open("w") as file:
        file.write("M117 BEGIN\n")
        for number in range(lines):
            x, y = number % 200 + 0.125, number * 7 % 200 + 0.25
            file.write(f"G1 X{x:.3f} Y{y:.3f} E{number * 0.033:.5f}\n")
        file.write(END.decode() + "\n")


def main() -> None:
    """Run, and print the medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=30000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--bare", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        peer()
    if options.bare:
        bare_loop(options.bare[0], Path(options.bare[1]))
        return
    print(f"link: {Path(link_main.__file__).parent}")
    found: dict[str, list[Figures]] = {"bare loop": [], "link": []}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "bench.gcode"
        write_file(path, options.lines)
        for _ in range(options.runs):
            for name, measure in (("bare loop", measure_bare), ("link", measure_link)):
                with running(__file__, "--peer", stdout=subprocess.PIPE) as printer:
                    assert printer.stdout is not None
                    port = printer.stdout.readline().strip()
                    output = printer.stdout
                    figures = measure(
                        port, path, lambda output=output: json.loads(output.readline())
                    )
                found[name].append(figures)
    print(f"{'median of ' + str(options.runs):<14}" + "".join(f"{f:>12}" for f in Figures._fields))
    medians = {
        name: Figures(*(statistics.median(column) for column in zip(*runs, strict=True)))
        for name, runs in found.items()
    }
    for name, figures in medians.items():
        print(f"{name:<14}" + "".join(f"{value:>12.1f}" for value in figures))
    ratios = [a / b for a, b in zip(medians["link"], medians["bare loop"], strict=True)]
    print(f"{'link / bare':<14}" + "".join(f"{value:>12.2f}" for value in ratios))


if __name__ == "__main__":
    main()
