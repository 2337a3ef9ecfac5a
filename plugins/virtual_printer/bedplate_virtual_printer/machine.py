"""The state of the machine that commands act on, and what they may ask of it.

Everything here is plain state with a clock that the firmware sets before each step; nothing
knows the serial line. Times are seconds of the caller's clock; the machine's own speed (heating,
moves, pauses) is that times `speed`, and with `speed` 0 nothing takes any time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from random import Random

from .gcode_words import Command
from .planner import Planner, Point
from .thermal import BED, HOTEND, Heater

Steps = Generator[float, None, None]
"""A command that takes time: yields the time at which to look again (infinity: only when
something arrives)."""

Handler = Callable[["Machine", Command], "Steps | None"]
"""Carries out a command. None: done. Steps: to be driven until it ends."""

STEPS_PER_MM = (80.0, 80.0, 400.0)
MAX_FEED_RATE = (300.0, 300.0, 5.0, 25.0)
"""mm/s for X, Y, Z, E."""
AXES = "XYZE"


class Machine:
    """Position, modes, heaters, planner, and the lines it wants to say."""

    def __init__(self, *, speed: float, seed: int, now: float) -> None:
        self.speed = speed
        self.now = now
        # Noise of its own generator: how often a temperature is read must not move the faults.
        noise = Random(f"{seed}/noise")
        self.hotend = Heater(HOTEND, speed=speed, rng=noise, now=now)
        self.bed = Heater(BED, speed=speed, rng=noise, now=now)
        self.output = bytearray()
        self.power_up()

    def power_up(self) -> None:
        """Everything as after switching on, but for the heat that is in the metal."""
        self.planner = Planner(self.speed)
        self.position: Point = (0.0, 0.0, 0.0, 0.0)
        self.relative_xyz = False
        self.relative_e = False
        self.inches = False
        self.feed_rate = 25.0
        self.feed_percent = 100.0
        self.flow_percent = 100.0
        self.fan = 0
        self.acceleration = 3000.0
        self.max_feed_rate = list(MAX_FEED_RATE)
        self.min_extrusion_temperature = 170.0
        self.cold_extrusion_allowed = False
        self.heating_wait = False
        self.user_wait = False
        self.busy_state = "processing"
        self.keepalive_interval = 2.0
        self.temperature_interval = 0.0
        self.position_interval = 0.0
        self.temperature_due = math.inf
        self.position_due = math.inf
        self.set_line_number: int | None = None
        self.switch_heaters_off()

    def say(self, line: str, end: str = "\n") -> None:
        """Send a line to the host."""
        self.output += line.encode("latin-1", "replace") + end.encode()

    def notify(self, text: str, end: str = "\n") -> None:
        """Send a status message, as boards with host action commands do."""
        self.say(f"//action:notification {text}", end)

    def prompt(self, title: str, *buttons: str) -> None:
        """Show a prompt in the host."""
        self.say("//action:prompt_end")
        self.say(f"//action:prompt_begin {title}")
        for button in buttons:
            self.say(f"//action:prompt_button {button}")
        self.say("//action:prompt_show")

    def duration(self, seconds: float) -> float:
        """How long `seconds` of the machine last by the caller's clock."""
        return seconds / self.speed if self.speed > 0 else 0.0

    def pause(self, seconds: float) -> Steps:
        """Let `seconds` of the machine pass."""
        until = self.now + self.duration(seconds)
        while self.now < until:
            yield until

    def drain(self) -> Steps:
        """Wait for the end of all moves."""
        while self.planner.ends > self.now:
            yield self.planner.ends

    def quick_stop(self) -> None:
        """Stop where the tool is; moves that were queued are lost (M410)."""
        where = self.planner.stop(self.now)
        if where is not None:
            self.position = where

    def end_waits(self) -> None:
        """Let whatever waits for heat or for a person go on (M108)."""
        self.heating_wait = False
        self.user_wait = False

    def switch_heaters_off(self) -> None:
        """All heaters off."""
        self.hotend.set_target(0.0, self.now)
        self.bed.set_target(0.0, self.now)

    def temperatures(self) -> str:
        """Temperatures as M105 and the reports have them."""
        now, hotend, bed = self.now, self.hotend, self.bed
        return (
            f"T:{hotend.reading(now):.2f} /{hotend.target:.2f} "
            f"B:{bed.reading(now):.2f} /{bed.target:.2f} "
            f"@:{hotend.duty(now)} B@:{bed.duty(now)}"
        )

    def whereabouts(self) -> str:
        """Position as M114 and the reports have it."""
        x, y, z, e = self.position
        counts = [round(p * s) for p, s in zip((x, y, z), STEPS_PER_MM, strict=True)]
        return (
            f"X:{x:.2f} Y:{y:.2f} Z:{z:.2f} E:{e:.2f} "
            f"Count X:{counts[0]} Y:{counts[1]} Z:{counts[2]}"
        )
