"""The state tables: complete, connected, and drawn in the documentation as they are."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from pathlib import Path

import pytest

from bedplate.devtools import state_diagrams
from bedplate.messages.states import ConnectionState, JobState
from bedplate.protocol.errors import LocalProtocolError
from bedplate.protocol.tables import CONNECTION, JOB, ConnectionTrigger, JobTrigger, Machine

Table = Mapping[StrEnum, Mapping[StrEnum, StrEnum]]
TABLES = [
    pytest.param(CONNECTION, ConnectionState, ConnectionTrigger, id="connection"),
    pytest.param(JOB, JobState, JobTrigger, id="job"),
]


def reachable(table: Table, start: StrEnum) -> set[StrEnum]:
    """Every state that some moves lead to from `start`, itself among them."""
    found, todo = {start}, [start]
    while todo:
        for target in table[todo.pop()].values():
            if target not in found:
                found.add(target)
                todo.append(target)
    return found


@pytest.mark.parametrize(("table", "states", "triggers"), TABLES)
def test_every_move_is_listed_or_refused(
    table: Table, states: type[StrEnum], triggers: type[StrEnum]
) -> None:
    for state, trigger in product(states, triggers):
        machine = Machine(table, state)
        listed = trigger in table[state]
        assert machine.allows(trigger) is listed
        if listed:
            assert machine.fire(trigger) is table[state][trigger]
            assert machine.state is table[state][trigger]
        else:
            with pytest.raises(LocalProtocolError, match=f"'{trigger}'.*'{state}'"):
                machine.fire(trigger)
            assert machine.state is state


@pytest.mark.parametrize(("table", "states", "triggers"), TABLES)
def test_every_state_is_a_row_and_every_trigger_is_used(
    table: Table, states: type[StrEnum], triggers: type[StrEnum]
) -> None:
    assert set(table) == set(states)
    assert {trigger for moves in table.values() for trigger in moves} == set(triggers)


@pytest.mark.parametrize(
    ("table", "first"),
    [
        pytest.param(CONNECTION, ConnectionState.CLOSED, id="connection"),
        pytest.param(JOB, JobState.IDLE, id="job"),
    ],
)
def test_every_state_can_be_reached_and_left_for_the_first_one(
    table: Table, first: StrEnum
) -> None:
    assert reachable(table, first) == set(table)
    for state in table:
        assert first in reachable(table, state), state


def test_a_connection_can_be_closed_at_once_wherever_it_stands() -> None:
    for state in set(ConnectionState) - {ConnectionState.CLOSED}:
        assert CONNECTION[state][ConnectionTrigger.CLOSE] is ConnectionState.CLOSED


def test_an_error_has_no_way_out_but_closing() -> None:
    assert set(CONNECTION[ConnectionState.ERROR]) == {ConnectionTrigger.CLOSE}


def test_a_halted_printer_takes_nothing_before_its_reset() -> None:
    onward = set(CONNECTION[ConnectionState.HALTED].values())
    assert onward == {ConnectionState.RESETTING, ConnectionState.ERROR, ConnectionState.CLOSED}


def test_every_job_can_end_at_once() -> None:
    for state in set(JobState) - {JobState.IDLE}:
        assert JOB[state][JobTrigger.END] is JobState.IDLE


def test_a_cancelled_job_only_ends() -> None:
    assert set(JOB[JobState.CANCELLING]) == {JobTrigger.END}


# The diagrams


def test_the_documentation_is_not_stale() -> None:
    assert state_diagrams.main(["--check"]) == 0


def test_the_page_names_every_move() -> None:
    page = state_diagrams.PAGE.read_text("utf-8")
    for table in (CONNECTION, JOB):
        for state, moves in table.items():
            for trigger, target in moves.items():
                arrows = [row for row in page.splitlines() if f"{state} --> {target}: " in row]
                assert any(trigger.value in row.split(": ")[1].split(", ") for row in arrows)


def test_a_stale_page_is_noticed_and_redrawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "docs" / "page.md"
    assert state_diagrams.main(["--check", "--page", str(page)]) == 1
    assert state_diagrams.main(["--page", str(page)]) == 0
    assert state_diagrams.main(["--check", "--page", str(page)]) == 0
    page.write_text(page.read_text("utf-8").replace("operational --> halted", "x --> y"), "utf-8")
    assert state_diagrams.main(["--check", "--page", str(page)]) == 1
    assert "stale" in capsys.readouterr().err


def test_what_is_written_around_the_diagrams_stays(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Mine.\n" + state_diagrams.FRAME + "Mine too.\n", "utf-8")
    state_diagrams.main(["--page", str(page)])
    text = page.read_text("utf-8")
    assert text.startswith("Mine.\n")
    assert text.endswith("Mine too.\n")
    assert "stateDiagram-v2" in text
    page.write_text("no markers\n", "utf-8")
    with pytest.raises(ValueError, match="connection"):
        state_diagrams.main(["--page", str(page)])
