"""Draws the state tables into `docs/state-machines.md`, as Mermaid diagrams and lists of moves.

`python -m bedplate.devtools.state_diagrams` writes them between the page's markers; with `--check`
it only says whether they are stale (exit status 1).
"""

from __future__ import annotations

import argparse
import ast
import inspect
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from textwrap import dedent
from typing import TypeVar

from bedplate.messages.states import ConnectionState, JobState
from bedplate.protocol.tables import CONNECTION, JOB, ConnectionTrigger, JobTrigger

PAGE = Path(__file__).parents[3] / "docs" / "state-machines.md"
BEGIN, END = "<!-- {}: drawn from the tables -->", "<!-- {}: end -->"

FRAME = """\
# State machines

Every state and every move of a printer's connection and of its job stands in one file,
`core/bedplate/protocol/tables.py`; a move that is not listed there is refused. The diagrams below
are drawn from it by `python -m bedplate.devtools.state_diagrams`, and a test fails when they are
stale.

## Connection

<!-- connection: drawn from the tables -->
<!-- connection: end -->

## Job

<!-- job: drawn from the tables -->
<!-- job: end -->
"""
"""A page without its diagrams, for where there is none yet."""

State = TypeVar("State", bound=StrEnum)
Trigger = TypeVar("Trigger", bound=StrEnum)


def meanings(enum: type[StrEnum]) -> dict[str, str]:
    """Value of each member to its docstring, for those that have one; read from the source."""
    tree = ast.parse(dedent(inspect.getsource(enum))).body[0]
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str] = {}
    for member, text in zip(tree.body, tree.body[1:], strict=False):
        if (
            isinstance(member, ast.Assign)
            and isinstance(member.targets[0], ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            found[enum[member.targets[0].id].value] = " ".join(str(text.value.value).split())
    return found


def diagram(table: Mapping[State, Mapping[Trigger, State]], first: State) -> str:
    """One table as a Mermaid state diagram; moves between the same two states share an arrow."""
    lines = ["stateDiagram-v2", f"    [*] --> {first}"]
    for state, moves in table.items():
        arrows: dict[State, list[str]] = {}
        for trigger, target in moves.items():
            arrows.setdefault(target, []).append(trigger.value)
        lines += [f"    {state} --> {target}: {', '.join(by)}" for target, by in arrows.items()]
    return "\n".join(lines)


def section(
    table: Mapping[State, Mapping[Trigger, State]], first: State, triggers: type[Trigger]
) -> str:
    """What stands between the markers: the diagram, and what each move means."""
    texts = meanings(triggers)
    rows = [f"| {trigger} | {texts.get(trigger, '')} |" for trigger in triggers]
    head = ["| move | meaning |", "|---|---|"]
    return "\n".join(["```mermaid", diagram(table, first), "```", "", *head, *rows])


def render(page: str) -> str:
    """`page` with its diagrams drawn anew. Raises ValueError where a marker is missing."""
    for name, text in (
        ("connection", section(CONNECTION, ConnectionState.CLOSED, ConnectionTrigger)),
        ("job", section(JOB, JobState.IDLE, JobTrigger)),
    ):
        begin, end = BEGIN.format(name), END.format(name)
        before, _, rest = page.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"the page lacks the markers of '{name}'")
        page = f"{before}{begin}\n{text}\n{end}{after}"
    return page


def main(arguments: list[str] | None = None) -> int:
    """The command line. Answers the exit status."""
    parser = argparse.ArgumentParser(prog="bedplate.devtools.state_diagrams", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, only compare")
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args(arguments)
    page: Path = options.page
    present = page.read_text("utf-8") if page.exists() else ""
    drawn = render(present or FRAME)
    if options.check:
        if drawn != present:
            print(f"{page} is stale: run python -m {parser.prog}", file=sys.stderr)
        return int(drawn != present)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(drawn, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
