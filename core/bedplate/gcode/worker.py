"""The analysis as a process of its own: `python -m bedplate.gcode.worker [--progress] FILE`.

Runs at the lowest priority, so that it takes no time from a print, and writes one JSON document to
its standard output:

    {"ok": true, "analysis": {...}, "thumbnails": [{"width", "height", "media_type", "data"
    (base64)}]} {"ok": false, "code": "not_gcode", "message": "..."}

The exit status is 0 in both cases, so any other status is a crash (2: bad usage). With
`--progress`, lines with the fraction read so far (0 to 1) go to its standard error.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import msgspec

from bedplate.errors import BedplateError
from bedplate.gcode.analysis import Analysis, analyse


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A thumbnail; its bytes are base64 in JSON."""

    width: int
    height: int
    media_type: str
    data: bytes


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What the worker prints for a file that it could read."""

    ok: bool = True
    analysis: Analysis
    thumbnails: list[Picture]


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """What the worker prints for any other: a stable code, and a sentence for people."""

    ok: bool = False
    code: str
    message: str


def main(arguments: list[str] | None = None) -> int:
    """Analyse the file that the arguments name; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bedplate.gcode.worker")
    parser.add_argument("file", type=Path)
    parser.add_argument("--progress", action="store_true", help="fractions on standard error")
    options = parser.parse_args(arguments)
    os.nice(19)
    answer = run(options.file, progress=options.progress)
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()
    return 0


def run(path: Path, *, progress: bool = False) -> Done | Refused:
    """Analyse a file; every expected failure is an answer."""
    try:
        result = analyse(path, progress=_tell if progress else None)
    except BedplateError as error:
        return Refused(code=error.code, message=error.message)
    except OSError as error:
        return Refused(code="file_unreadable", message=f"The file can't be read: {error.strerror}.")
    return Done(
        analysis=result.analysis,
        thumbnails=[Picture(**picture._asdict()) for picture in result.thumbnails],
    )


def _tell(fraction: float) -> None:
    print(f"{fraction:.2f}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
