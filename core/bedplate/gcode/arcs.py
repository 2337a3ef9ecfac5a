"""Geometry of G2 and G3 in the XY plane. Lengths in mm, angles in radians; places are relative or
absolute as each function says."""

from __future__ import annotations

from collections.abc import Iterator
from math import atan2, cos, hypot, pi, sin, sqrt
from typing import NamedTuple

_PIECE = pi / 4


class Arc(NamedTuple):
    """An arc in absolute coordinates: centre, radius, angle of its start, and signed sweep."""

    cx: float
    cy: float
    radius: float
    start: float
    sweep: float

    @property
    def pieces(self) -> int:
        """Into how many chords it is cut: one per eighth of a turn, begun ones included."""
        return max(1, round(abs(self.sweep) / _PIECE))

    @property
    def length(self) -> float:
        """Along the arc."""
        return self.radius * abs(self.sweep)

    def inner_points(self) -> Iterator[tuple[float, float]]:
        """The ends of its chords, but for the last one."""
        step = self.sweep / self.pieces
        for piece in range(1, self.pieces):
            angle = self.start + step * piece
            yield self.cx + self.radius * cos(angle), self.cy + self.radius * sin(angle)


def by_centre(
    start: tuple[float, float], end: tuple[float, float], i: float, j: float, clockwise: bool
) -> Arc | None:
    """The arc around the point `i`, `j` from its start; a full circle if it ends there."""
    radius = hypot(i, j)
    if not radius:
        return None
    cx, cy = start[0] + i, start[1] + j
    angle = atan2(-j, -i)
    sweep = (atan2(end[1] - cy, end[0] - cx) - angle) % (2 * pi)
    if end == start or sweep < 1e-9:
        sweep = 2 * pi
        return Arc(cx, cy, radius, angle, -sweep if clockwise else sweep)
    return Arc(cx, cy, radius, angle, sweep - 2 * pi if clockwise else sweep)


def by_radius(
    start: tuple[float, float], end: tuple[float, float], radius: float, clockwise: bool
) -> Arc | None:
    """The arc of this radius: the shorter one, or the longer one where the radius is negative."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    chord = hypot(dx, dy)
    if not chord or abs(radius) < chord / 2:
        return None
    rise = sqrt(radius * radius - chord * chord / 4) / chord
    if clockwise != (radius < 0):
        rise = -rise
    return by_centre(start, end, dx / 2 - dy * rise, dy / 2 + dx * rise, clockwise)
