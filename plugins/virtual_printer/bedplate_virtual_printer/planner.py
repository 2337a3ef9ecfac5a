"""Move planner: how long moves take, and how many may be waiting.

A queue of blocks like Marlin's, each with the moment at which it ends. Times come from distance,
feed rate and acceleration; at a corner the tool slows down the more, the sharper it is. That is
simpler than look-ahead and near enough for a host.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

SLOTS = 15
"""Moves that may wait (Marlin: BLOCK_BUFFER_SIZE 16, one of which always stays free)."""

Point = tuple[float, float, float, float]
"""X, Y, Z, E in mm."""


@dataclass(frozen=True, slots=True)
class Block:
    """One move on its way: from where to where, and when (seconds of the caller's clock)."""

    start: Point
    target: Point
    begins: float
    ends: float


class Planner:
    """Moves that were accepted and have not ended yet. With `speed` 0 no move takes any time."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._blocks: deque[Block] = deque()
        self._direction: tuple[float, float, float] = (0.0, 0.0, 0.0)
        self._exit_speed = 0.0
        self.ends = -math.inf
        """When the last queued move ends."""

    def free(self, now: float) -> int:
        """Free slots at `now`."""
        blocks = self._blocks
        while blocks and blocks[0].ends <= now:
            blocks.popleft()
        return SLOTS - len(blocks)

    def slot_free_at(self, now: float) -> float:
        """When a slot is free: `now`, or the end of the move under way."""
        return now if self.free(now) > 0 else self._blocks[0].ends

    def add(
        self,
        start: Point,
        target: Point,
        *,
        length: float,
        feed_rate: float,
        acceleration: float,
        now: float,
    ) -> None:
        """Append a move.

        length: path length in mm (an arc's is longer than the way from start to target);
        feed_rate: mm/s; acceleration: mm/s². The caller has seen to a free slot.
        """
        if self._speed == 0 or length <= 0:
            return
        idle = self.ends <= now
        direction = _direction(start, target)
        alignment = sum(a * b for a, b in zip(direction, self._direction, strict=True))
        entry = 0.0 if idle else min(self._exit_speed, feed_rate) * max(0.0, alignment)
        seconds, reached = _duration(length, entry, feed_rate, acceleration)
        if not idle and self._exit_speed > entry:
            slowing = self._exit_speed - entry
            seconds += slowing * slowing / (2 * acceleration * self._exit_speed)
        begins = now if idle else self.ends
        self.ends = begins + seconds / self._speed
        self._direction, self._exit_speed = direction, reached
        self._blocks.append(Block(start, target, begins, self.ends))

    def stop(self, now: float) -> Point | None:
        """Drop all moves; where the tool stands then, or None when it stood still anyway."""
        self.free(now)
        where = _position(self._blocks[0], now) if self._blocks else None
        self._blocks.clear()
        self.ends = -math.inf
        return where


def _duration(
    length: float, entry: float, cruise: float, acceleration: float
) -> tuple[float, float]:
    """Seconds that a move takes and the speed it reaches, accelerating from `entry`."""
    reached = min(cruise, math.sqrt(entry * entry + 2 * acceleration * length))
    ramp = (reached * reached - entry * entry) / (2 * acceleration)
    return (reached - entry) / acceleration + max(0.0, length - ramp) / reached, reached


def _direction(start: Point, target: Point) -> tuple[float, float, float]:
    x, y, z = (target[i] - start[i] for i in range(3))
    length = math.sqrt(x * x + y * y + z * z)
    return (x / length, y / length, z / length) if length > 0 else (0.0, 0.0, 0.0)


def _position(block: Block, now: float) -> Point:
    span = block.ends - block.begins
    part = min(max((now - block.begins) / span, 0.0), 1.0) if span > 0 else 1.0
    x, y, z, e = (a + (b - a) * part for a, b in zip(block.start, block.target, strict=True))
    return (x, y, z, e)
