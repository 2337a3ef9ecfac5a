"""Heating and cooling look like a printer's."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate_virtual_printer.thermal import AMBIENT, BED, HOTEND, Heater, HeaterSpec


def heater(spec: HeaterSpec = HOTEND, speed: float = 1.0) -> Heater:
    return Heater(spec, speed=speed, rng=Random(1), now=0.0)


def seconds_to(subject: Heater, target: float, *, within: float = 1.0) -> float:
    subject.set_target(target, 0.0)
    for tenths in range(100_000):
        if abs(subject.temperature(tenths / 10) - target) < within:
            return tenths / 10
    raise AssertionError("never got there")


def test_the_hotend_reaches_215_degrees_in_60_to_90_seconds() -> None:
    assert 60 < seconds_to(heater(), 215) < 90


def test_the_bed_reaches_60_degrees_in_one_to_two_minutes() -> None:
    assert 60 < seconds_to(heater(BED), 60) < 120


def test_ten_times_the_speed_takes_a_tenth_of_the_time() -> None:
    assert seconds_to(heater(speed=10), 215) == pytest.approx(
        seconds_to(heater(), 215) / 10, abs=0.2
    )


@given(target=st.floats(30, 280), spec=st.sampled_from([HOTEND, BED]))
def test_it_rises_towards_a_target_and_never_overshoots(target: float, spec: HeaterSpec) -> None:
    subject = heater(spec)
    subject.set_target(target, 0.0)
    target = subject.target
    before = AMBIENT
    for second in range(600):
        now = subject.temperature(float(second))
        assert before - 1e-6 <= now <= target + 0.01
        before = now


def test_it_cools_towards_the_room_and_no_further() -> None:
    subject = heater()
    seconds_to(subject, 200)
    start = 1000.0
    subject.set_target(0.0, start)
    temperatures = [subject.temperature(start + second) for second in range(0, 1200, 10)]
    assert temperatures == sorted(temperatures, reverse=True)
    assert temperatures[0] > 190
    assert AMBIENT <= temperatures[-1] < AMBIENT + 1


def test_power_is_full_while_far_away_and_partial_when_holding() -> None:
    subject = heater()
    subject.set_target(200, 0.0)
    assert subject.duty(10.0) == 127
    assert 20 < subject.duty(300.0) < 110
    subject.set_target(0.0, 300.0)
    assert subject.duty(301.0) == 0


def test_a_reading_has_a_little_noise_that_the_seed_repeats() -> None:
    one, two = heater(), heater()
    readings = [one.reading(float(t)) for t in range(50)]
    assert readings == [two.reading(float(t)) for t in range(50)]
    assert len({round(reading, 2) for reading in readings}) > 1
    assert all(abs(reading - AMBIENT) < 0.5 for reading in readings)


def test_speed_zero_is_there_at_once_and_exact() -> None:
    subject = heater(speed=0)
    subject.set_target(215, 0.0)
    assert subject.reading(0.0) == 215
    subject.set_target(0, 0.0)
    assert subject.reading(0.0) == AMBIENT


def test_targets_are_held_within_what_the_heater_may_do() -> None:
    subject = heater()
    subject.set_target(900, 0.0)
    assert subject.target == HOTEND.limit
    subject.set_target(-5, 0.0)
    assert subject.target == 0


def test_a_night_of_idling_costs_nothing_and_ends_settled() -> None:
    subject = heater(speed=100)
    subject.set_target(200, 0.0)
    assert subject.temperature(40_000.0) == 200
