"""A conversation in scenes: what the printer says, what the host sends then."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.protocol import recordings
from tests.protocol.dialogue import MARLIN, REPORT, Dialogue, connected, line

from bedplate.messages.snapshot import HeaterReading, Position
from bedplate.messages.states import ConnectionState
from bedplate.protocol.errors import LocalProtocolError
from bedplate.protocol.events import (
    ActionRequested,
    ConnectionFailed,
    Halted,
    Note,
    PositionReported,
    PrinterReset,
    RateRefused,
    Ready,
    Reported,
    Stalled,
    StreamBroken,
    TemperaturesReported,
)
from bedplate.protocol.window import Kind

# Opening and handshake


def test_a_board_that_greets_is_spoken_to_once_it_is_quiet() -> None:
    printer = Dialogue()
    assert printer.state is ConnectionState.OPENING
    assert printer.after(0.5) == []
    assert printer.hears("start", "PowerUp", "Marlin 2.0.9.5") == []
    assert printer.after(0.1) == []
    assert printer.after(0.1) == [line(0, "M110 N0")]
    assert printer.state is ConnectionState.HANDSHAKING
    assert printer.hears("ok") == [line(1, "M115")]
    assert printer.hears(MARLIN, "Cap:AUTOREPORT_TEMP:1", "Cap:EEPROM:0", "ok") == [line(2, "M105")]
    assert printer.hears(REPORT) == [line(3, "M155 S2")]
    assert printer.state is ConnectionState.OPERATIONAL
    firmware = printer.one(Ready).firmware
    assert firmware.name == "Marlin 2.0.9.5"
    assert firmware.dialect == "marlin"
    assert firmware.machine == "Mendel"
    assert firmware.extruders == 2
    assert firmware.capabilities == {"AUTOREPORT_TEMP": True, "EEPROM": False}
    assert printer.conversation.has_capability("AUTOREPORT_TEMP")
    assert not printer.conversation.has_capability("EEPROM")
    assert not printer.conversation.has_capability("PROGRESS")


def test_a_silent_board_is_spoken_to_after_the_greeting_timeout() -> None:
    printer = Dialogue(greeting_timeout=1.0)
    assert printer.after(0.9) == []
    assert printer.after(0.2) == [line(0, "M110 N0")]


def test_the_spurious_ok_behind_a_greeting_acknowledges_nothing() -> None:
    printer = Dialogue()
    assert printer.hears("start", "ok") == []
    assert printer.after(0.2) == [line(0, "M110 N0")]
    assert printer.hears("ok") == [line(1, "M115")]
    assert printer.hears("FIRMWARE_NAME:Teacup", "ok") == [line(2, "M105")]
    assert printer.hears("T:20.0/0.0 B:20.0/0.0", "ok") == []
    assert printer.one(Ready).firmware.dialect == "teacup"


def test_a_board_that_is_still_starting_answers_every_hello_and_the_spare_oks_pass() -> None:
    printer = Dialogue(greeting_timeout=1.0)
    hello = line(0, "M110 N0")
    assert printer.after(5.5) == [hello, hello, hello]
    assert printer.hears("ok") == []
    assert printer.hears("ok", "ok") == []
    assert printer.after(0.2) == [line(1, "M115")]
    assert printer.hears(MARLIN, "ok") == [line(2, "M105")]
    assert printer.hears(REPORT) == []
    assert printer.state is ConnectionState.OPERATIONAL


def test_a_greeting_during_the_handshake_begins_it_anew() -> None:
    printer = Dialogue(greeting_timeout=0.5)
    assert printer.after(0.6) == [line(0, "M110 N0")]
    assert printer.hears("start") == []
    assert printer.state is ConnectionState.RESETTING
    assert printer.after(0.2) == [line(0, "M110 N0")]
    assert printer.all(PrinterReset) == []


def test_the_right_baud_rate_is_found() -> None:
    printer = Dialogue(detecting=True, greeting_timeout=1.0)
    hello = line(0, "M110 N0")
    assert printer.after(1.1) == [hello]
    assert printer.state is ConnectionState.DETECTING
    assert printer.hears("\ufffd\x00\x7fx") == []
    printer.after(2.0)
    assert len(printer.all(RateRefused)) == 1
    assert printer.conversation.deadline() is None
    printer.conversation.rate_changed(printer.now)
    assert printer.sends() == [hello]
    assert printer.hears("ok") == [line(1, "M115")]
    assert printer.state is ConnectionState.HANDSHAKING


def test_a_greeting_at_the_first_baud_rate_settles_it() -> None:
    printer = Dialogue(detecting=True)
    printer.hears("start")
    assert printer.after(0.2) == [line(0, "M110 N0")]
    assert printer.state is ConnectionState.HANDSHAKING


def test_no_answer_at_all_fails_the_connection() -> None:
    printer = Dialogue(greeting_timeout=1.0, answer_timeout=10.0)
    assert set(printer.after(20.0)) == {line(0, "M110 N0")}
    failure = printer.one(ConnectionFailed)
    assert failure.code == "no_answer"
    assert failure.hint
    assert printer.state is ConnectionState.ERROR
    assert printer.conversation.deadline() is None


def test_answers_that_are_none_fail_the_connection_with_another_reason() -> None:
    printer = Dialogue(greeting_timeout=1.0, answer_timeout=10.0)
    for _ in range(20):
        printer.hears("Welcome to BusyBox", "login:")
        printer.after(1.0)
    assert printer.one(ConnectionFailed).code == "not_understood"


def test_a_printer_that_is_busy_is_waited_for() -> None:
    printer = Dialogue(greeting_timeout=1.0, answer_timeout=10.0)
    printer.after(1.1)
    for _ in range(60):
        assert printer.hears("echo:busy: processing") == []
        assert printer.after(2.0) == []
    assert printer.all(ConnectionFailed) == []
    assert printer.hears("ok") == [line(1, "M115")]


def test_a_hello_that_was_refused_is_repeated() -> None:
    printer = Dialogue(greeting_timeout=0.5)
    printer.after(0.6)
    assert printer.hears("Error:checksum mismatch, Last Line: 0", "Resend: 1", "ok") == []
    assert printer.after(2.1) == [line(0, "M110 N0")]
    assert printer.state is ConnectionState.HANDSHAKING


@pytest.mark.parametrize(
    ("name", "dialect", "firmware", "capability"),
    [
        ("marlin-full-connect", "marlin", "Marlin 2.0.9.5", "AUTOREPORT_POS"),
        ("marlin-stock-connect", "marlin", "Marlin 2.0.9.5", "AUTOREPORT_TEMP"),
        ("klipper-connect", "klipper", "Klipper", None),
        ("teacup-connect", "teacup", "Teacup", "AUTOREPORT_TEMP"),
        ("octoprint-virtual-connect", "marlin", "Virtual Marlin 1.0", "EMERGENCY_PARSER"),
    ],
)
def test_the_handshake_with_each_recorded_firmware(
    name: str, dialect: str, firmware: str, capability: str | None
) -> None:
    entries = recordings.read(name)
    first = next(index for index, entry in enumerate(entries) if entry.sent)
    answers: dict[bytes, bytes] = {}
    asked = b""
    for entry in entries[first:]:
        if entry.sent:
            asked = entry.data.strip()
        else:
            answers[asked] = answers.get(asked, b"") + entry.data
    printer = Dialogue()
    for entry in entries[:first]:
        printer.conversation.receive(entry.data, printer.now + entry.time)
    printer.now += entries[first - 1].time if first else 0.0
    assert printer.after(1.1) == [line(0, "M110 N0")]
    assert printer.hears("ok") == [line(1, "M115")]
    printer.conversation.receive(answers[b"M115"], printer.now)
    assert printer.sends() == [line(2, "M105")]
    printer.conversation.receive(answers[b"M105"], printer.now)
    printer.sends()
    assert printer.state is ConnectionState.OPERATIONAL
    found = printer.one(Ready).firmware
    assert found.dialect == dialect
    assert found.name.startswith(firmware)
    assert found.capabilities.get(capability or "", False) is (capability is not None)
    assert printer.one(TemperaturesReported).heaters.keys() == {"tool0", "bed"}


# Lines and acknowledgements


def test_one_line_in_flight_and_the_next_at_its_ok() -> None:
    printer = connected()
    assert printer.queues("G28", "G1 X1") == [line(3, "G28")]
    assert not printer.conversation.ready
    assert printer.hears("ok") == [line(4, "G1 X1")]
    assert printer.acknowledged == ["G28"]
    assert not printer.conversation.idle
    assert printer.hears("ok") == []
    assert printer.acknowledged == ["G28", "G1 X1"]
    assert printer.conversation.idle
    assert printer.conversation.ready


def test_a_window_is_filled_and_kept_full() -> None:
    printer = connected(window=3)
    commands = [f"G1 X{index}" for index in range(5)]
    assert printer.queues(*commands) == [line(3 + at, commands[at]) for at in range(3)]
    assert printer.hears("ok", "ok") == [line(6, commands[3]), line(7, commands[4])]
    assert printer.acknowledged == commands[:2]


def test_a_prepared_line_is_the_same_line() -> None:
    printer = connected()
    command = b"G1 X1 Y2"
    printer.conversation.prepare(command)
    printer.conversation.send(command, Kind.JOB)
    assert printer.sends() == [line(3, "G1 X1 Y2")]
    printer.conversation.prepare(b"G1 X9")
    printer.hears("ok")
    assert printer.queues("G1 X2") == [line(4, "G1 X2")]


def test_nothing_is_sent_before_the_printer_is_ready() -> None:
    printer = Dialogue()
    with pytest.raises(LocalProtocolError, match="not connected"):
        printer.queues("G28")


def test_an_ok_for_nothing_is_an_oddity() -> None:
    printer = connected()
    printer.hears("ok", "ok")
    assert printer.acknowledged == []
    assert printer.conversation.statistics.oddities == 2


def test_a_doubled_ok_in_one_reading_does_no_harm() -> None:
    printer = connected()
    printer.queues("G1 X1", "G1 X2")
    assert printer.hears("ok", "ok") == [line(4, "G1 X2")]
    assert printer.acknowledged == ["G1 X1"]


def test_a_bare_ok_is_no_answer_to_a_question() -> None:
    """Where M105 is answered in one line, this puts the count right after a doubled ok."""
    printer = connected()
    printer.queues("G1 X1", "M105", "G1 X2")
    assert printer.hears("ok") == [line(4, "M105")]
    assert printer.hears("ok") == []  # the first one's, again
    assert printer.hears(REPORT) == [line(5, "G1 X2")]
    assert printer.acknowledged == ["G1 X1", "M105"]
    assert printer.conversation.statistics.oddities == 1


def test_numbers_of_advanced_ok_tell_which_line_was_taken() -> None:
    printer = connected(window=4)
    printer.queues("G1 X1", "G1 X2", "G1 X3")
    printer.hears("ok N4 P15 B2")
    assert printer.acknowledged == ["G1 X1", "G1 X2"]
    assert printer.conversation.statistics.lost_oks == 1
    assert "line 3" in printer.one(Note).text
    printer.hears("ok N4 P15 B2")  # said twice
    assert printer.acknowledged == ["G1 X1", "G1 X2"]
    printer.hears("ok N5 P15 B3")
    assert printer.conversation.idle
    assert printer.conversation.statistics.oddities == 1


def test_an_ok_without_number_counts_among_numbered_ones() -> None:
    printer = connected(window=2)
    printer.queues("G1 X1", "G1 X2")
    printer.hears("ok P15 B3")
    assert printer.acknowledged == ["G1 X1"]


def test_m108_goes_past_the_queue_and_is_acknowledged_in_turn() -> None:
    printer = connected()
    printer.queues("M109 S200", "G1 X1")
    printer.conversation.send_at_once(b"M108")
    assert printer.sends() == ["M108"]
    assert printer.hears("ok") == []  # M109 ended; M108 is still to be acknowledged
    assert printer.hears("ok") == [line(4, "G1 X1")]
    assert printer.acknowledged == ["M109 S200", "M108"]
    assert printer.numbers == [3, -1]


def test_queued_lines_of_a_kind_can_be_taken_back() -> None:
    printer = connected()
    printer.queues("G1 X1", "G1 X2")
    printer.queues("M114", kind=Kind.COMMAND)
    assert printer.conversation.drop_queued(frozenset({Kind.JOB})) == [Kind.JOB]
    assert printer.hears("ok") == [line(4, "M114")]


def test_a_poll_that_waits_already_is_enough() -> None:
    printer = connected()
    printer.queues("G28")
    for _ in range(5):
        printer.queues("M105", kind=Kind.POLL)
    assert printer.hears("ok") == [line(4, "M105")]
    assert printer.hears(REPORT) == []


# Resend requests

REFUSED = "Error:checksum mismatch, Last Line: 2"


def test_a_damaged_line_is_sent_again_after_the_ok_that_stands_for_it() -> None:
    printer = connected()
    printer.queues("G1 X1", "G1 X2")
    assert printer.hears(REFUSED, "Resend: 3") == []
    assert printer.hears("ok") == [line(3, "G1 X1")]
    assert printer.acknowledged == []
    assert printer.hears("ok") == [line(4, "G1 X2")]
    assert printer.acknowledged == ["G1 X1"]
    assert printer.conversation.statistics.resends == 1


@pytest.mark.parametrize(
    "request_", ["Resend: 3", "Resend:3", "rs N3 Expected checksum 36", "rs 3"]
)
def test_every_form_of_the_request_counts(request_: str) -> None:
    printer = connected()
    printer.queues("G1 X1")
    assert printer.hears(request_, "ok") == [line(3, "G1 X1")]


def test_a_request_that_is_never_acknowledged_is_answered_all_the_same() -> None:
    printer = connected()
    printer.queues("G1 X1")
    assert printer.hears("Resend: 3") == []
    assert printer.after(0.3) == []
    assert printer.after(0.2) == [line(3, "G1 X1")]


def test_marlins_flush_with_four_in_flight() -> None:
    """The request comes before the oks of queued lines, and a half line behind it asks again."""
    printer = connected(window=4)
    lines = [f"G1 X{index}" for index in range(5)]
    printer.queues(*lines)
    # Lines 3 and 4 were queued, 5 was damaged, half of 6 was flushed.
    assert printer.hears("Error:checksum mismatch, Last Line: 4", "Resend: 5", "ok") == []
    assert printer.hears("ok") == []
    assert printer.hears("Error:Line Number is not Last Line Number+1", "Resend: 5", "ok") == []
    assert printer.hears("ok") == []
    assert printer.acknowledged == lines[:2]
    again = [line(5, lines[2]), line(6, lines[3]), line(7, lines[4])]
    assert printer.after(0.2) == again
    assert printer.hears("ok", "ok", "ok") == []
    assert printer.acknowledged == lines
    assert printer.conversation.statistics.resends == 2


def test_a_firmware_that_repeats_the_request_for_each_line_in_flight() -> None:
    printer = connected(window=4)
    lines = [f"G1 X{index}" for index in range(4)]
    printer.queues(*lines)
    for _ in lines:
        assert printer.hears("Error: expected line 3", "Resend:3", "ok") == []
    assert printer.after(0.2) == [line(3 + at, text) for at, text in enumerate(lines)]
    assert printer.hears(*["ok"] * 4) == []
    assert printer.acknowledged == lines


def test_a_request_for_an_acknowledged_line_is_doubted_at_first() -> None:
    printer = connected()
    printer.queues("G1 X1", "G1 X2", "G1 X3")
    printer.hears("ok")
    assert printer.hears("Resend: 3", "ok") == []  # line 4 is in flight: its ok is still to come
    assert printer.hears("ok") == [line(5, "G1 X3")]
    assert printer.acknowledged == ["G1 X1", "G1 X2"]
    assert printer.conversation.statistics.oddities == 1


def test_a_request_for_an_acknowledged_line_counts_when_it_is_repeated() -> None:
    """After a doubled ok, line 3 was damaged though it seemed to be acknowledged."""
    printer = connected()
    printer.queues("G1 X1", "G1 X2", "G1 X3")
    printer.hears("ok")
    assert printer.hears("Resend: 3", "ok") == []
    assert printer.hears("Resend: 3") == []
    assert printer.hears("ok") == []
    assert printer.after(0.2) == [line(3, "G1 X1")]
    assert printer.hears("ok") == [line(4, "G1 X2")]
    assert printer.hears("ok") == [line(5, "G1 X3")]
    assert printer.acknowledged == ["G1 X1", "G1 X2"], "each one once"


def test_where_the_order_is_not_checked_an_acknowledged_line_is_never_sent_again() -> None:
    printer = connected(identity="FIRMWARE_NAME:Teacup", report="T:20.0/0.0 B:20.0/0.0\nok")
    printer.queues("G1 X1", "G1 X2")
    printer.hears("ok")
    for _ in range(3):
        assert printer.hears("rs N3", "ok") == []
    assert printer.hears("ok") == []
    assert printer.acknowledged == ["G1 X1", "G1 X2"]


def test_a_request_for_the_next_line_says_that_all_was_taken() -> None:
    printer = connected()
    printer.queues("G1 X1")
    assert printer.hears("Resend: 4") == []
    assert printer.hears("ok") == []
    assert printer.acknowledged == ["G1 X1"]


def test_m999_has_two_oks() -> None:
    printer = connected()
    printer.queues("M999", "G1 X1", "G1 X2")
    assert printer.hears("Resend: 4", "ok") == []
    assert printer.hears("ok") == [line(4, "G1 X1")]
    assert printer.acknowledged == ["M999"]


@pytest.mark.parametrize("number", [5, 1000, -4, 1])
def test_a_request_that_can_never_be_met_breaks_the_stream_at_a_named_place(number: int) -> None:
    printer = connected()
    for index in range(600):  # more than are kept
        printer.queues(f"G1 X{index}")
        printer.hears("ok")
    printer.events.clear()
    wanted = number if number < 5 else 603 + number
    assert printer.hears(f"Resend: {wanted}", "ok") == [line(0, "M110 N0")]
    broken = printer.one(StreamBroken)
    assert broken.code == "resend_impossible"
    assert broken.number == wanted
    assert str(wanted) in broken.text


def test_a_line_that_is_refused_for_ever_breaks_the_stream_with_the_command_in_words() -> None:
    printer = connected()
    printer.queues("M117 a line that is too long for it")
    for _ in range(10):
        assert printer.hears("Error:No Checksum with line number", "Resend: 3", "ok")
        assert printer.all(StreamBroken) == []
    assert printer.hears("Resend: 3") == [line(0, "M110 N0")]
    broken = printer.one(StreamBroken)
    assert broken.code == "resend_loop"
    assert broken.number == 3
    assert "M117 a line that is too long for it" in broken.text
    printer.hears("ok")
    assert printer.queues("M104 S0", kind=Kind.SCRIPT) == [line(1, "M104 S0")]


# Silence


def test_a_lost_ok_is_settled_by_a_question() -> None:
    printer = connected(probe_after=1.0)
    printer.queues("G1 X1", "G1 X2")
    assert printer.after(0.9) == []
    assert printer.after(0.2) == [line(4, "M105")]
    assert printer.hears(REPORT) == [line(5, "G1 X2")]
    assert printer.acknowledged == ["G1 X1", "M105"]
    assert printer.conversation.statistics.lost_oks == 1


def test_a_lost_line_is_settled_by_a_question() -> None:
    printer = connected(probe_after=1.0)
    printer.queues("G1 X1", "G1 X2")
    assert printer.after(1.1) == [line(4, "M105")]
    assert printer.hears("Error:Line Number is not Last Line Number+1", "Resend: 3", "ok") == []
    assert printer.after(0.2) == [line(3, "G1 X1")]
    assert printer.hears("ok") == [line(4, "M105")]
    assert printer.hears(REPORT) == [line(5, "G1 X2")]
    assert printer.acknowledged == ["G1 X1", "M105"]
    assert printer.conversation.statistics.lost_oks == 0


def test_a_lost_question_is_asked_again_later() -> None:
    printer = connected(probe_after=1.0)
    printer.queues("G1 X1")
    assert printer.after(4.9) == [line(4, "M105")]
    assert printer.after(1.0) == [line(5, "M105")]
    assert printer.hears("Resend: 4", "ok") == []  # line 3 was taken, its ok lost, and so was 4
    assert printer.after(1.2) == [line(4, "M105")]
    assert printer.hears(REPORT) == [line(5, "M105")]
    printer.hears(REPORT)
    assert printer.acknowledged == ["G1 X1", "M105", "M105"]
    assert printer.conversation.idle


def test_a_lost_answer_to_a_question_leaves_nothing_behind() -> None:
    printer = connected(probe_after=1.0)
    printer.queues("G1 X1", "G1 X2")
    assert printer.after(6.0) == [line(4, "M105"), line(5, "M105")]
    assert printer.hears(REPORT) == [line(6, "G1 X2")]
    assert printer.acknowledged == ["G1 X1", "M105", "M105"]


def test_an_ok_that_was_only_late_is_taken_for_its_line() -> None:
    printer = connected(probe_after=1.0)
    printer.queues("G1 X1", "G1 X2")
    printer.after(1.1)
    assert printer.hears("ok") == []
    assert printer.acknowledged == ["G1 X1"]
    assert printer.hears(REPORT) == [line(5, "G1 X2")]
    assert printer.conversation.statistics.lost_oks == 0


def test_no_new_lines_go_out_while_a_question_is_open() -> None:
    printer = connected(window=4, probe_after=1.0)
    printer.queues("G1 X1")
    assert printer.after(1.1) == [line(4, "M105")]
    assert printer.queues("G1 X2") == []
    assert printer.hears(REPORT) == [line(5, "G1 X2")]


def test_a_line_lost_while_lines_are_sent_again_is_found() -> None:
    printer = connected(probe_after=1.0)
    printer.queues("G1 X1", "G1 X2")
    printer.hears("ok")  # twice, in truth: line 3 was damaged
    assert printer.hears("Resend: 3", "ok", "Resend: 3", "ok") == []
    assert printer.after(0.2) == [line(3, "G1 X1")]  # lost on its way
    assert printer.after(1.2) == [line(4, "G1 X2")]  # as good as a question
    assert printer.hears("Error:Line Number is not", "Resend: 3", "ok") == []
    assert printer.after(0.2) == [line(3, "G1 X1")]
    assert printer.hears("ok") == [line(4, "G1 X2")]
    assert printer.hears("ok") == []
    assert printer.acknowledged == ["G1 X1", "G1 X2"]


@pytest.mark.parametrize("command", ["G28", "M109 S200", "g29", "M400", "M600", "G4 S20"])
def test_silence_means_nothing_for_a_command_that_takes_long(command: str) -> None:
    printer = connected(probe_after=1.0, stalled_after=60.0)
    printer.queues(command)
    assert printer.after(29.0) == []
    assert printer.after(2.0) == [line(4, "M105")]
    assert printer.hears("ok", REPORT) == []
    assert printer.all(Stalled) == []
    assert printer.acknowledged == [command, "M105"]


def test_busy_keeps_a_line_alive() -> None:
    printer = connected(probe_after=2.5)
    printer.queues("G1 X1")
    for _ in range(50):
        assert printer.hears("echo:busy: processing") == []
        assert printer.conversation.busy == "processing"
        assert printer.after(2.0) == []
    printer.hears("echo:busy: paused for user")
    assert printer.conversation.busy == "paused for user"
    printer.hears("ok")
    assert printer.conversation.busy is None
    assert printer.acknowledged == ["G1 X1"]


def test_reports_while_heating_keep_the_wait_alive() -> None:
    printer = connected()
    printer.queues("M109 S200")
    for _ in range(100):
        assert printer.hears(" T:26.59 /60.00 B:22.0 /0.00 @:127 B@:0 W:?") == []
        assert printer.after(1.0) == []
    assert len(printer.all(TemperaturesReported)) == 100


def test_wait_makes_the_question_come_earlier() -> None:
    printer = connected(probe_after=4.0)
    printer.queues("G1 X1")
    assert printer.hears("wait") == []
    printer.after(1.1)
    assert printer.hears("wait") == [line(4, "M105")]
    assert printer.hears("wait") == []
    printer.hears(REPORT)
    assert printer.acknowledged == ["G1 X1", "M105"]


def test_a_printer_without_any_sign_of_life_is_reported_once_and_asked_on() -> None:
    printer = connected(probe_after=1.0, stalled_after=60.0)
    printer.queues("G1 X1")
    printer.after(59.0)
    assert printer.all(Stalled) == []
    printer.after(2.0)
    assert printer.one(Stalled).silence == pytest.approx(60.0, abs=0.1)
    assert printer.after(600.0)
    assert len(printer.all(Stalled)) == 1
    assert printer.state is ConnectionState.OPERATIONAL
    printer.hears("ok")
    assert printer.acknowledged == ["G1 X1"]


# What else a printer says


def test_reports_become_events() -> None:
    printer = connected()
    printer.hears(
        "T:21.3 /0 B:22.0 /60",
        "X:1.00 Y:2.00 Z:3.00 E:4.00 Count X:0 Y:0 Z:0",
        "//action:prompt_begin M0 Stop",
        'echo:Unknown command: "M9999"',
        "!! Must home axis first",
        "anything else",
    )
    assert printer.one(TemperaturesReported).heaters == {
        "tool0": HeaterReading(21.3, 0.0),
        "bed": HeaterReading(22.0, 60.0),
    }
    assert printer.one(PositionReported).position == Position(x=1.0, y=2.0, z=3.0, e=4.0)
    assert printer.one(ActionRequested) == ActionRequested("prompt_begin", "M0 Stop")
    assert [event.text for event in printer.all(Reported)] == [
        "Unknown command: M9999",
        "Must home axis first",
    ]
    assert printer.state is ConnectionState.OPERATIONAL


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Error:Thermal Runaway, system stopped! Heater_ID: 0", "thermal_runaway"),
        ("Error:Heating failed, system stopped! Heater_ID: bed", "heating_failed"),
        ("Error:MAXTEMP triggered, system stopped! Heater_ID: 0", "maxtemp"),
        ("Error:MINTEMP triggered, system stopped! Heater_ID: 0", "mintemp"),
        ("Error:Printer halted. kill() called!", "killed"),
        ("echo:EMERGENCY SHUTDOWN DETECTED. KILLED.", "killed"),
        ("// Klipper state: Shutdown", "other"),
        ("// Printer is shutdown", "other"),
    ],
)
def test_an_alarm_freezes_everything(said: str, kind: str) -> None:
    printer = connected()
    printer.queues("G1 X1", "G1 X2")
    assert printer.hears(said) == []
    assert printer.one(Halted) == Halted(kind, said)
    assert printer.state is ConnectionState.HALTED
    assert printer.hears("ok", "Error:Printer halted. kill() called!") == []
    assert len(printer.all(Halted)) == 1
    assert printer.after(3600.0) == []
    assert printer.acknowledged == []
    with pytest.raises(LocalProtocolError):
        printer.queues("M104 S0")


def test_after_a_halt_a_reset_brings_the_printer_back() -> None:
    printer = connected()
    printer.hears("Error:Printer halted. kill() called!")
    printer.hears("start")
    assert printer.state is ConnectionState.RESETTING
    assert printer.after(0.2) == [line(0, "M110 N0")]


def test_a_reset_in_the_middle_of_a_print() -> None:
    printer = connected(window=2)
    printer.queues("G1 X1", "G1 X2", "G1 X3")
    assert printer.hears("start", " Brown out Reset", "Marlin 2.0.9.5") == []
    printer.one(PrinterReset)
    assert printer.state is ConnectionState.RESETTING
    with pytest.raises(LocalProtocolError):
        printer.queues("G1 X4")
    assert printer.after(0.2) == [line(0, "M110 N0")]
    assert printer.hears("ok") == [line(1, "M115")]
    assert printer.hears("FIRMWARE_NAME:Marlin 2.1 EXTRUDER_COUNT:1", "ok") == [line(2, "M105")]
    printer.hears(REPORT)
    assert printer.state is ConnectionState.OPERATIONAL
    assert printer.one(Ready).firmware.extruders == 1
    assert printer.acknowledged == []
    assert printer.queues("G28") == [line(3, "G28")]


# Emergency stop


def to_closed() -> Dialogue:
    dialogue = Dialogue()
    dialogue.conversation.close()
    return dialogue


def to_detecting() -> Dialogue:
    dialogue = Dialogue(detecting=True)
    dialogue.after(1.1)
    return dialogue


def to_handshaking() -> Dialogue:
    dialogue = Dialogue()
    dialogue.after(1.1)
    return dialogue


def to_resetting() -> Dialogue:
    dialogue = connected()
    dialogue.hears("start")
    return dialogue


def to_halted() -> Dialogue:
    dialogue = connected()
    dialogue.hears("Error:Printer halted. kill() called!")
    return dialogue


def to_error() -> Dialogue:
    dialogue = connected()
    dialogue.conversation.fail("port_lost", "The port is gone.")
    return dialogue


WAYS: dict[ConnectionState, Callable[[], Dialogue]] = {
    ConnectionState.CLOSED: to_closed,
    ConnectionState.OPENING: Dialogue,
    ConnectionState.DETECTING: to_detecting,
    ConnectionState.HANDSHAKING: to_handshaking,
    ConnectionState.OPERATIONAL: connected,
    ConnectionState.RESETTING: to_resetting,
    ConnectionState.HALTED: to_halted,
    ConnectionState.ERROR: to_error,
}


@pytest.mark.parametrize("state", ConnectionState)
def test_the_emergency_stop_goes_out_in_every_state(state: ConnectionState) -> None:
    printer = WAYS[state]()
    assert printer.state is state
    printer.sends()
    printer.events.clear()
    printer.conversation.emergency_stop()
    assert printer.conversation.take_urgent() == b"\nM112\n"
    running = {
        ConnectionState.OPERATIONAL,
        ConnectionState.HANDSHAKING,
        ConnectionState.RESETTING,
    }
    assert printer.state is (ConnectionState.HALTED if state in running else state)
    printer.sends()
    assert len(printer.all(Halted)) == (1 if state in running else 0)


def test_the_emergency_stop_leaves_nothing_behind_that_could_be_sent() -> None:
    printer = connected(window=2)
    printer.queues("G1 X1", "G1 X2", "G1 X3")
    printer.conversation.emergency_stop()
    assert printer.sends() == ["M112"]
    assert printer.hears("ok", "ok") == []
    assert printer.conversation.idle


@pytest.mark.parametrize("state", sorted(set(ConnectionState) - {ConnectionState.CLOSED}))
def test_every_open_connection_can_be_closed(state: ConnectionState) -> None:
    printer = WAYS[state]()
    printer.conversation.close()
    assert printer.state is ConnectionState.CLOSED
    assert printer.conversation.deadline() is None
    assert printer.sends() == []


@pytest.mark.parametrize("state", ConnectionState)
def test_losing_the_port_is_reported_once(state: ConnectionState) -> None:
    printer = WAYS[state]()
    printer.sends()
    printer.events.clear()
    for _ in range(2):
        printer.conversation.fail("port_lost", "The port is gone.", "Check the cable.")
    printer.sends()
    ended = {ConnectionState.CLOSED, ConnectionState.ERROR}
    assert len(printer.all(ConnectionFailed)) == (0 if state in ended else 1)


# Recorded print jobs


@pytest.mark.parametrize(
    ("name", "window", "taken"),
    [("marlin-full-print-window4", 4, 191), ("marlin-uart-print-window16", 16, 175 - 20)],
)
def test_the_answers_of_a_recorded_print_drive_ours(name: str, window: int, taken: int) -> None:
    """From the first numbered line on, the recorded firmware answers us. `taken`: its oks, counted
    with grep, less the 20 that belong to resend requests."""
    entries = recordings.read(name)
    begins = next(at for at, entry in enumerate(entries) if entry.data.startswith(b"N1 "))
    commands: dict[int, str] = {}
    for entry in entries[begins:]:
        if entry.sent and entry.data.startswith(b"N"):
            number, command = entry.data.decode().rsplit("*", 1)[0].split(" ", 1)
            commands[int(number[1:])] = command
    printer = connected(window=window, probe_after=10.0)
    printer.conversation._flow.window.next_number = 1
    sent = printer.queues(*commands.values())
    started, printer.now = entries[begins].time, 0.0
    for entry in entries[begins:]:
        if not entry.sent:
            sent += printer.after(entry.time - started - printer.now)
            printer.conversation.receive(entry.data, printer.now)
            sent += printer.sends()
    assert printer.all(StreamBroken) == []
    assert printer.acknowledged == list(commands.values())[:taken]
    assert set(sent) <= {line(number, command) for number, command in commands.items()}
