"""Heaters: how temperature follows a target over time.

A first-order body (constant heating power, losses proportional to the excess over the room)
under a proportional controller that knows the power it takes to hold the target. Such a loop
approaches its target and never overshoots. Time is always an argument.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

AMBIENT = 21.0
"""Temperature of the room, °C."""

_STEP = 0.25  # seconds of printer time per integration step
_SETTLED_AFTER = 3600.0  # printer seconds after which any heater has long settled
_NOISE = 0.04  # standard deviation of a reading, °C


@dataclass(frozen=True, slots=True)
class HeaterSpec:
    """What a heater can do.

    rate: °C per second at full power from room temperature; decay: time constant of cooling, s;
    band: °C below the target at which power is reduced; limit: highest target accepted, °C.
    """

    rate: float
    decay: float
    band: float
    limit: float


HOTEND = HeaterSpec(rate=4.0, decay=110.0, band=10.0, limit=285.0)
"""Reaches 215 °C in about 70 s."""

BED = HeaterSpec(rate=0.55, decay=400.0, band=4.0, limit=120.0)
"""Reaches 60 °C in about 90 s."""


class Heater:
    """One heater with its sensor.

    `speed` multiplies the passing of time; 0 means that a target is reached at once and that
    the sensor has no noise.
    """

    def __init__(self, spec: HeaterSpec, *, speed: float, rng: Random, now: float) -> None:
        self.spec = spec
        self._speed = speed
        self._rng = rng
        self._time = now
        self._target = 0.0
        self._temperature = AMBIENT
        self._power = 0.0

    @property
    def target(self) -> float:
        """Target in °C; 0 is off."""
        return self._target

    def set_target(self, target: float, now: float) -> None:
        """Change the target, held between 0 and the heater's limit as Marlin does."""
        self.temperature(now)
        self._target = min(max(target, 0.0), self.spec.limit)

    def temperature(self, now: float) -> float:
        """The true temperature at `now`, °C."""
        goal = max(self._target, AMBIENT)
        if self._speed == 0:
            self._temperature = goal
            return goal
        elapsed = (now - self._time) * self._speed
        if elapsed > _SETTLED_AFTER:
            self._temperature = goal
            self._time = now
        elif elapsed >= _STEP:
            steps = int(elapsed / _STEP)
            for _ in range(steps):
                self._integrate()
            self._time += steps * _STEP / self._speed
        return self._temperature

    def reading(self, now: float) -> float:
        """What the sensor says at `now`, °C."""
        true = self.temperature(now)
        return true if self._speed == 0 else true + self._rng.gauss(0.0, _NOISE)

    def duty(self, now: float) -> int:
        """Heating power at `now` as Marlin reports it, 0 to 127."""
        if self._speed == 0:
            return 0
        self.temperature(now)
        return math.floor(self._power * 127)

    def _integrate(self) -> None:
        spec = self.spec
        if self._target > 0:
            holding = (self._target - AMBIENT) / (spec.rate * spec.decay)
            wanted = holding + (self._target - self._temperature) / spec.band
            self._power = min(max(wanted, 0.0), 1.0)
        else:
            self._power = 0.0
        slope = spec.rate * self._power - (self._temperature - AMBIENT) / spec.decay
        self._temperature += slope * _STEP
