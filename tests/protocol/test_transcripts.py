"""Every recorded conversation, line by line: what real firmwares said, and what we take it for."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from tests.protocol import recordings

from bedplate.protocol import replies

KINDS = (
    replies.Ok,
    replies.TemperatureReport,
    replies.PositionReport,
    replies.Busy,
    replies.Capability,
    replies.Action,
    replies.Wait,
    replies.Greeting,
    replies.UnknownCommand,
    replies.Alarm,
    replies.ErrorReport,
    replies.LineError,
)

# Counted with grep in the recordings, not with the code under test: received lines, then each of
# KINDS, then the line numbers of the resend requests.
COUNTS: dict[str, tuple[int, tuple[int, ...], list[int]]] = {
    "klipper-connect": (19, (12, 1, 1, 0, 0, 0, 0, 0, 4, 0, 0, 0), []),
    "klipper-emergency": (65, (18, 28, 1, 0, 0, 0, 0, 0, 1, 4, 3, 0), []),
    "klipper-linenumbers": (33, (32, 26, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0), []),
    "klipper-misc": (52, (34, 7, 1, 0, 0, 0, 0, 0, 13, 0, 2, 0), []),
    "marlin-fast-longcmds": (168, (19, 82, 2, 52, 0, 8, 0, 1, 0, 0, 0, 0), []),
    "marlin-fast-prompts": (169, (11, 2, 2, 99, 0, 41, 0, 1, 1, 0, 0, 0), []),
    "marlin-full-autoreport": (126, (14, 76, 2, 20, 0, 4, 0, 1, 0, 0, 0, 0), []),
    "marlin-full-connect": (97, (13, 1, 1, 0, 36, 3, 0, 1, 0, 0, 0, 0), [1]),
    "marlin-full-emergency": (59, (11, 8, 2, 17, 0, 5, 0, 2, 0, 1, 0, 0), []),
    "marlin-full-homing-failed-kill": (17, (0, 0, 0, 4, 0, 3, 0, 1, 0, 1, 0, 0), []),
    "marlin-full-print-window4": (402, (193, 0, 2, 11, 0, 2, 0, 1, 0, 0, 0, 0), []),
    "marlin-full-sd": (366, (42, 0, 4, 14, 0, 14, 0, 1, 1, 0, 0, 1), [1]),
    "marlin-stock-connect": (89, (13, 1, 1, 0, 35, 0, 0, 1, 1, 0, 0, 0), [1]),
    "marlin-stock-linenumbers": (
        58,
        (29, 14, 1, 0, 0, 0, 0, 1, 0, 0, 0, 10),
        [3, 4, 4, 4, 5, 102, 2, 6, 6, 6],
    ),
    "marlin-stock-misc": (71, (33, 6, 1, 0, 0, 1, 0, 1, 10, 0, 0, 0), []),
    "marlin-uart-print-window16": (
        386,
        (177, 0, 2, 8, 0, 0, 0, 1, 0, 0, 0, 20),
        [number for number in range(20, 156, 15) for _ in range(2)],
    ),
    "octoprint-virtual-connect": (56, (12, 1, 1, 0, 6, 0, 0, 1, 0, 0, 0, 0), [1]),
    "octoprint-virtual-linenumbers": (
        89,
        (30, 11, 1, 0, 0, 0, 25, 1, 0, 0, 0, 15),
        [3, 4, 4, 4, 8, 8, 102, 2, 2, 2, 2, 9, 9, 9, 9],
    ),
    "octoprint-virtual-misc": (118, (33, 6, 1, 0, 0, 2, 12, 1, 0, 0, 0, 0), []),
    "teacup-connect": (23, (13, 1, 1, 0, 1, 0, 0, 1, 4, 0, 0, 0), []),
    "teacup-linenumbers": (62, (33, 20, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0), [3, 6, 102, 2, 6, 6, 6]),
    "teacup-misc": (67, (38, 8, 1, 0, 0, 0, 0, 1, 16, 0, 0, 0), []),
}


def test_every_recording_is_counted() -> None:
    assert recordings.names() == sorted(COUNTS)


@pytest.mark.parametrize("name", recordings.names())
def test_each_line_means_what_was_read_by_eye(name: str) -> None:
    expected = (recordings.FOLDER / f"{name}.events.txt").read_text("utf-8")
    assert recordings.expectation(name) == expected


@pytest.mark.parametrize("name", COUNTS)
def test_as_many_replies_of_each_kind_as_were_counted(name: str) -> None:
    lines, counts, resends = COUNTS[name]
    meanings = recordings.meanings([recordings.received(name)])
    found = [reply for line in meanings for reply in line]
    kinds = Counter(type(reply) for reply in found)
    assert len(meanings) == lines
    assert tuple(kinds[kind] for kind in KINDS) == counts
    assert [reply.number for reply in found if isinstance(reply, replies.ResendRequest)] == resends


@pytest.mark.parametrize("name", recordings.names())
def test_chunking_makes_no_difference(name: str) -> None:
    data = recordings.received(name)
    whole = recordings.meanings([data])
    assert recordings.meanings(data[at : at + 1] for at in range(len(data))) == whole
    for seed in range(3):
        dice = Random(f"{name}/{seed}")
        cuts = [0, *sorted(dice.choices(range(len(data)), k=200)), len(data)]
        assert recordings.meanings(data[a:b] for a, b in pairwise(cuts)) == whole, f"seed {seed}"


def test_escapes_stand_for_the_bytes_that_were_on_the_wire() -> None:
    assert b"\xc2\x80\n" in recordings.received("octoprint-virtual-connect")
    assert b"//action:notification 0s\r\n" in recordings.received("marlin-full-connect")
    assert b'echo:Unknown command: "\xff\xfe"\n' in recordings.received("marlin-stock-misc")
    sent = [entry.data for entry in recordings.read("marlin-stock-misc") if entry.sent]
    assert b"\xff\xfe\x00\x80M105\n" in sent
    assert b"M105\r\n" in sent
    assert b"M105\r" in sent
