"""Recorded conversations with real firmwares, and what each received line is expected to mean.

A recording (`transcripts/*.txt`) has a line each for what was sent and received:

      1088 > M105                      milliseconds, direction, what was on the wire
      1088 < ok T:19.37 /0.00 B:19.37 /0.00 @:0 B@:0
           # a remark of the recorder

Received text is Latin-1, a character a byte, with `\\r` and `\\x80` for what can't be shown. What
was sent in an unusual form (several lines at once, other line ends) stands in quotes, as a Python
string.

`python -m tests.protocol.recordings` writes the `*.events.txt` beside the recordings anew. Read the
difference before it is kept: these files are the expectation, and they were read line by line
against the recordings.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from bedplate.messages.snapshot import HeaterReading
from bedplate.protocol import replies
from bedplate.protocol.linebuffer import LineBuffer

FOLDER = Path(__file__).parent / "transcripts"
ENTRY = re.compile(r" *(?P<time>\d+) (?P<direction>[<>]) (?P<text>.*)", re.DOTALL)
ESCAPE = re.compile(r"\\(?:r|x([0-9a-f]{2}))")


class Entry(NamedTuple):
    """One line of a recording. `data` has the line end that was on the wire."""

    time: float
    sent: bool
    data: bytes


def names() -> list[str]:
    """Names of all recordings."""
    found = (path.name.removesuffix(".txt") for path in FOLDER.glob("*.txt"))
    return sorted(name for name in found if not name.endswith(".events"))


def read(name: str) -> list[Entry]:
    """All entries of a recording; times in seconds."""
    text = (FOLDER / f"{name}.txt").read_text("utf-8")
    return [entry for line in text.split("\n") if (entry := _entry(line)) is not None]


def _entry(line: str) -> Entry | None:
    match = ENTRY.fullmatch(line)
    if match is None:
        assert not line or line.lstrip().startswith("#"), line
        return None
    sent = match["direction"] == ">"
    data = _sent(match["text"]) if sent else _received(match["text"])
    return Entry(int(match["time"]) / 1000, sent, data)


def _sent(text: str) -> bytes:
    if text.startswith("'"):
        return str(ast.literal_eval(text)).encode("latin-1")
    return text.encode("latin-1") + b"\n"


def _received(text: str) -> bytes:
    plain = ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else "\r", text)
    return plain.encode("latin-1") + b"\n"


def received(name: str) -> bytes:
    """Every byte that was received."""
    return b"".join(entry.data for entry in read(name) if not entry.sent)


def meanings(chunks: Iterable[bytes]) -> list[tuple[replies.Reply, ...]]:
    """What the lines in these bytes mean, line by line."""
    lines = LineBuffer()
    return [replies.read_line(line) for chunk in chunks for line in lines.feed(chunk)]


# The form of the expectations


def expectation(name: str) -> str:
    """What is to stand in the recording's `.events.txt`: time and meaning of each line. Lines with
    the same meaning in a row are one, with their number and the time of the first."""
    times = [round(entry.time * 1000) for entry in read(name) if not entry.sent]
    said = [describe(line) for line in meanings([received(name)])]
    rows = zip(times, said, strict=True)
    return "".join(_rows(groupby(rows, key=lambda row: row[1])))


def _rows(groups: Iterable[tuple[str, Iterator[tuple[int, str]]]]) -> Iterator[str]:
    for text, group in groups:
        times = [time for time, _ in group]
        count = f"  ({len(times)} times)" if len(times) > 1 else ""
        yield f"{times[0]:7} {text}{count}\n"


def describe(line: tuple[replies.Reply, ...]) -> str:
    """The meaning of one line, in one line."""
    text = " + ".join(_describe(reply) for reply in line) or "(blank)"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _describe(reply: replies.Reply) -> str:
    name = type(reply).__name__
    match reply:
        case replies.Ok(with_report=True):
            return "Ok to M105"
        case replies.Ok():
            numbers = (("N", reply.number), ("P", reply.planner), ("B", reply.buffer))
            return " ".join(
                [name, *(f"{key}{value}" for key, value in numbers if value is not None)]
            )
        case replies.TemperatureReport():
            return " ".join([name, *(_heater(*item) for item in reply.heaters.items())])
        case replies.PositionReport(position=at):
            axes = (("x", at.x), ("y", at.y), ("z", at.z), ("e", at.e))
            return " ".join(
                [name, *(f"{key}={value:g}" for key, value in axes if value is not None)]
            )
        case replies.ResendRequest():
            return f"{name} {reply.number}"
        case replies.Capability():
            return f"{name} {reply.name} {'on' if reply.on else 'off'}"
        case replies.FirmwareInfo():
            return " | ".join([name, *(f"{key}={value}" for key, value in reply.fields.items())])
        case replies.Busy(what=text) | replies.UnknownCommand(command=text):
            return f"{name} {text}"
        case replies.Action():
            return f"{name} {reply.name} {reply.argument}".rstrip()
        case replies.Alarm():
            return f"{name} {reply.kind}: {reply.text}"
        case replies.LineError(text=text) | replies.ErrorReport(text=text):
            return f"{name}: {text}"
        case replies.Information(text=text):
            return f"{name}: {text}"
    return name


def _heater(name: str, reading: HeaterReading) -> str:
    target = "" if reading.target is None else f"/{reading.target:g}"
    actual = "?" if reading.actual is None else f"{reading.actual:g}"
    return f"{name}={actual}{target}"


def write_expectations() -> None:
    """Writes every `.events.txt` anew."""
    for name in names():
        (FOLDER / f"{name}.events.txt").write_text(expectation(name), "utf-8")


if __name__ == "__main__":
    write_expectations()
