"""The host's log: written in the background, bounded, and not to be forged."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from bedplate import log as log_module
from bedplate.log import setup_logging

RECORD = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARNING|ERROR) +\S+: ")


def test_records_go_to_the_file_and_warnings_to_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    close = setup_logging(tmp_path / "logs", "info")
    logger = logging.getLogger("bedplate.test")
    logger.debug("too fine")
    logger.info("a note with %s", "arguments")
    logger.warning("a warning")
    close()
    logger.warning("too late")
    lines = (tmp_path / "logs" / "host.log").read_text().splitlines()
    assert [RECORD.sub("", line) for line in lines] == ["a note with arguments", "a warning"]
    assert all(RECORD.match(line) for line in lines)
    printed = capsys.readouterr().err
    assert "a warning" in printed
    assert "a note" not in printed


def test_text_from_outside_can_neither_forge_a_record_nor_steer_a_terminal(tmp_path: Path) -> None:
    close = setup_logging(tmp_path)
    logging.getLogger("bedplate.test").info("file %s", "a\n2026-01-01 ERROR x\r\x1b[2J\x85.gcode")
    close()
    text = (tmp_path / "host.log").read_text()
    first, second = text.splitlines()
    assert RECORD.match(first)
    assert second.startswith("    2026-01-01 ERROR x\\x0d\\x1b[2J\\x85.gcode")


def test_a_traceback_is_written_once(tmp_path: Path) -> None:
    close = setup_logging(tmp_path)
    try:
        raise ValueError("inside")
    except ValueError:
        logging.getLogger("bedplate.test").exception("it failed")
    close()
    text = (tmp_path / "host.log").read_text()
    assert text.count("Traceback") == 1
    assert "    ValueError: inside" in text


def test_the_log_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "FILE_SIZE", 10_000)
    close = setup_logging(tmp_path)
    for number in range(2000):
        logging.getLogger("bedplate.test").info("record %d of many", number)
    close()
    files = sorted(tmp_path.iterdir())
    assert len(files) == 5
    assert all(file.stat().st_size <= 10_000 for file in files)
    assert "record 1999" in (tmp_path / "host.log").read_text()


def test_a_log_that_cannot_be_written_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(log_module, "FILE_SIZE", 100)
    close = setup_logging(tmp_path)
    (tmp_path / "host.log.1").mkdir()
    (tmp_path / "host.log.1" / "full").touch()  # rotation fails on it
    for _ in range(10):
        logging.getLogger("bedplate.test").info("x" * 90)
    close()
    assert "Traceback" not in capsys.readouterr().err
