"""Moves take as long as they should, and only so many may wait."""

from __future__ import annotations

import pytest

from bedplate_virtual_printer.planner import SLOTS, Planner, Point


def point(x: float, y: float = 0.0) -> Point:
    return (x, y, 0.0, 0.0)


def add(planner: Planner, start: Point, target: Point, feed_rate: float = 100.0) -> None:
    length = ((target[0] - start[0]) ** 2 + (target[1] - start[1]) ** 2) ** 0.5
    planner.add(start, target, length=length, feed_rate=feed_rate, acceleration=1000.0, now=0.0)


def test_a_move_takes_its_length_at_its_speed_and_the_time_to_get_there() -> None:
    planner = Planner(speed=1.0)
    add(planner, point(0), point(100))
    # 0.1 s to reach 100 mm/s over 5 mm, then 95 mm.
    assert planner.ends == pytest.approx(0.1 + 0.95)


def test_straight_on_is_as_fast_in_pieces_as_in_one() -> None:
    whole, pieces = Planner(speed=1.0), Planner(speed=1.0)
    add(whole, point(0), point(10))
    for x in range(10):
        add(pieces, point(x), point(x + 1))
    assert pieces.ends == pytest.approx(whole.ends, rel=0.02)


def test_a_sharp_corner_costs_time() -> None:
    straight, corner = Planner(speed=1.0), Planner(speed=1.0)
    for planner in (straight, corner):
        add(planner, point(0), point(50))
    add(straight, point(50), point(100))
    add(corner, point(50), point(50, 50))
    assert corner.ends > straight.ends + 0.05


def test_fifteen_moves_may_wait_and_a_slot_is_free_when_the_first_ends() -> None:
    planner = Planner(speed=1.0)
    for index in range(SLOTS):
        assert planner.free(0.0) == SLOTS - index
        add(planner, point(index), point(index + 1))
    assert planner.free(0.0) == 0
    free_at = planner.slot_free_at(0.0)
    assert 0 < free_at < planner.ends
    assert planner.free(free_at) == 1


def test_speed_divides_the_time_and_zero_takes_none() -> None:
    normal, fast, instant = Planner(1.0), Planner(10.0), Planner(0.0)
    for planner in (normal, fast, instant):
        add(planner, point(0), point(100))
    assert fast.ends == pytest.approx(normal.ends / 10)
    assert instant.ends < 0
    assert instant.free(0.0) == SLOTS


def test_stopping_tells_where_the_tool_is() -> None:
    planner = Planner(speed=1.0)
    add(planner, point(0), point(100))
    add(planner, point(100), point(200))
    where = planner.stop(0.5)
    assert where is not None
    assert 20 < where[0] < 80
    assert planner.free(0.5) == SLOTS
    assert planner.stop(0.6) is None
