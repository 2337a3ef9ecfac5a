"""Commands and frames on the socket between a host and a link."""

from __future__ import annotations

import contextlib
from itertools import pairwise
from random import Random
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.messages import codec, commands, events, frames
from bedplate.messages.codec import CodecError, command_decoder, encode, frame_decoder
from bedplate.messages.snapshot import (
    FileRef,
    Firmware,
    HeaterReading,
    JobSnapshot,
    LineStatistics,
    LinkSnapshot,
    Position,
    Problem,
    Temperatures,
)
from bedplate.messages.states import ConnectionState, JobState, Outcome

FILE = FileRef(path="parts/nut é.gcode", origin="local", size=12345)
COMMANDS: list[Any] = [
    commands.Attach(protocol=1, host_pid=42, link="x", acknowledged=7),
    commands.Acknowledge(seq=9),
    commands.Connect(request=1, port="VIRTUAL", target="/dev/pts/3"),
    commands.Connect(
        request=2,
        port="/dev/ttyUSB0",
        target="/dev/ttyUSB0",
        baudrate=250000,
        settings=commands.LineSettings(window=4, dialect="marlin", serial_log=True),
    ),
    commands.Disconnect(request=3),
    commands.SendGcode(request=4, commands=["M117 \u201eGrüße\u201c\n", "G28"], origin="page"),
    commands.StartJob(
        request=5,
        job="j1",
        file=FILE,
        source="/data/uploads/nut.gcode",
        layers=[commands.LayerMark(100, 0.2), commands.LayerMark(900, 0.4)],
        scripts=commands.Scripts(before_print=["G28"], on_cancel=["M104 S0"]),
        progress_marks=[25, 50],
        user="anna",
    ),
    commands.SetLayers(request=6, job="j1", layers=[commands.LayerMark(0, 0.3)]),
    commands.PauseJob(request=7, reason="firmware"),
    commands.ResumeJob(request=8),
    commands.CancelJob(request=9),
    commands.EmergencyStop(),
    commands.WatchTerminal(on=True),
    commands.Shutdown(request=10),
]
SNAPSHOT = LinkSnapshot(
    state=ConnectionState.OPERATIONAL,
    port="VIRTUAL",
    baudrate=115200,
    firmware=Firmware(name="Marlin", dialect="marlin", capabilities={"EEPROM": True}),
    problem=Problem(code="no_answer", text="The printer does not answer.", hint="Switch it on."),
    temperatures=Temperatures(time=1.5, heaters={"tool0": HeaterReading(20.0, None)}),
    position=Position(x=1, z=2.5),
    busy="processing",
    job=JobSnapshot(
        id="j1", file=FILE, state=JobState.PAUSED, outcome=Outcome.DONE, started=1.0, layer=3
    ),
    line=LineStatistics(transmitted=5, resends=1),
)
FRAMES: list[Any] = [
    frames.Hello(protocol=1, printer="default", pid=7, link="abc", version="1.0"),
    frames.Reply(request=4),
    frames.Reply(request=5, error=frames.ReplyError(code="not_now", message="No.", status=409)),
    frames.EventFrame(
        seq=1, id="u", time="2026-11-22T12:00:00Z", event="PrintDone", payload=msgspec.Raw(b"{}")
    ),
    frames.SnapshotFrame(snapshot=LinkSnapshot()),
    frames.SnapshotFrame(snapshot=SNAPSHOT),
    frames.TerminalFrame(
        lines=[
            frames.TerminalLine(1.0, frames.Direction.SENT, "N1 M105*38"),
            frames.TerminalLine(1.1, frames.Direction.RECEIVED, "ok \\xff \u0080"),
        ],
        skipped=3,
    ),
]
KINDS = [
    pytest.param(command_decoder, COMMANDS, commands.AnyCommand, id="commands"),
    pytest.param(frame_decoder, FRAMES, frames.AnyFrame, id="frames"),
]


@pytest.mark.parametrize(("decoder", "messages", "union"), KINDS)
def test_every_kind_of_message_has_an_example(
    decoder: Any, messages: list[Any], union: Any
) -> None:
    assert {type(message) for message in messages} == set(get_args(union))


