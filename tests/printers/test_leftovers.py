"""What a link that is gone left on disk."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bedplate.messages.checkpoint import Checkpoint
from bedplate.messages.codec import encode_event
from bedplate.messages.events import PrinterDisconnected
from bedplate.messages.snapshot import FileRef, JobSnapshot
from bedplate.messages.states import ACTIVE_JOB_STATES, JobState, Outcome
from bedplate.printers.leftovers import interrupted_job, last_job, stored_events


def line(seq: int) -> bytes:
    return encode_event(seq, f"id-{seq}", "2026-01-01T00:00:00Z", PrinterDisconnected(port="x"))


def numbers(directory: Path) -> list[tuple[str, list[int]]]:
    return [(link, [f.seq for f in frames]) for _, link, frames in stored_events(directory)]


def test_nothing_is_left_in_most_cases(tmp_path: Path) -> None:
    assert numbers(tmp_path) == []
    assert interrupted_job(tmp_path) is None


def test_the_events_of_each_link_in_order(tmp_path: Path) -> None:
    (tmp_path / "events.aa.jsonl").write_bytes(line(1) + line(2))
    (tmp_path / "events.bb.jsonl").write_bytes(line(1))
    (tmp_path / "events.cc.jsonl").write_bytes(b"")
    assert numbers(tmp_path) == [("aa", [1, 2]), ("bb", [1]), ("cc", [])]


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_last_line_that_a_power_cut_shortened_is_left_out(tmp_path: Path, cut: int) -> None:
    (tmp_path / "events.aa.jsonl").write_bytes((line(1) + line(2))[:-cut])
    assert numbers(tmp_path) == [("aa", [1])]


@pytest.mark.parametrize("nonsense", [b"\x00" * 50 + b"\n", b"{}\n", b"[1]\n", b"\xff\n"])
def test_nonsense_ends_the_list(tmp_path: Path, nonsense: bytes) -> None:
    (tmp_path / "events.aa.jsonl").write_bytes(line(1) + nonsense + line(2))
    assert numbers(tmp_path) == [("aa", [1])]


def write_checkpoint(directory: Path, state: JobState, outcome: Outcome | None = None) -> None:
    checkpoint = Checkpoint(
        job=JobSnapshot(
            id="1",
            file=FileRef(path="x.gcode", origin="local", size=10),
            state=state,
            outcome=outcome,
            offset=5,
            line=2,
            started=0.0,
        ),
        source="/x.gcode",
        time=1.0,
        temperatures=None,
        position=None,
    )
    (directory / "checkpoint.json").write_bytes(msgspec.json.encode(checkpoint))


@pytest.mark.parametrize("state", sorted(ACTIVE_JOB_STATES))
def test_a_job_that_ran_is_told_once(tmp_path: Path, state: JobState) -> None:
    write_checkpoint(tmp_path, state)
    told = interrupted_job(tmp_path)
    assert told is not None
    assert (told.state, told.outcome) == (JobState.IDLE, Outcome.FAILED)
    assert (told.offset, told.line) == (5, 2)
    assert told.problem is not None
    assert told.problem.code == "interrupted"
    assert interrupted_job(tmp_path) is None
    kept = msgspec.json.decode((tmp_path / "checkpoint.json").read_bytes(), type=Checkpoint)
    assert kept.job == told == last_job(tmp_path)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_job_that_ended_is_not_told(tmp_path: Path, outcome: Outcome) -> None:
    write_checkpoint(tmp_path, JobState.IDLE, outcome)
    assert interrupted_job(tmp_path) is None
    last = last_job(tmp_path)
    assert last is not None
    assert last.outcome is outcome


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\x00" * 100])
def test_a_checkpoint_that_can_not_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "checkpoint.json").write_bytes(content)
    assert interrupted_job(tmp_path) is None
    assert last_job(tmp_path) is None
