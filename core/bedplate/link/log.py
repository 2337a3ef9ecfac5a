"""The link's log: lines on standard error, which the host has directed to
`logs/link-<printer>.log`.

The standard library's logging would take a megabyte of a process that shall have fewer than 20.
"""

from __future__ import annotations

import sys
import time


def write(text: str) -> None:
    """One line, with the time of day (UTC)."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    print(stamp, text, file=sys.stderr, flush=True)


def write_fault() -> None:
    """The exception that is being handled, with its traceback."""
    import traceback  # only when something is broken already

    write(traceback.format_exc())
