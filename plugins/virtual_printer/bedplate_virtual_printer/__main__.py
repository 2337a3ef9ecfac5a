"""`python -m bedplate_virtual_printer`: the virtual printer alone, with nothing but Python."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from .board import Board, BoardError, BoardOptions
from .faults import FAULTS, UnknownFault
from .firmware import Firmware, Options


class _Ended(BaseException):
    """A signal asked for the end."""


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise _Ended


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="bedplate virtual-printer",
        description="A Marlin-like printer behind a pseudo-terminal. "
        "Its first line of output names the port: PTY PATH.",
    )
    parser.add_argument("--link", type=Path, metavar="PATH", help="make a symlink to the port")
    parser.add_argument(
        "--speed",
        type=float,
        default=1.0,
        metavar="X",
        help="how much faster than real it heats and moves; 0: no time at all (default 1)",
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="of all chance (default 1)"
    )
    parser.add_argument(
        "--record", type=Path, metavar="FILE", help="write each accepted command to FILE"
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[=PROBABILITY]",
        help="let something go wrong now and then; again for more: " + ", ".join(FAULTS),
    )
    parser.add_argument(
        "--advanced-ok", action="store_true", help="answer `ok N2 P15 B3` instead of `ok`"
    )
    parser.add_argument(
        "--on-open",
        choices=["greet", "reset", "silent"],
        default="greet",
        help="when the port is opened again: say the greeting (default), reset, or say nothing",
    )
    parser.add_argument(
        "--reset-on-open",
        dest="on_open",
        action="store_const",
        const="reset",
        help="the same as --on-open reset",
    )
    parser.add_argument(
        "--exit-on-close",
        action="store_true",
        help="end when the port is closed, or when nobody opens it within 30 s",
    )
    return parser


def parse_faults(texts: Sequence[str]) -> dict[str, float]:
    """`NAME` or `NAME=PROBABILITY` each, to a table. Raises UnknownFault and ValueError."""
    faults: dict[str, float] = {}
    for text in texts:
        name, equals, probability = text.partition("=")
        if name not in FAULTS:
            raise UnknownFault(name)
        try:
            faults[name] = float(probability) if equals else FAULTS[name].probability
        except ValueError:
            raise ValueError(f"not a probability: {text!r}") from None
    return faults


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until the port is closed or a signal comes. Exit status 2: bad usage."""
    parser = build_parser()
    chosen = parser.parse_args(arguments)
    options = BoardOptions(chosen.link, chosen.record, chosen.on_open, chosen.exit_on_close)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        firmware = Options(
            speed=chosen.speed,
            seed=chosen.seed,
            advanced_ok=chosen.advanced_ok,
            faults=parse_faults(chosen.fault),
        )
        with Board(lambda now: Firmware(firmware, now), options) as board:
            _announce(board.path, chosen.exit_on_close)
            board.run()
    except (BoardError, ValueError) as error:
        parser.error(str(error))
    except _Ended:
        pass
    return 0


def _announce(path: str, then_mute: bool) -> None:
    """Name the port on standard output, which may be closed by then or soon after."""
    try:
        print(f"PTY {path}", flush=True)
    except BrokenPipeError:
        then_mute = True
    if then_mute:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(nowhere, stream)
        os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main())
