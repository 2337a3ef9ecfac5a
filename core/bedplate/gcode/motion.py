"""How long moves take: the modal state of a printer and a simple planner.

The planner is that of the common firmwares with two simplifications that suit an estimate. Each
move is a trapezoid of speed: it speeds up with the acceleration in force, runs at its feed rate and
slows down. At a corner the speed may jump by at most the jerk on X and on Y (Marlin's classic
jerk), which gives the speed through the corner. Firmwares then look back over a queue of moves, so
that a fast move never has to stop shorter than it can; here a move that is too short to slow down
in is counted at its mean speed, without looking back. Moves that change Z, and moves of the
extruder alone, begin and end at a near stop.

Not counted: heating, homing, levelling, tool changes, firmware retraction (G10, G11), M220. Arcs
are in the XY plane and are counted at their real length.

Positions are those of the machine in mm, whatever G92 and G20 say; times are seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from math import hypot, sqrt

from bedplate.gcode.arcs import by_centre, by_radius
from bedplate.gcode.extent import Extent
from bedplate.gcode.limits import Limits, Words

INCH = 25.4
_MIN_FEED = 0.1
"""Slowest feed rate in mm/s: slower ones are a mistake and would make the estimate absurd."""
_MAX_TOOL = 31
"""Higher tool numbers are special functions (`T255`, `T1000` of Bambu printers)."""


class Motion:
    """A printer that follows moves: where it is, how long it took, what it extruded.

    `plain` is true while coordinates are absolute, in mm and without offset: then callers may pass
    the numbers of a line straight to `line`.
    """

    __slots__ = (
        "_accel",
        "_entry",
        "_flat_feed",
        "_jerk",
        "_length",
        "_offset_x",
        "_offset_y",
        "_offset_z",
        "_print_accel",
        "_relative",
        "_scale",
        "_speed",
        "_travel_accel",
        "_ux",
        "_uy",
        "_was_printing",
        "e",
        "e_modal_relative",
        "e_relative",
        "feed",
        "high",
        "limits",
        "net",
        "plain",
        "printed",
        "time",
        "tool",
        "travelled",
        "used",
        "x",
        "y",
        "z",
    )

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.x = self.y = self.z = self.e = 0.0
        self.feed = 25.0
        self.time = 0.0
        self.tool = 0
        self.net = self.high = 0.0
        self.used: dict[int, tuple[float, float]] = {}
        self.printed = Extent()
        self.travelled = Extent()
        self.plain = True
        self.e_relative = self.e_modal_relative = False
        self._relative = False
        self._scale = 1.0
        self._offset_x = self._offset_y = self._offset_z = 0.0
        self._was_printing = False
        # the move that waits for the speed at its end: length, speed, acceleration, starting speed
        self._length = self._speed = self._entry = 0.0
        self._accel = 1.0
        self._ux = self._uy = 0.0
        self._apply_limits()

    # -- moves

    def line(self, x: float, y: float, z: float, de: float) -> bool:
        """Go straight to a place (machine, mm), extruding `de` mm; true where that prints.

        Printing is extruding while moving in XY. This runs once for nearly every line of a file,
        which is why its inner steps are written out.
        """
        dx = x - self.x
        dy = y - self.y
        if de:
            net = self.net = self.net + de
            if net > self.high:
                self.high = net
        if z != self.z:
            return self._climb(dx, dy, z, de)
        length = sqrt(dx * dx + dy * dy)
        if not length:
            if de:
                self._extrude_only(de)
            return False
        ux = dx / length
        uy = dy / length
        feed = self._flat_feed
        # the corner: the largest jump of speed on an axis, at the slower of the two feed rates
        jump = abs(ux - self._ux)
        jump_y = abs(uy - self._uy)
        if jump_y > jump:
            jump = jump_y
        corner = self._speed
        if feed < corner:
            corner = feed
        if jump * corner > self._jerk:
            corner = self._jerk / jump
        if self._length:
            corner = self._finish(corner)
        else:
            corner = feed if feed < self._jerk else self._jerk
        self._length = length
        self._speed = feed
        self._entry = corner
        self._ux = ux
        self._uy = uy
        if de > 0:
            self._accel = self._print_accel
            if not self._was_printing:
                self._was_printing = True
                self.printed.add(self.x, self.y, z)
            self.x = x
            self.y = y
            box = self.printed
            if x < box.min_x:
                box.min_x = x
            elif x > box.max_x:
                box.max_x = x
            if y < box.min_y:
                box.min_y = y
            elif y > box.max_y:
                box.max_y = y
            return True
        self._accel = self._travel_accel
        self._was_printing = False
        self.x = x
        self.y = y
        self.travelled.add(x, y, z)
        return False

    def _climb(self, dx: float, dy: float, z: float, de: float) -> bool:
        """A move that changes Z, from and to a near stop."""
        limits = self.limits
        self.stop()
        dz = abs(z - self.z)
        flat = hypot(dx, dy)
        length = hypot(flat, dz)
        feed = min(self.feed, limits.max_feed_z * length / dz)
        accel = min(self._travel_accel, limits.max_acceleration_z * length / dz)
        edge = limits.jerk_z
        if flat:
            feed = min(feed, limits.max_feed_xy)
            edge = min(limits.jerk_xy, limits.jerk_z * length / dz)
        printing = de > 0 and flat > 0
        if printing and not self._was_printing:
            self.printed.add(self.x, self.y, self.z)
        self._was_printing = printing
        self.x += dx
        self.y += dy
        self.z = z
        (self.printed if printing else self.travelled).add(self.x, self.y, z)
        self._alone(length, feed, accel, edge)
        return printing

    def _extrude_only(self, de: float) -> None:
        """A retraction, or pushing filament in place."""
        limits = self.limits
        self.stop()
        self._was_printing = False
        accel = min(limits.retract_acceleration, limits.max_acceleration_e)
        self._alone(abs(de), min(self.feed, limits.max_feed_e), accel, limits.jerk_e)

    def _alone(self, length: float, feed: float, accel: float, edge: float) -> None:
        self.time += _trapezoid(length, feed, accel, min(edge, feed), min(edge, feed))

    def _finish(self, exit_speed: float) -> float:
        """Count the waiting move with this speed at its end; returns the one it reaches."""
        length = self._length
        speed = self._speed
        accel = self._accel
        entry = self._entry
        entry2 = entry * entry
        exit2 = exit_speed * exit_speed
        run = accel * length
        if exit2 > entry2 + 2 * run:
            exit2 = entry2 + 2 * run
            exit_speed = sqrt(exit2)
        peak2 = run + (entry2 + exit2) / 2
        if peak2 >= speed * speed:
            slower = speed - entry
            slower_out = speed - exit_speed
            self.time += length / speed + (slower * slower + slower_out * slower_out) / (
                2 * speed * accel
            )
        elif peak2 <= entry2:  # too short to slow down in
            self.time += 2 * length / (entry + exit_speed)
        else:
            self.time += (2 * sqrt(peak2) - entry - exit_speed) / accel
        return exit_speed

    def stop(self) -> None:
        """Let the waiting move end at a near stop."""
        if self._length:
            self._finish(min(self._speed, self.limits.jerk_xy))
            self._length = 0.0

    def dwell(self, seconds: float) -> None:
        """Stand still (G4)."""
        self.stop()
        self.time += max(0.0, seconds)

    # -- commands

    def move(self, words: Words) -> bool:
        """G0 or G1 in any mode and unit; true where it prints."""
        self.set_feed(words.get("F"))
        x, y, z = self._target(words)
        return self.line(x, y, z, self._extrusion(words.get("E")))

    def arc(self, words: Words, clockwise: bool) -> bool:
        """G2 or G3 in the XY plane, by centre (I, J) or radius (R); true where it prints.

        It is followed in chords, which keeps directions and box right, at the length of the arc.
        One without a usable centre counts as a straight line.
        """
        x, y, z = self._target(words)
        start, end = (self.x, self.y), (x, y)
        i, j, radius = words.get("I"), words.get("J"), words.get("R")
        scale = self._scale
        if i is not None or j is not None:
            arc = by_centre(start, end, (i or 0.0) * scale, (j or 0.0) * scale, clockwise)
        else:
            arc = by_radius(start, end, (radius or 0.0) * scale, clockwise)
        if arc is None:
            return self.move(words)
        self.set_feed(words.get("F"))
        de = self._extrusion(words.get("E")) / arc.pieces
        dz = (z - self.z) / arc.pieces
        length = arc.length / arc.pieces
        printing = False
        for px, py in arc.inner_points():
            printing |= self._chord(px, py, self.z + dz, de, length)
        return self._chord(x, y, z, de, length) or printing

    def _chord(self, x: float, y: float, z: float, de: float, length: float) -> bool:
        printing = self.line(x, y, z, de)
        if self._length:
            self._length = length
        return printing

    def home(self, words: Words) -> None:
        """G28: the named axes, or all, are at 0."""
        self.stop()
        axes = {"X", "Y", "Z"} & words.keys() or {"X", "Y", "Z"}
        if "X" in axes:
            self.x = self._offset_x = 0.0
        if "Y" in axes:
            self.y = self._offset_y = 0.0
        if "Z" in axes:
            self.z = self._offset_z = 0.0
        self._was_printing = False
        self._refresh_plain()

    def set_position(self, words: Words) -> None:
        """G92: the present place is called so from now on; the machine does not move."""
        everything = not words.keys() & {"X", "Y", "Z", "E"}
        scale = self._scale
        if "E" in words or everything:
            self.e = (words.get("E") or 0.0) * scale
        if "X" in words or everything:
            self._offset_x = self.x - (words.get("X") or 0.0) * scale
        if "Y" in words or everything:
            self._offset_y = self.y - (words.get("Y") or 0.0) * scale
        if "Z" in words or everything:
            self._offset_z = self.z - (words.get("Z") or 0.0) * scale
        self._refresh_plain()

    def set_relative(self, relative: bool) -> None:
        """G91, G90. G91 makes E relative as well; G90 gives it back what M82 or M83 said last.

        Marlin's G90 makes E absolute, Klipper's leaves it: files that work on both repeat M82 or
        M83.
        """
        self._relative = relative
        self.e_relative = relative or self.e_modal_relative
        self._refresh_plain()

    def set_e_relative(self, relative: bool) -> None:
        """M83, M82."""
        self.e_relative = self.e_modal_relative = relative

    def set_inches(self, inches: bool) -> None:
        """G20, G21."""
        self._scale = INCH if inches else 1.0
        self._refresh_plain()

    def set_feed(self, per_minute: float | None) -> None:
        """F of a move, in units per minute; zero and less are ignored as firmwares do."""
        if per_minute is not None and per_minute > 0:
            self.feed = max(_MIN_FEED, per_minute * self._scale / 60)
            self._flat_feed = min(self.feed, self.limits.max_feed_xy)

    def select_tool(self, number: int) -> None:
        """T: what is extruded from now on belongs to this tool."""
        if number == self.tool or not 0 <= number <= _MAX_TOOL:
            return
        self.used[self.tool] = (self.net, self.high)
        self.tool = number
        self.net, self.high = self.used.get(number, (0.0, 0.0))

    def filament(self) -> dict[int, float]:
        """Length in mm per tool that extruded: the furthest that its filament was pushed, so that
        retractions which are undone do not count."""
        used = {**self.used, self.tool: (self.net, self.high)}
        return {tool: high for tool, (_, high) in sorted(used.items()) if high > 0}

    def limit(self, change: Callable[[Limits], Limits]) -> None:
        """Replace limits, from the next move on."""
        self.limits = change(self.limits)
        self._apply_limits()

    # -- inner

    def _target(self, words: Words) -> tuple[float, float, float]:
        scale = self._scale
        x, y, z = words.get("X"), words.get("Y"), words.get("Z")
        if self._relative:
            return (
                self.x + (x or 0.0) * scale,
                self.y + (y or 0.0) * scale,
                self.z + (z or 0.0) * scale,
            )
        return (
            self.x if x is None else x * scale + self._offset_x,
            self.y if y is None else y * scale + self._offset_y,
            self.z if z is None else z * scale + self._offset_z,
        )

    def _extrusion(self, e: float | None) -> float:
        if e is None:
            return 0.0
        e *= self._scale
        if self.e_relative:
            return e
        de = e - self.e
        self.e = e
        return de

    def _refresh_plain(self) -> None:
        offset = self._offset_x or self._offset_y or self._offset_z
        self.plain = not self._relative and self._scale == 1.0 and not offset

    def _apply_limits(self) -> None:
        limits = self.limits
        self._print_accel = min(limits.print_acceleration, limits.max_acceleration_xy)
        self._travel_accel = min(limits.travel_acceleration, limits.max_acceleration_xy)
        self._flat_feed = min(self.feed, limits.max_feed_xy)
        self._jerk = limits.jerk_xy


def _trapezoid(length: float, speed: float, accel: float, entry: float, exit_speed: float) -> float:
    """Seconds for a length from one speed over another to a third."""
    peak2 = accel * length + (entry * entry + exit_speed * exit_speed) / 2
    if peak2 >= speed * speed:
        lost = (speed - entry) ** 2 + (speed - exit_speed) ** 2
        return length / speed + lost / (2 * speed * accel)
    return (2 * sqrt(peak2) - entry - exit_speed) / accel
