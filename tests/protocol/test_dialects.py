"""Firmwares by what they say of themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.protocol.dialects import (
    DIALECTS,
    GENERIC,
    LONG_COMMANDS,
    by_name,
    recognise,
    takes_long,
)


@pytest.mark.parametrize(
    ("firmware", "dialect"),
    [
        ("Marlin 2.0.9.5 (Nov 22 2026 13:59:25)", "marlin"),
        ("Virtual Marlin 1.0", "marlin"),
        ("Klipper", "klipper"),
        ("Teacup", "teacup"),
        ("Prusa-Firmware 3.9.0 based on Marlin", "prusa"),
        ("RepRapFirmware for Duet 2 WiFi/Ethernet", "reprapfirmware"),
        ("Repetier_1.0.4", "repetier"),
        ("Smoothieware", "smoothieware"),
        ("Something else", "generic"),
        ("", "generic"),
    ],
)
def test_a_firmware_is_recognised_by_its_name(firmware: str, dialect: str) -> None:
    assert recognise({"FIRMWARE_NAME": firmware}).name == dialect


def test_a_firmware_without_a_name_is_generic() -> None:
    assert recognise({}) is GENERIC


def test_every_dialect_has_a_name_of_its_own_and_is_found_by_it() -> None:
    names = [dialect.name for dialect in DIALECTS]
    assert len(set(names)) == len(names)
    assert [by_name(name) for name in names] == list(DIALECTS)
    assert by_name("unheard of") is GENERIC


def test_who_checks_the_order_of_lines() -> None:
    """Where it is not checked, a line that may have been taken must not be sent again."""
    unchecked = {dialect.name for dialect in DIALECTS if not dialect.checks_order}
    assert unchecked == {"klipper", "teacup", "smoothieware"}
    assert [d.name for d in DIALECTS if not d.temperature_answer_has_ok] == ["teacup"]


@pytest.mark.parametrize("command", [b"G28", b"G28 X0", b"g28", b"M109S200", b"G04 P5", b"M0 Wait"])
def test_commands_that_take_long(command: bytes) -> None:
    assert takes_long(command)


@pytest.mark.parametrize("command", [b"G1 X1", b"G280", b"M105", b"M1090", b"", b"  ", b"\t"])
def test_commands_that_do_not(command: bytes) -> None:
    assert not takes_long(command)


@given(st.sampled_from(sorted(LONG_COMMANDS)), st.binary(max_size=10))
def test_parameters_make_no_difference(command: bytes, rest: bytes) -> None:
    assert takes_long(command + b" " + rest)
