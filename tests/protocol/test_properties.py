"""What holds for any printer and any line: no crash, bounded memory, and a stream that is exact, or
ends at a named place."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.protocol.marlin_model import FAULTS, MarlinModel
from tests.protocol.simulation import Outcome, Simulation

from bedplate.messages.commands import LineSettings
from bedplate.protocol.conversation import Conversation
from bedplate.protocol.errors import LocalProtocolError
from bedplate.protocol.events import ConversationEvent, StreamBroken
from bedplate.protocol.linebuffer import LINE_LIMIT
from bedplate.protocol.window import HISTORY, Kind, Sent
from bedplate_virtual_printer.firmware import Firmware, Options

SOAK_LINES = int(os.environ.get("BEDPLATE_SOAK_LINES", "10000"))
"""Lines of the long run against the virtual printer."""

# Any bytes, any chunking, any state

SAID = [
    b"ok",
    b"ok T:20.0 /0.0 B:20.0 /0.0",
    b"ok P15 B3",
    b"ok N%d P15 B3",
    b"Resend: %d",
    b"rs N%d",
    b"start",
    b"wait",
    b"echo:busy: processing",
    b"Error:checksum mismatch, Last Line: %d",
    b"Error:Printer halted. kill() called!",
    b"// Klipper state: Shutdown",
    b"FIRMWARE_NAME:Marlin EXTRUDER_COUNT:%d",
    b"Cap:AUTOREPORT_TEMP:1",
    b"T:nan /0.0",
    b"X:1 Y:2 Z:%d",
    b"//action:pause",
    b'echo:Unknown command: "%d"',
    b"!! Must home axis first",
]
LINES = st.builds(
    lambda line, number: (line % number if b"%d" in line else line) + b"\n",
    st.sampled_from(SAID),
    st.integers(-3, 40) | st.integers(min_value=0),
)
CHUNKS = st.binary(max_size=80) | LINES | st.lists(LINES, max_size=6).map(b"".join)
DOINGS = ("send", "at once", "stop", "prepare", "drop", "close", "open", "fail", "rate", "detect")
STEPS = st.lists(
    st.tuples(st.floats(0, 70), CHUNKS | st.sampled_from(DOINGS)), min_size=1, max_size=60
)


def do(conversation: Conversation, doing: str, now: float) -> None:
    """What an owner may do at any moment; the refusals are part of the contract."""
    actions: dict[str, Callable[[], object]] = {
        "send": lambda: conversation.send(b"G1 X1", Kind.JOB, 7),
        "at once": lambda: conversation.send_at_once(b"M108"),
        "stop": conversation.emergency_stop,
        "prepare": lambda: conversation.prepare(b"G1 X1"),
        "drop": lambda: conversation.drop_queued(frozenset({Kind.JOB})),
        "close": conversation.close,
        "open": lambda: conversation.open(now),
        "fail": lambda: conversation.fail("port_lost", "The port is gone."),
        "rate": lambda: conversation.rate_changed(now),
        "detect": lambda: conversation.open(now, detecting=True),
    }
    with contextlib.suppress(LocalProtocolError):
        actions[doing]()


@given(steps=STEPS, window=st.sampled_from([1, 4, 16]), dialect=st.sampled_from([None, "teacup"]))
@settings(max_examples=300, deadline=None, derandomize=True)
@example(steps=[(2.0, b"ok\n"), (0.0, b"Resend: " + b"9" * 5000 + b"\n")], window=1, dialect=None)
@example(steps=[(2.0, b"rs" + b" " * 4000 + b"x\n")], window=1, dialect=None)
@example(steps=[(2.0, b"x" * 3 * LINE_LIMIT), (0.1, b"\nok\n")], window=1, dialect=None)
def test_no_bytes_in_any_state_crash_a_conversation(
    steps: list[tuple[float, bytes | str]], window: int, dialect: str | None
) -> None:
    conversation = Conversation(LineSettings(window=window, dialect=dialect))
    conversation.open(0.0)
    now, doings = 0.0, 1
    for wait, step in steps:
        now += wait
        if isinstance(step, bytes):
            conversation.receive(step, now)
        else:
            doings += 1
            do(conversation, step, now)
        deadline = conversation.deadline()
        if deadline is not None and now >= deadline:
            conversation.tick(now)
        conversation.take_urgent()
        assert len(conversation.take_output(now)) < 64 * (window + HISTORY)
        for event in conversation.take_events():
            assert isinstance(event, ConversationEvent | Sent)
        # The window, its probes, and what its owner sent past it and queued: nothing else grows.
        assert len(conversation._flow.window.in_flight) <= window + doings + len(steps)
        assert len(conversation._flow._queue) <= doings + 2
        assert len(conversation._lines._rest) <= LINE_LIMIT


@given(steps=STEPS)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_a_tick_is_never_due_twice_for_the_same_thing(
    steps: list[tuple[float, bytes | str]],
) -> None:
    """Else a loop that sleeps until the deadline would never sleep again."""
    conversation = Conversation(LineSettings())
    conversation.open(0.0)
    now = 0.0
    for wait, step in steps:
        now += wait
        if isinstance(step, bytes):
            conversation.receive(step, now)
        else:
            do(conversation, step, now)
        for _ in range(20):
            deadline = conversation.deadline()
            if deadline is None or now < deadline:
                break
            conversation.tick(now)
            conversation.take_output(now)
        else:
            pytest.fail(f"still due at {now}: {deadline}")


# A Marlin that things happen to


def commands(count: int) -> list[bytes]:
    return [b"G1 X%d.%d F6000" % (index % 200, index // 200) for index in range(count)]


def check(outcome: Outcome, sent: list[bytes], *, most_ahead: int | None) -> None:
    """The stream is exact, or ended at a named place; the record shows why not."""
    record = "\n".join(["the last lines:", *outcome.wire])
    assert outcome.accepted == sent[: len(outcome.accepted)], record
    assert outcome.acknowledged == list(range(len(outcome.acknowledged))), record
    assert outcome.done or outcome.ended_by is not None, f"never ended\n{record}"
    if outcome.done:
        assert outcome.accepted == sent, record
    if isinstance(outcome.ended_by, StreamBroken):
        assert outcome.ended_by.code in ("resend_loop", "resend_impossible")
        assert str(outcome.ended_by.number) in outcome.ended_by.text or "refused" in (
            outcome.ended_by.text
        )
    if most_ahead is not None:
        assert outcome.most_ahead <= most_ahead, record


PROBABILITIES = st.sampled_from([0.002, 0.02, 0.1])


@given(
    seed=st.integers(0, 2**32),
    window=st.sampled_from([1, 4]),
    faults=st.dictionaries(st.sampled_from(FAULTS), PROBABILITIES, max_size=len(FAULTS)),
)
@settings(max_examples=300, deadline=None, derandomize=True)
@example(seed=2010, window=1, faults={"lose-line": 0.1})  # three questions lost in a row
@example(seed=2015, window=1, faults={"double-ok": 0.1, "lose-line": 0.1})  # lost while sent again
@example(seed=2380, window=4, faults={"double-ok": 0.1, "lose-line": 0.1})
@example(seed=171, window=4, faults={"lose-ok": 0.1, "lose-line": 0.002})  # the probe's own ok lost
@example(seed=577, window=4, faults={"lose-ok": 0.02, "bogus-resend": 0.1})  # asked for a later one
@example(seed=33, window=1, faults={"double-ok": 0.1})
def test_what_a_marlin_accepts_is_what_was_sent(
    seed: int, window: int, faults: dict[str, float]
) -> None:
    sent = commands(60)
    outcome = Simulation(MarlinModel(seed, faults), sent, window=window).run(limit=20_000)
    # Only where an ok may come twice, or be taken for another's, can we be ahead of the printer.
    misleading = {"double-ok", "late-ok", "bogus-resend"} & set(faults)
    check(outcome, sent, most_ahead=None if misleading else window)


@pytest.mark.parametrize("window", [1, 4])
def test_faults_do_happen_and_are_counted(window: int) -> None:
    faults = {"corrupt": 0.05, "lose-ok": 0.02, "double-ok": 0.02, "bogus-resend": 0.02}
    simulation = Simulation(MarlinModel(1, faults), commands(500), window=window)
    check(simulation.run(limit=5000), commands(500), most_ahead=None)
    statistics = simulation.conversation.statistics
    assert statistics.resends > 20
    assert statistics.lost_oks > 3
    assert statistics.oddities > 5
    assert statistics.transmitted > 520


def test_without_faults_nothing_is_counted() -> None:
    simulation = Simulation(MarlinModel(1, {}), commands(200), window=4)
    check(simulation.run(limit=1000), commands(200), most_ahead=0)
    statistics = simulation.conversation.statistics
    assert (statistics.resends, statistics.lost_oks, statistics.oddities) == (0, 0, 0)


# The bundled virtual printer, which was written without a look at this engine

STREAM_FAULTS = ("corrupt", "lost-ok", "double-ok", "busy", "noise")


def stream_to_virtual_printer(lines: int, seed: int) -> tuple[Outcome, list[bytes]]:
    dice = Random(seed)
    faults = {name: dice.choice([0, 0.001, 0.005]) for name in STREAM_FAULTS}
    window = dice.choice([1, 1, 4])
    advanced = dice.choice([True, False])
    print(f"seed {seed}: window {window}, advanced ok {advanced}, {faults}")
    firmware = Firmware(Options(speed=0, seed=seed, advanced_ok=advanced, faults=faults), 0.0)
    firmware.greet()
    sent = commands(lines)
    return Simulation(firmware, sent, window=window).run(limit=30.0 * lines), sent


@pytest.mark.parametrize("seed", range(10))
def test_the_virtual_printer_accepts_what_was_sent(seed: int) -> None:
    outcome, sent = stream_to_virtual_printer(max(1, SOAK_LINES // 10), seed)
    check(outcome, sent, most_ahead=None)
    assert outcome.done


@pytest.mark.parametrize("seed", range(5))
def test_a_reset_in_the_middle_ends_the_stream_at_a_named_place(seed: int) -> None:
    print(f"seed {seed}")
    firmware = Firmware(Options(speed=0, seed=seed, faults={"reset": 0.002}), 0.0)
    sent = commands(5000)
    simulation = Simulation(firmware, sent)
    outcome = simulation.run(limit=1000)
    check(outcome, sent, most_ahead=1)
    assert type(outcome.ended_by).__name__ == "PrinterReset"
    assert simulation.conversation.state.value == "resetting"
