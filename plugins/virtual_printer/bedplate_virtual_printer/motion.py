"""Commands that move the tool or say how moves are meant."""

from __future__ import annotations

import math

from .gcode_words import Command
from .machine import AXES, Handler, Machine, Steps
from .planner import Point

_HOMING_SPEED = (50.0, 50.0, 8.0)
"""mm/s for X, Y, Z."""
_HOMING_BUMPS = 1.2
"""Seconds that each axis needs on top, for backing off and approaching again."""
_LEVELLING_SECONDS = 20.0


def _move(machine: Machine, command: Command) -> Steps | None:
    """G0 to G3: queued when there is room, otherwise as soon as there is."""
    if machine.planner.free(machine.now) > 0:
        _plan(machine, command)
        return None
    return _move_when_room(machine, command)


def _move_when_room(machine: Machine, command: Command) -> Steps:
    while (free_at := machine.planner.slot_free_at(machine.now)) > machine.now:
        yield free_at
    _plan(machine, command)


def _plan(machine: Machine, command: Command) -> None:
    scale = 25.4 if machine.inches else 1.0
    feed = command.words.get("F")
    if feed:
        machine.feed_rate = abs(feed) * scale / 60
    start = machine.position
    target = _target(machine, command, scale)
    if command.name in ("G2", "G3"):
        length = _arc_length(command, start, target, scale)
        if length is None:
            machine.say("Error:G2/G3 bad parameters")
            return
    else:
        length = math.dist(start[:3], target[:3])
    machine.position = target
    extruded = abs(target[3] - start[3])
    if extruded and _too_cold(machine):
        machine.say("echo: cold extrusion prevented")
        extruded = 0.0
    if machine.speed == 0:
        return
    machine.planner.add(
        start,
        target,
        length=length or extruded,
        feed_rate=_cruise(machine, start, target, length or extruded),
        acceleration=machine.acceleration,
        now=machine.now,
    )


def _target(machine: Machine, command: Command, scale: float) -> Point:
    values = list(machine.position)
    words = command.words
    for index, axis in enumerate(AXES):
        value = words.get(axis)
        if value is not None:
            relative = machine.relative_e if axis == "E" else machine.relative_xyz
            values[index] = value * scale + (values[index] if relative else 0.0)
    return (values[0], values[1], values[2], values[3])


def _too_cold(machine: Machine) -> bool:
    if machine.cold_extrusion_allowed:
        return False
    return machine.hotend.temperature(machine.now) < machine.min_extrusion_temperature


def _cruise(machine: Machine, start: Point, target: Point, length: float) -> float:
    """Speed along the path, mm/s: as asked for, but no axis faster than it can go."""
    speed = max(machine.feed_rate * machine.feed_percent / 100, 0.05)
    for index, limit in enumerate(machine.max_feed_rate):
        share = abs(target[index] - start[index]) / length if length > 0 else 0.0
        if share * speed > limit:
            speed = limit / share
    return speed


def _arc_length(command: Command, start: Point, target: Point, scale: float) -> float | None:
    """Length of the path of G2 or G3 in mm, the rise of a helix included; None: no such arc."""
    chord = math.dist(start[:2], target[:2])
    radius_word = command.number("R")
    if radius_word:
        radius = abs(radius_word) * scale
        if chord == 0 or chord > 2 * radius:
            return None
        angle = 2 * math.asin(chord / (2 * radius))
        if radius_word < 0:  # a negative radius asks for the long way round
            angle = 2 * math.pi - angle
    else:
        i, j = ((command.number(letter) or 0.0) * scale for letter in "IJ")
        radius = math.hypot(i, j)
        if radius == 0:
            return None
        centre_x, centre_y = start[0] + i, start[1] + j
        begin = math.atan2(start[1] - centre_y, start[0] - centre_x)
        end = math.atan2(target[1] - centre_y, target[0] - centre_x)
        angle = (end - begin if command.name == "G3" else begin - end) % (2 * math.pi)
        if angle < 1e-9 or chord < 1e-9:  # back where it began: the whole circle
            angle = 2 * math.pi
    return math.hypot(radius * angle, target[2] - start[2])


def _dwell(machine: Machine, command: Command) -> Steps:
    yield from machine.drain()
    seconds = command.number("S")
    milliseconds = command.number("P")
    machine.notify("Sleep...")
    yield from machine.pause((seconds or 0.0) if seconds is not None else (milliseconds or 0) / 1e3)


