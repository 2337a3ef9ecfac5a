"""What clients are told of a printer: texts, completion, remaining time."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.gcode.records import Analysis, Layer
from bedplate.messages.printer import PrinterSnapshot
from bedplate.messages.snapshot import FileRef, JobSnapshot, LinkSnapshot, Problem
from bedplate.messages.states import ConnectionState, JobState, Outcome
from bedplate.printers.view import (
    CONNECTION_TEXTS,
    JOB_TEXTS,
    completion,
    remaining_time,
    view,
)

SIZE = 10_000
ANALYSIS = msgspec.convert(
    {
        "sha1": "",
        "size": SIZE,
        "lines": 500,
        "commands": 400,
        "layers": [],
        "height": 1.0,
        "printing_area": None,
        "travel_area": None,
        "filament": {},
        "filament_source": "computed",
        "computed_filament": {},
        "estimated_time": 1000.0,
        "estimated_time_source": "computed",
        "computed_time": 1000.0,
        "slicer": None,
        "slicer_version": None,
        "filament_types": [],
        "filament_diameter": 1.75,
        "layer_height": None,
        "first_layer_temperatures": {},
        "temperatures": {},
        "thumbnails": [],
        "longest_command": None,
        "warnings": [],
    },
    Analysis,
)


def job(
    offset: int = 0,
    elapsed: float = 0.0,
    state: JobState = JobState.PRINTING,
    outcome: Outcome | None = None,
) -> JobSnapshot:
    return JobSnapshot(
        id="1",
        file=FileRef(path="x.gcode", origin="local", size=SIZE),
        state=state,
        outcome=outcome,
        offset=offset,
        elapsed=elapsed,
        started=0.0,
    )


def look(
    link: LinkSnapshot, problem: Problem | None = None, analysis: Analysis | None = None
) -> PrinterSnapshot:
    return view(
        link,
        printer="default",
        name="Printer",
        time=1.0,
        link_pid=7,
        selected=None,
        analysis=analysis,
        problem=problem,
    )


# Texts


@pytest.mark.parametrize("state", list(ConnectionState))
def test_every_state_of_a_connection_has_a_text(state: ConnectionState) -> None:
    assert look(LinkSnapshot(state=state)).connection.text == CONNECTION_TEXTS[state]


@pytest.mark.parametrize("state", [state for state in JobState if state is not JobState.IDLE])
def test_a_running_jobs_text_takes_the_place_of_the_connections(state: JobState) -> None:
    link = LinkSnapshot(state=ConnectionState.OPERATIONAL, job=job(state=state))
    assert look(link).connection.text == JOB_TEXTS[state]


def test_after_a_job_the_printer_is_operational_again() -> None:
    ended = job(state=JobState.IDLE, outcome=Outcome.DONE)
    link = LinkSnapshot(state=ConnectionState.OPERATIONAL, job=ended)
    assert look(link).connection.text == "Operational"


def test_the_hosts_own_problem_counts_more_than_the_links() -> None:
    problem = Problem(code="link_lost", text="gone")
    link = LinkSnapshot(
        state=ConnectionState.OPERATIONAL, problem=Problem(code="other", text="other")
    )
    connection = look(link, problem).connection
    assert connection.state is ConnectionState.ERROR
    assert connection.text == "Offline after error"
    assert connection.problem == problem
    assert look(link).connection.problem == Problem(code="other", text="other")


# Completion


@given(offset=st.integers(0, SIZE + 1))
def test_only_a_print_that_is_done_is_complete(offset: int) -> None:
    assert 0 <= completion(job(offset)) < 100
    assert completion(job(offset, state=JobState.IDLE, outcome=Outcome.DONE)) == 100
    assert completion(job(offset, state=JobState.IDLE, outcome=Outcome.CANCELLED)) < 100


def test_half_the_bytes_are_half_the_print() -> None:
    assert completion(job(SIZE // 2)) == 50
    assert completion(msgspec.structs.replace(job(), file=FileRef(path="", origin="", size=0))) == 0


# Remaining time


def test_without_an_analysis_the_bytes_so_far_give_it() -> None:
    assert remaining_time(job(SIZE // 4, 100), None) == (300.0, "linear")


def test_at_the_very_beginning_nothing_can_be_said() -> None:
    assert remaining_time(job(0, 5), None) == (None, None)
    assert remaining_time(job(SIZE // 200, 5), None) == (None, None)


def test_at_the_beginning_the_analysis_is_believed_as_it_is() -> None:
    assert remaining_time(job(0, 300), ANALYSIS) == (1000.0, "analysis")
    remaining, _ = remaining_time(job(SIZE // 20, 400), ANALYSIS)  # heating up took long
    assert remaining == pytest.approx(950)


def test_later_a_prints_own_pace_corrects_the_analysis() -> None:
    remaining, origin = remaining_time(job(SIZE // 2, 600), ANALYSIS)
    assert remaining == pytest.approx(600)
    assert origin == "analysis"


@pytest.mark.parametrize(("elapsed", "expected"), [(50_000, 1500), (1, 250)])
def test_a_pace_beyond_belief_is_limited(elapsed: float, expected: float) -> None:
    assert remaining_time(job(SIZE // 2, elapsed), ANALYSIS)[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [(Outcome.DONE, 0.0), (Outcome.FAILED, None), (Outcome.CANCELLED, None)],
)
def test_after_a_print_nothing_remains_or_nobody_knows(
    outcome: Outcome, expected: float | None
) -> None:
    ended = job(SIZE // 2, 10, JobState.IDLE, outcome)
    assert remaining_time(ended, ANALYSIS) == (expected, None)


@given(
    offset=st.integers(0, SIZE),
    elapsed=st.floats(0, 1e6),
    starts=st.lists(st.tuples(st.integers(0, SIZE), st.floats(0, 1000)), max_size=5),
)
def test_it_is_never_negative(offset: int, elapsed: float, starts: list[tuple[int, float]]) -> None:
    places = zip(sorted(at for at, _ in starts), sorted(time for _, time in starts), strict=True)
    layers = [Layer(offset=at, line=1, z=0.2, time=time) for at, time in places]
    analysis = msgspec.structs.replace(ANALYSIS, layers=layers)
    remaining, origin = remaining_time(job(offset, elapsed), analysis)
    assert remaining is not None
    assert 0 <= remaining <= 3000
    assert origin == "analysis"


def test_the_analysis_adds_the_number_of_lines() -> None:
    link = LinkSnapshot(state=ConnectionState.OPERATIONAL, job=job())
    with_analysis, without = look(link, analysis=ANALYSIS).job, look(link).job
    assert with_analysis is not None
    assert without is not None
    assert (with_analysis.lines, without.lines) == (500, None)
