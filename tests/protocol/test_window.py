"""What is in flight, what can be sent again, and which comes next."""

from __future__ import annotations

import pytest

from bedplate.protocol.window import HISTORY, Kind, Sent, Window


def filled(size: int, lines: int) -> Window:
    window = Window(size)
    for index in range(lines):
        window.send(b"G1 X%d" % index, Kind.JOB, index)
    return window


def numbers(lines: list[Sent]) -> list[int]:
    return [line.number for line in lines]


def test_lines_are_numbered_and_leave_in_order() -> None:
    window = filled(3, 3)
    assert not window.has_room
    first = window.acknowledge()
    assert first is not None
    assert (first.number, first.command, first.tag, first.kind) == (1, b"G1 X0", 0, Kind.JOB)
    assert first.wire == b"N1 G1 X0*97\n"
    assert window.has_room
    assert numbers(list(window.in_flight)) == [2, 3]
    assert window.next_number == 4


def test_an_empty_window_has_nothing_to_acknowledge() -> None:
    assert Window().acknowledge() is None


def test_acknowledging_one_line_takes_those_before_it_along() -> None:
    window = filled(4, 4)
    third = window.find(3)
    assert third is not None
    assert numbers(list(window.acknowledge_through(third))) == [1, 2, 3]
    assert numbers(list(window.in_flight)) == [4]


def test_lines_can_be_found_as_long_as_they_are_kept() -> None:
    window = filled(HISTORY + 10, HISTORY + 5)
    assert window.find(5) is None
    oldest = window.find(6)
    assert oldest is not None
    assert oldest.command == b"G1 X5"
    assert window.find(HISTORY + 5) is not None
    assert window.find(HISTORY + 6) is None
    assert window.find(-1) is None


def test_a_restart_forgets_everything() -> None:
    window = filled(4, 4)
    window.rewind(2)
    window.restart()
    assert window.next_number == 1
    assert not window.in_flight
    assert not window.is_rewound
    assert window.find(1) is None


def test_a_prepared_line_is_used_only_if_it_is_the_next_one() -> None:
    window = filled(4, 1)
    command = b"G1 X7"
    window.prepare(command)
    assert window.send(command, Kind.JOB).wire == b"N2 G1 X7*101\n"
    window.prepare(command)
    assert window.send(b"G1 X8", Kind.JOB).command == b"G1 X8"
    assert window.send(command, Kind.JOB).wire.startswith(b"N4 G1 X7*")


def test_a_rewound_window_sends_again_from_there() -> None:
    window = filled(4, 4)
    assert window.rewind(2) == []
    assert window.is_rewound
    assert numbers(list(window.in_flight)) == [1]
    assert [window.send_again().number for _ in range(3)] == [2, 3, 4]
    assert not window.is_rewound
    assert numbers(list(window.in_flight)) == [1, 2, 3, 4]
    with pytest.raises(ValueError, match="again"):
        window.send_again()


def test_a_request_for_a_later_line_settles_those_before_it() -> None:
    window = filled(4, 4)
    window.rewind(2)
    assert numbers(window.rewind(4)) == [1, 2, 3]
    assert not window.in_flight
    assert window.send_again().number == 4
    assert not window.is_rewound


def test_sending_again_keeps_to_the_window() -> None:
    window = filled(2, 2)
    window.send(b"M105", Kind.PROBE)
    window.rewind(1)
    for _ in range(2):
        assert window.may_send_again
        window.send_again()
    assert not window.may_send_again
    window.acknowledge()
    assert window.may_send_again
    assert window.send_again().kind is Kind.PROBE
    assert not window.may_send_again


@pytest.mark.parametrize(
    ("command", "long", "asks"),
    [
        (b"G28", True, False),
        (b"g28 X", True, False),
        (b"M109 S200", True, False),
        (b"M600", True, False),
        (b"G1 X1", False, False),
        (b"G280", False, False),
        (b"M105", False, True),
        (b"M105 T1", False, True),
    ],
)
def test_what_a_line_is(command: bytes, long: bool, asks: bool) -> None:
    line = Sent(1, command, b"", Kind.JOB, None)
    assert line.takes_long is long
    assert line.asks_temperature is asks
    assert command.decode() not in repr(line) or "job" in repr(line)