def _home(machine: Machine, command: Command) -> Steps:
    yield from machine.drain()
    axes = [axis for axis in "XYZ" if axis in command.words] or list("XYZ")
    values = list(machine.position)
    seconds = 0.0
    for axis in axes:
        index = AXES.index(axis)
        seconds += abs(values[index]) / _HOMING_SPEED[index] + _HOMING_BUMPS
        values[index] = 0.0
    yield from machine.pause(seconds)
    machine.position = (values[0], values[1], values[2], values[3])
    machine.say(machine.whereabouts())


def _level(machine: Machine, _command: Command) -> Steps:
    """G29, G80: probing the bed; nothing but the time it takes."""
    yield from machine.drain()
    yield from machine.pause(_LEVELLING_SECONDS)
    machine.say(machine.whereabouts())


def _set_position(machine: Machine, command: Command) -> None:
    scale = 25.4 if machine.inches else 1.0
    values = list(machine.position)
    for index, axis in enumerate(AXES):
        value = command.number(axis)
        if value is not None:
            values[index] = value * scale
    machine.position = (values[0], values[1], values[2], values[3])
    machine.say(machine.whereabouts())


def _finish_moves(machine: Machine, _command: Command) -> Steps | None:
    return machine.drain() if machine.planner.ends > machine.now else None


def _set_inches(machine: Machine, _command: Command) -> None:
    machine.inches = True


def _set_millimetres(machine: Machine, _command: Command) -> None:
    machine.inches = False


def _set_absolute(machine: Machine, _command: Command) -> None:
    # G90 and G91 set the extruder's mode too; M82 and M83 come after them where it differs.
    machine.relative_xyz = machine.relative_e = False


def _set_relative(machine: Machine, _command: Command) -> None:
    machine.relative_xyz = machine.relative_e = True


def _set_extruder_absolute(machine: Machine, _command: Command) -> None:
    machine.relative_e = False


def _set_extruder_relative(machine: Machine, _command: Command) -> None:
    machine.relative_e = True


def _set_max_feed_rate(machine: Machine, command: Command) -> None:
    for index, axis in enumerate(AXES):
        value = command.number(axis)
        if value:
            machine.max_feed_rate[index] = abs(value)


def _set_acceleration(machine: Machine, command: Command) -> None:
    value = command.number("P") or command.number("S")
    if value:
        machine.acceleration = max(abs(value), 1.0)


def _feed_percentage(machine: Machine, command: Command) -> None:
    value = command.number("S")
    if value is None:
        machine.say(f"FR:{machine.feed_percent:.0f}%")
    else:
        machine.feed_percent = min(max(value, 1.0), 999.0)


def _flow_percentage(machine: Machine, command: Command) -> None:
    value = command.number("S")
    if value is None:
        machine.say(f"echo:E0 Flow: {machine.flow_percent:.0f}%")
    else:
        machine.flow_percent = value


def _cold_extrusion(machine: Machine, command: Command) -> None:
    temperature, permit = command.number("S"), command.number("P")
    if temperature is not None:
        machine.min_extrusion_temperature = temperature
        machine.cold_extrusion_allowed = temperature == 0
    elif permit is not None:
        machine.cold_extrusion_allowed = permit != 0
    else:
        state = "en" if machine.cold_extrusion_allowed else "dis"
        least = machine.min_extrusion_temperature
        machine.say(f"echo:Cold extrudes are {state}abled (min temp {least:.0f}C)")


COMMANDS: dict[str, Handler] = {
    "G0": _move,
    "G1": _move,
    "G2": _move,
    "G3": _move,
    "G4": _dwell,
    "G20": _set_inches,
    "G21": _set_millimetres,
    "G28": _home,
    "G29": _level,
    "G80": _level,
    "G90": _set_absolute,
    "G91": _set_relative,
    "G92": _set_position,
    "M18": _finish_moves,
    "M82": _set_extruder_absolute,
    "M83": _set_extruder_relative,
    "M84": _finish_moves,
    "M203": _set_max_feed_rate,
    "M204": _set_acceleration,
    "M220": _feed_percentage,
    "M221": _flow_percentage,
    "M302": _cold_extrusion,
    "M400": _finish_moves,
}
