"""The one pass over a file: every line goes to the motion, the layers, or the notes.

Nearly all lines of a sliced file are straight moves in the slicers' common form, so those are taken
apart by one regular expression over a whole block of lines; every other line is read word by word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import accumulate
from typing import Any

from bedplate.gcode.blocks import Block
from bedplate.gcode.layers import LayerTracker, Place
from bedplate.gcode.limits import LIMIT_COMMANDS, Limits, Words, replaced
from bedplate.gcode.motion import Motion
from bedplate.gcode.records import MAX_WARNINGS, LongestCommand, Warn
from bedplate.gcode.slicers import Generator, LayerMark, generator_of, recognise
from bedplate.gcode.thumbnails import ThumbnailReader
from bedplate.gcode.words import command_of, words

MAX_SENT = 95
"""Bytes of a line that Marlin takes (MAX_CMD_SIZE is 96): a longer one, counted with its line
number and checksum, is cut, fails, and is asked for again for ever."""

_NUMBER = rb"(-?\d{0,6}\.?\d{0,9})"
_LINE = re.compile(
    rb"(?:(G)[01](?: F%b)?(?: X%b)?(?: Y%b)?(?: Z%b)?(?: E%b)?(?: F%b)?[ \t]*(?:;[^\n]*)?"
    rb"|([^\n]*))\n" % ((_NUMBER,) * 6)
)
"""A line, as a straight move in the common form (PrusaSlicer's `G1 X1 Y2 E.3`, Cura's `G0 F3600 X1
Y2`) or as anything else. It matches every line, so the n-th match is the n-th line."""

_NUMBERED = len(b"N ") + len(b"*255")
_SUSPECT = MAX_SENT - _NUMBERED - len("123456789")
"""Shorter lines than this are never too long, whatever their number."""

_PLACEHOLDER = re.compile(rb"[{\[][A-Za-z_]\w*[}\]]")
_SPEED_LIMIT = re.compile(rb"(?i)(ACCEL|SQUARE_CORNER_VELOCITY)\s*=\s*(\d{1,6}(?:\.\d{1,6})?)")


class Scan:
    """Reads blocks of lines and holds what was found; see `records.Analysis` for the meanings."""

    def __init__(self, limits: Limits) -> None:
        self.motion = Motion(limits)
        self.layers = LayerTracker()
        self.thumbnails = ThumbnailReader()
        self.notes: dict[str, tuple[Any, int]] = {}
        """Field of `slicers.NOTES` -> value, and the line where it stands."""
        self.generator: tuple[str, str | None] | None = None
        self.lines = 0
        self.commands = 0
        self.understood = 0
        self.longest: LongestCommand | None = None
        self.warnings: list[Warn] = []
        self.targets: dict[str, float] = {}
        self.highest: dict[str, float] = {}
        self.first_targets: dict[str, float] | None = None
        self._warned: set[str] = set()
        self._block = Block(0, b"")
        self._offsets: list[int] | None = None
        self._commands = self._command_table()

    def feed(self, block: Block) -> None:
        """Read the next block of the file."""
        self._block = block
        self._offsets = None
        data = block.data
        if block.cut:
            self.warn(
                "cut", "This line is longer than 64 KiB; its end was not read.", self._number(0)
            )
        if b"\0" in data:
            index = data.count(b"\n", 0, data.index(b"\0"))
            self.warn(
                "zero",
                "This line has zero bytes in it: the file may be damaged.",
                self._number(index),
            )
        self._measure(data)
        text = data.replace(b"\r\n", b"\n") if b"\r" in data else data
        if not text.endswith(b"\n"):
            text += b"\n"
        rows = _LINE.findall(text)
        self._run(rows)
        self.lines += len(rows)

    def place(self, index: int) -> Place:
        """Where the line with this index in the present block stands."""
        if self._offsets is None:
            lines = self._block.data.split(b"\n")
            self._offsets = list(accumulate((len(line) + 1 for line in lines), initial=0))
        offset = self._block.offset + self._offsets[index]
        return Place(offset, self._number(index), self.motion.time)

    def warn(self, kind: str, message: str, line: int | None = None) -> None:
        """Add a warning, one of each kind, for a line of the file or for all of it."""
        if kind in self._warned or len(self.warnings) >= MAX_WARNINGS:
            return
        self._warned.add(kind)
        self.warnings.append(Warn(message=message, line=line))

    def _number(self, index: int) -> int:
        """Number, from 1, of the line with this index in the present block."""
        return self.lines + index + 1

    # -- lines

    def _run(self, rows: list[tuple[bytes, ...]]) -> None:
        """The hot loop: about 4 microseconds a line, most of them in `Motion.line`."""
        motion = self.motion
        layers = self.layers
        line = motion.line
        others = 0
        for index, (move, f_first, x, y, z, e, f_last, other) in enumerate(rows):
            if not move:
                others += 1
                if other:
                    self._other(other, index)
                continue
            if not motion.plain:
                self._slow_move(index, (x, y, z, e, f_last or f_first))
                continue
            try:
                feed = f_last or f_first
                if feed:
                    motion.set_feed(float(feed))
                de = 0.0
                if e:
                    de = float(e)
                    if not motion.e_relative:
                        de, motion.e = de - motion.e, de
                if z:
                    if not layers.climbing:
                        layers.climbed(self.place(index))
                    to_z, before = float(z), motion.z
                    prints = line(
                        float(x) if x else motion.x, float(y) if y else motion.y, to_z, de
                    )
                    spiral = to_z != before
                else:
                    prints = line(
                        float(x) if x else motion.x, float(y) if y else motion.y, motion.z, de
                    )
                    spiral = False
            except ValueError:  # a lone sign or point for a number
                continue
            if prints and layers.watching:
                self._printed(spiral)
        self.commands += len(rows) - others
        self.understood += len(rows) - others

    def _slow_move(self, index: int, numbers: tuple[bytes, ...]) -> None:
        """A move of the common form in relative mode, in inches, or after G92 of an axis."""
        try:
            found: Words = {
                axis: float(number) for axis, number in zip("XYZEF", numbers, strict=True) if number
            }
        except ValueError:
            return
        self._move(found, index)

    def _move(self, found: Words, index: int, arc: int = 0) -> None:
        motion = self.motion
        before = motion.z
        if "Z" in found and not self.layers.climbing:
            self.layers.climbed(self.place(index))
        prints = motion.arc(found, arc == 2) if arc else motion.move(found)
        if prints and self.layers.watching:
            self._printed(spiral=motion.z != before)

    def _printed(self, spiral: bool) -> None:
        if self.first_targets is None:
            self.first_targets = dict(self.targets)
        self.layers.printed(self.motion.z, spiral)

    def _other(self, line: bytes, index: int) -> None:
        text = line.strip()
        if text.startswith(b";"):
            self._comment(text[1:].strip(), index)
            return
        command = command_of(line)
        if not command:
            return
        self.commands += 1
        placeholder = _PLACEHOLDER.search(command)
        if placeholder is not None:
            name = placeholder[0].decode("utf-8", "replace")
            self.warn(
                "placeholder",
                f"The slicer left a placeholder unfilled in this line: {name}",
                self._number(index),
            )
        found = words(command)
        if not found:
            self._macro(command)
            return
        self.understood += 1
        code, number = found[0]
        if number is None:
            return
        handler = self._commands.get((code, number)) or self._commands.get((code, None))
        if handler is not None:
            rest = {word.letter: word.value for word in found[1:]}
            handler(number, rest, index)

    def _measure(self, data: bytes) -> None:
        """Find the longest command, and commands that are too long to send."""
        lines = data.split(b"\n")
        best = self.longest.length if self.longest else 0
        floor = min(best, _SUSPECT)
        if max(map(len, lines)) <= floor:
            return
        for index, line in enumerate(lines):
            if len(line) <= floor or line.startswith(b";"):
                continue
            length = len(command_of(line))
            if length > best:
                best = length
                self.longest = LongestCommand(length=length, line=self._number(index))
            if length + _NUMBERED + len(str(self._number(index))) > MAX_SENT:
                self.warn(
                    "long",
                    f"This command has {length} bytes; with its line number and checksum it is "
                    f"longer than the {MAX_SENT} bytes that many printers take.",
                    self._number(index),
                )

    # -- comments

    def _comment(self, text: bytes, index: int) -> None:
        if self.thumbnails.feed(text):
            return
        found = recognise(text.decode("utf-8", "replace"))
        if found is None:
            return
        row, groups = found
        if isinstance(row, Generator):
            if self.generator is None:
                self.generator = generator_of(row, groups)
        elif isinstance(row, LayerMark):
            self.layers.marked(row.kind, self.place(index), _height(groups[0]))
        elif row.field == "z":
            heights = row.read(groups[0] or "")
            if heights:
                self.layers.height(heights[0])
        else:
            self._note(row.field, row.read(groups[0] or ""), index)

    def _note(self, field: str, value: Any, index: int) -> None:
        if field == "length_more":
            so_far = self.notes.get("length", ([], 0))[0]
            if len(so_far) < 32:
                self.notes["length"] = ([*so_far, *value], self._number(index))
        elif value is not None and value != [] and field not in self.notes:
            self.notes[field] = (value, self._number(index))

    # -- commands

    def _command_table(self) -> dict[tuple[str, float | None], Callable[[float, Words, int], None]]:
        """What the analysis follows; every other command takes no time and changes nothing here."""
        motion = self.motion
        return {
            ("G", 0): lambda _, found, index: self._move(found, index),
            ("G", 1): lambda _, found, index: self._move(found, index),
            ("G", 2): lambda _, found, index: self._move(found, index, arc=2),
            ("G", 3): lambda _, found, index: self._move(found, index, arc=3),
            ("G", 4): lambda _, found, __: motion.dwell(_dwell(found)),
            ("G", 20): lambda *_: motion.set_inches(True),
            ("G", 21): lambda *_: motion.set_inches(False),
            ("G", 28): lambda _, found, __: motion.home(found),
            ("G", 90): lambda *_: motion.set_relative(False),
            ("G", 91): lambda *_: motion.set_relative(True),
            ("G", 92): lambda _, found, __: motion.set_position(found),
            ("M", 82): lambda *_: motion.set_e_relative(False),
            ("M", 83): lambda *_: motion.set_e_relative(True),
            ("M", 104): self._tool_target,
            ("M", 109): self._tool_target,
            ("M", 140): lambda _, found, __: self._target("bed", found),
            ("M", 190): lambda _, found, __: self._target("bed", found),
            ("M", 141): lambda _, found, __: self._target("chamber", found),
            ("M", 191): lambda _, found, __: self._target("chamber", found),
            **{("M", number): self._limits for number in LIMIT_COMMANDS},
            ("T", None): lambda number, _, __: motion.select_tool(int(number)),
        }

    def _limits(self, number: float, found: Words, _index: int) -> None:
        change = LIMIT_COMMANDS[int(number)]
        self.motion.limit(lambda limits: change(limits, found))

    def _tool_target(self, _number: float, found: Words, _index: int) -> None:
        tool = found.get("T")
        self._target(f"tool{int(tool) if tool is not None else self.motion.tool}", found)

    def _target(self, heater: str, found: Words) -> None:
        target = found.get("S")
        if target is None:
            target = found.get("R")
        if target is None or (heater not in self.targets and len(self.targets) >= 40):
            return
        self.targets[heater] = target
        if target > self.highest.get(heater, 0.0):
            self.highest[heater] = target

    def _macro(self, command: bytes) -> None:
        """Klipper's own commands; of them only the limits of motion matter here."""
        if not command.upper().startswith(b"SET_VELOCITY_LIMIT"):
            return
        given = {name.upper(): float(value) for name, value in _SPEED_LIMIT.findall(command)}
        acceleration, corner = given.get(b"ACCEL"), given.get(b"SQUARE_CORNER_VELOCITY")
        self.motion.limit(
            lambda limits: replaced(
                limits,
                print_acceleration=acceleration,
                travel_acceleration=acceleration,
                jerk_xy=corner,
            )
        )


def _dwell(found: Words) -> float:
    """Seconds of a G4: S in seconds, P in milliseconds."""
    return (found.get("S") or 0.0) + (found.get("P") or 0.0) / 1000


def _height(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