@pytest.mark.parametrize(("decoder", "messages", "union"), KINDS)
def test_what_is_encoded_comes_out_the_same(decoder: Any, messages: list[Any], union: Any) -> None:
    for message in messages:
        data = encode(message)
        assert data.endswith(b"\n")
        assert data.count(b"\n") == 1
        (decoded,) = decoder().feed(data)
        assert type(decoded) is type(message)
        if isinstance(message, frames.EventFrame):  # a raw payload has no equality
            assert encode(decoded) == data
        else:
            assert decoded == message


@pytest.mark.parametrize(("decoder", "messages", "union"), KINDS)
def test_chunking_makes_no_difference(decoder: Any, messages: list[Any], union: Any) -> None:
    data = b"".join(encode(message) for message in messages) + b"\n"

    def feed(chunks: list[bytes]) -> list[bytes]:
        one = decoder()
        return [encode(message) for chunk in chunks for message in one.feed(chunk)]

    expected = feed([data])
    assert len(expected) == len(messages)
    assert feed([data[at : at + 1] for at in range(len(data))]) == expected
    for seed in range(20):
        cuts = [0, *sorted(Random(seed).choices(range(len(data)), k=12)), len(data)]
        assert feed([data[a:b] for a, b in pairwise(cuts)]) == expected, f"seed {seed}"


def test_a_message_that_has_begun_waits_for_its_end() -> None:
    decoder = command_decoder()
    data = encode(commands.PauseJob(request=1))
    assert decoder.feed(data[:-1]) == []
    assert decoder.feed(data[-1:]) == [commands.PauseJob(request=1)]


@pytest.mark.parametrize(
    "garbage",
    [
        b"garbage\n",
        b"{}\n",
        b"[]\n",
        b"null\n",
        b'{"type":"unheard_of"}\n',
        b'{"type":"attach"}\n',
        b'{"type":"acknowledge","seq":"one"}\n',
        b'{"type":"hello"\n',
        b"\xff\xfe\n",
        b"GET / HTTP/1.1\r\n",
    ],
)
def test_garbage_is_refused(garbage: bytes) -> None:
    for decoder in (command_decoder(), frame_decoder()):
        with pytest.raises(CodecError):
            decoder.feed(garbage)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    with contextlib.suppress(CodecError):
        assert all(
            isinstance(message, commands.Command)
            for message in command_decoder().feed(data + b"\n")
        )


def test_a_message_without_an_end_is_refused_when_it_is_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(codec, "MAX_MESSAGE", 1000)
    decoder = command_decoder()
    assert decoder.feed(b'{"type":"' + b"x" * 900) == []
    with pytest.raises(CodecError, match="too long"):
        decoder.feed(b"x" * 200)


def test_unknown_fields_of_a_newer_version_are_passed_over() -> None:
    (decoded,) = command_decoder().feed(b'{"type":"pause_job","request":1,"newer":true}\n')
    assert decoded == commands.PauseJob(request=1)


def test_an_event_travels_as_its_name_and_its_payload() -> None:
    event = events.LayerChanged(job="j1", layer=2, layers=10, z=0.4)
    data = codec.encode_event(3, "id-1", "2026-11-22T12:00:00Z", event)
    (frame,) = frame_decoder().feed(data)
    assert isinstance(frame, frames.EventFrame)
    assert (frame.seq, frame.id, frame.event) == (3, "id-1", "LayerChanged")
    assert codec.decode_payload(frame.event, frame.payload) == event


@pytest.mark.parametrize(
    ("name", "payload"), [("Unheard", b"{}"), ("LayerChanged", b"{}"), ("LayerChanged", b"x")]
)
def test_a_payload_that_is_none_is_refused(name: str, payload: bytes) -> None:
    with pytest.raises(CodecError, match=name):
        codec.decode_payload(name, payload)


def test_every_public_event_is_known_by_its_name() -> None:
    assert set(events.EVENTS_BY_NAME.values()) == set(events.PublicEvent.__subclasses__())
