"""Commands about heaters and fans."""

from __future__ import annotations

import math

from .gcode_words import Command
from .machine import Handler, Machine, Steps
from .thermal import AMBIENT, Heater

_RESIDENCY = 10.0
"""Seconds that a temperature must hold before a wait ends (Marlin: TEMP_RESIDENCY_TIME)."""
_WINDOW = 1.0
"""°C off the target within which those seconds begin (Marlin: TEMP_WINDOW)."""
_HYSTERESIS = 3.0
"""°C off the target beyond which they begin anew (Marlin: TEMP_HYSTERESIS)."""
_REPORT_PERIOD = 1.0  # seconds of the machine between two reports while waiting
_LOOK_PERIOD = 0.25  # seconds of the machine between two looks at the sensor


def _set_hotend(machine: Machine, command: Command) -> None:
    target = command.number("S")
    if target is not None:
        machine.hotend.set_target(target, machine.now)


def _set_bed(machine: Machine, command: Command) -> None:
    target = command.number("S")
    if target is not None:
        _set_bed_target(machine, target)


def _heat_hotend(machine: Machine, command: Command) -> Steps | None:
    target, cooling_too = _wait_words(command)
    if target is None:
        return None
    machine.hotend.set_target(target, machine.now)
    return _wait(machine, machine.hotend, cooling_too)


def _heat_bed(machine: Machine, command: Command) -> Steps | None:
    target, cooling_too = _wait_words(command)
    if target is None:
        return None
    _set_bed_target(machine, target)
    return _wait(machine, machine.bed, cooling_too)


def _wait_words(command: Command) -> tuple[float | None, bool]:
    """Target, and whether to wait for cooling as well: S waits for heating alone, R for both."""
    heat = command.number("S")
    return (heat, False) if heat is not None else (command.number("R"), True)


def _set_bed_target(machine: Machine, target: float) -> None:
    heating = target > machine.bed.temperature(machine.now)
    machine.bed.set_target(target, machine.now)
    machine.notify("Bed Heating..." if heating else "Bed Cooling...")


def _wait(machine: Machine, heater: Heater, cooling_too: bool) -> Steps:
    """Wait for `heater`, with a report each second; M108 ends it early."""
    # An unheated body never gets below the room, whatever the target says.
    goal = max(heater.target, AMBIENT)
    if not cooling_too and heater.temperature(machine.now) > heater.target:
        return
    machine.heating_wait = True
    settled: float | None = None
    report_at = machine.now
    while machine.heating_wait:
        now = machine.now
        off = abs(heater.reading(now) - goal)
        if machine.speed == 0:
            settled = now - _RESIDENCY
        elif settled is None and off < _WINDOW:
            settled = now
        elif settled is not None and off > _HYSTERESIS:
            settled = None
        held = 0.0 if settled is None else (now - settled) * (machine.speed or 1.0)
        if now >= report_at:
            left = "?" if settled is None else str(math.ceil(max(_RESIDENCY - held, 0.0)))
            machine.say(f" {machine.temperatures()} W:{left}")
            report_at = now + machine.duration(_REPORT_PERIOD)
        if settled is not None and held >= _RESIDENCY:
            break
        yield min(report_at, now + machine.duration(_LOOK_PERIOD))
    machine.heating_wait = False


def _fan_on(machine: Machine, command: Command) -> None:
    speed = command.number("S")
    machine.fan = 255 if speed is None else int(min(max(speed, 0.0), 255.0))


def _fan_off(machine: Machine, _command: Command) -> None:
    machine.fan = 0


COMMANDS: dict[str, Handler] = {
    "M104": _set_hotend,
    "M106": _fan_on,
    "M107": _fan_off,
    "M109": _heat_hotend,
    "M140": _set_bed,
    "M190": _heat_bed,
}
