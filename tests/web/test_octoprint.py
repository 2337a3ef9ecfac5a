"""Our states and events in OctoPrint's words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bedplate.messages.events import (
    EVENTS,
    FilamentUse,
    FileAdded,
    FileAnalysed,
    FirmwareAlarm,
    LayerChanged,
    PrintCancelled,
    PrinterConnected,
    PrinterError,
    PrintFailed,
    PrintProgress,
    PrintStarted,
)
from bedplate.messages.frames import Direction, TerminalLine
from bedplate.messages.printer import PrinterSnapshot
from bedplate.messages.snapshot import (
    FileRef,
    HeaterReading,
    JobSnapshot,
    LinkSnapshot,
    Position,
    Problem,
    Temperatures,
)
from bedplate.messages.states import ConnectionState, JobState, Outcome
from bedplate.printers.view import view
from bedplate.web import octoprint, octoprint_events
from bedplate.web.documents import FilamentDocument, FileFacts, plain

FILE = FileRef(path="dir/a.gcode", origin="local", size=1000)
OTHER = FileRef(path="b.gcode", origin="local", size=1)
JOB = JobSnapshot(
    id="j", file=FILE, state=JobState.PRINTING, started=1.5, offset=250, elapsed=60.9, user="local"
)


def snapshot(
    state: ConnectionState = ConnectionState.OPERATIONAL,
    job: JobSnapshot | None = None,
    selected: FileRef | None = None,
    **link: Any,
) -> PrinterSnapshot:
    return view(
        LinkSnapshot(state=state, job=job, **link),
        printer="default",
        name="Printer",
        time=0.0,
        link_pid=None,
        selected=selected,
        analysis=None,
    )


def in_job(state: JobState) -> PrinterSnapshot:
    return snapshot(job=msgspec.structs.replace(JOB, state=state))


STATES = [
    (snapshot(ConnectionState.CLOSED), "Offline", "OFFLINE", "closedOrError"),
    (snapshot(ConnectionState.OPENING), "Opening serial connection", "OPEN_SERIAL", ""),
    (snapshot(ConnectionState.DETECTING), "Detecting serial connection", "DETECT_SERIAL", ""),
    (snapshot(ConnectionState.HANDSHAKING), "Connecting", "CONNECTING", ""),
    (snapshot(ConnectionState.RESETTING), "Connecting", "CONNECTING", ""),
    (snapshot(), "Operational", "OPERATIONAL", "operational ready"),
    (snapshot(ConnectionState.HALTED), "Error", "ERROR", "error closedOrError"),
    (
        snapshot(ConnectionState.ERROR),
        "Offline after error",
        "CLOSED_WITH_ERROR",
        "error closedOrError",
    ),
    (in_job(JobState.IDLE), "Operational", "OPERATIONAL", "operational ready"),
    (in_job(JobState.STARTING), "Starting", "STARTING", "operational printing"),
    (in_job(JobState.PRINTING), "Printing", "PRINTING", "operational printing"),
    (in_job(JobState.PAUSING), "Pausing", "PAUSING", "operational printing pausing"),
    (in_job(JobState.PAUSED), "Paused", "PAUSED", "operational paused"),
    (in_job(JobState.RESUMING), "Resuming", "RESUMING", "operational printing resuming"),
    (in_job(JobState.FINISHING), "Finishing", "FINISHING", "operational printing finishing"),
    (in_job(JobState.CANCELLING), "Cancelling", "CANCELLING", "operational printing cancelling"),
]


@pytest.mark.parametrize(("state", "text", "id", "set_flags"), STATES)
def test_each_state_has_its_text_its_id_and_its_flags(
    state: PrinterSnapshot, text: str, id: str, set_flags: str
) -> None:
    assert octoprint.state_text(state) == text
    assert octoprint.state_id(state) == id
    flags = plain(octoprint.flags(state))
    assert {name for name, value in flags.items() if value} == set(set_flags.split())
    assert len(flags) == 11


def test_every_state_there_is_has_an_id() -> None:
    seen = {state.connection.state for state, *_ in STATES}
    assert seen == set(ConnectionState)
    texts = {octoprint.state_text(in_job(state)) for state in JobState}
    assert texts <= set(octoprint.STATE_IDS)


def test_a_closed_port_is_offline_or_closed() -> None:
    assert octoprint.connection_text(snapshot(ConnectionState.CLOSED)) == "Closed"
    assert octoprint.connection_text(snapshot()) == "Operational"


def test_what_is_wrong_is_told_with_what_helps() -> None:
    problem = Problem(code="port_busy", text="The port is taken.", hint="Close the other program.")
    state = snapshot(ConnectionState.ERROR, problem=problem)
    assert octoprint.state_document(state).error == "The port is taken. Close the other program."
    assert octoprint.state_document(snapshot()).error == ""


def test_the_first_tool_is_there_before_any_report() -> None:
    assert plain(octoprint.heaters(snapshot(), 1)) == {
        "tool0": {"actual": None, "target": None, "offset": 0}
    }
    report = Temperatures(
        time=1.9, heaters={"tool0": HeaterReading(20.0, 0.0), "bed": HeaterReading(21.0, None)}
    )
    heaters = plain(octoprint.heaters(snapshot(temperatures=report), 2))
    assert list(heaters) == ["tool0", "tool1", "bed"]
    assert heaters["bed"] == {"actual": 21.0, "target": None, "offset": 0}


@pytest.mark.parametrize(
    ("limit", "times"), [(None, [0, 1, 2]), (2, [1, 2]), (0, []), (9, [0, 1, 2])]
)
def test_a_history_has_whole_seconds_and_the_newest_points(
    limit: int | None, times: list[int]
) -> None:
    samples = [
        Temperatures(time=number + 0.9, heaters={"tool0": HeaterReading(20.0, 0.0)})
        for number in range(3)
    ]
    points = octoprint.history_points(samples, limit)
    assert [point["time"] for point in points] == times


def ended(outcome: Outcome) -> JobSnapshot:
    return msgspec.structs.replace(JOB, state=JobState.IDLE, outcome=outcome)


@pytest.mark.parametrize(
    ("state", "completion", "filepos", "time"),
    [
        (snapshot(), None, None, None),
        (snapshot(job=JOB), 25.0, 250, 60),
        (snapshot(job=ended(Outcome.DONE), selected=FILE), 100.0, 1000, 60),
        (snapshot(job=ended(Outcome.FAILED), selected=FILE), 25.0, 250, 60),
        (snapshot(job=ended(Outcome.CANCELLED), selected=FILE), None, None, None),
        (snapshot(job=ended(Outcome.DONE)), None, None, None),
        (snapshot(job=ended(Outcome.DONE), selected=OTHER), None, None, None),
    ],
)
def test_progress_stays_after_a_print_and_goes_with_its_file(
    state: PrinterSnapshot, completion: float | None, filepos: int | None, time: int | None
) -> None:
    progress = octoprint.progress(state)
    assert (progress.completion, progress.filepos, progress.print_time) == (
        completion,
        filepos,
        time,
    )


def test_completion_is_a_number_as_soon_as_it_prints() -> None:
    """The command line client rounds it without asking."""
    for job_state in set(JobState) - {JobState.IDLE}:
        begun = msgspec.structs.replace(JOB, state=job_state, offset=0)
        assert octoprint.progress(snapshot(job=begun)).completion == 0.0


def test_a_job_has_all_keys_with_and_without_a_file() -> None:
    facts = FileFacts(
        display="Ä.gcode",
        date=7,
        estimated_time=60.0,
        average_time=61.0,
        last_time=62.0,
        filament={"tool0": FilamentDocument(length=1.0, volume=2.0)},
    )
    document = plain(octoprint.job_document(snapshot(job=JOB), facts))
    assert document == {
        "file": {
            "name": "a.gcode",
            "path": "dir/a.gcode",
            "display": "Ä.gcode",
            "origin": "local",
            "size": 1000,
            "date": 7,
        },
        "estimatedPrintTime": 60.0,
        "averagePrintTime": 61.0,
        "lastPrintTime": 62.0,
        "filament": {"tool0": {"length": 1.0, "volume": 2.0}},
        "user": "local",
    }
    empty = plain(octoprint.job_document(snapshot(), None))
    assert set(empty) == set(document)
    assert set(empty["file"]) == set(document["file"])
    assert set(empty["file"].values()) == {None}
    assert empty["filament"] is None
    offline = plain(octoprint.job_document(snapshot(ConnectionState.CLOSED), None))
    assert offline["filament"] == {"length": None, "volume": None}


@pytest.mark.parametrize(
    ("direction", "line"),
    [
        (Direction.SENT, "Send: M105"),
        (Direction.RECEIVED, "Recv: M105"),
        (Direction.NOTE, "M105"),
    ],
)
def test_lines_begin_as_in_octoprints_terminal(direction: Direction, line: str) -> None:
    assert octoprint.log_line(TerminalLine(0.0, direction, "M105")) == line


# -- events ----------------------------------------------------------------------------------------

AT = {"name": "a.gcode", "path": "dir/a.gcode", "origin": "local", "size": 1000, "owner": None}

TOLD = [
    (
        PrinterConnected(port="P", baudrate=1, firmware="M"),
        [("Connected", {"port": "P", "baudrate": 1})],
    ),
    (
        PrinterError(error="Gone.", reason="port_gone"),
        [("Error", {"error": "Gone.", "reason": "connection"})],
    ),
    (
        PrinterError(error="Late.", reason="timeout"),
        [("Error", {"error": "Late.", "reason": "timeout"})],
    ),
    (
        FirmwareAlarm(kind="killed", line="Error:!!", log=["a"]),
        [
            ("Error", {"error": "Error:!!", "reason": "firmware", "logs": ["a"]}),
            ("FirmwareAlarm", {"kind": "killed", "line": "Error:!!", "log": ["a"]}),
        ],
    ),
    (PrintStarted(file=FILE, job="j", user="u"), [("PrintStarted", {**AT, "user": "u"})]),
    (
        PrintFailed(
            file=FILE, job="j", time=2.0, reason="line_gone", error="Lost.", offset=1, line=1
        ),
        [
            (
                "PrintFailed",
                {**AT, "time": 2.0, "reason": "error", "error": "Lost.", "code": "line_gone"},
            )
        ],
    ),
    (
        PrintCancelled(
            file=FILE, job="j", time=2.0, offset=505, line=9, position=Position(x=1, y=2, z=3, e=4)
        ),
        [
            (
                "PrintCancelled",
                {
                    **AT,
                    "time": 2.0,
                    "user": None,
                    "fileposition": 505,
                    "progress": 50,
                    "position": {"x": 1, "y": 2, "z": 3, "e": 4},
                },
            ),
            ("PrintFailed", {**AT, "time": 2.0, "reason": "cancelled"}),
        ],
    ),
    (
        LayerChanged(job="j", layer=2, layers=9, z=0.4),
        [
            ("ZChange", {"new": 0.4, "old": None}),
            ("LayerChanged", {"job": "j", "layer": 2, "layers": 9, "z": 0.4}),
        ],
    ),
    (
        FileAdded(path="dir/a.gcode", origin="local"),
        [
            (
                "FileAdded",
                {
                    "storage": "local",
                    "path": "dir/a.gcode",
                    "name": "a.gcode",
                    "type": ["machinecode", "gcode"],
                    "operation": "add",
                },
            ),
            ("UpdatedFiles", {"type": "printables"}),
        ],
    ),
    (
        PrintProgress(file=FILE, job="j", completion=25.0, time=9.0),
        [
            (
                "PrintProgress",
                {
                    "file": {"path": "dir/a.gcode", "origin": "local", "size": 1000},
                    "job": "j",
                    "completion": 25.0,
                    "time": 9.0,
                    "time_left": None,
                },
            )
        ],
    ),
]


@pytest.mark.parametrize(("event", "told"), TOLD)
def test_events_are_told_under_the_names_that_clients_know(event: Any, told: Any) -> None:
    assert octoprint_events.translate(event) == told


def test_an_analysis_is_told_with_its_result() -> None:
    use = FilamentUse(length=1.0, volume=2.0)
    event = FileAnalysed(
        path="a.gcode",
        origin="local",
        ok=True,
        layers=3,
        estimated_time=9.0,
        filament={"tool0": use},
    )
    name, payload = octoprint_events.translate(event)[0]
    assert name == "MetadataAnalysisFinished"
    assert payload is not None
    assert payload["result"]["estimatedPrintTime"] == 9.0
    failed = FileAnalysed(path="a.gcode", origin="local", ok=False)
    _, payload = octoprint_events.translate(failed)[0]
    assert payload is not None
    assert payload["result"] == {}


def test_no_event_is_silent() -> None:
    """Whatever is not in the table goes out under its own name; what is in it is an event."""
    assert set(octoprint_events.TRANSLATIONS) <= set(EVENTS)


def test_changes_of_the_state_are_told() -> None:
    before, after = snapshot(), snapshot(job=JOB, selected=FILE)
    assert octoprint_events.changes(before, after) == [
        ("FileSelected", {**AT, "user": None}),
        ("PrinterStateChanged", {"state_id": "PRINTING", "state_string": "Printing"}),
    ]
    assert octoprint_events.changes(after, after) == []
    assert octoprint_events.changes(snapshot(selected=FILE), snapshot()) == [
        ("FileDeselected", None)
    ]
