"""`python -m bedplate.link`: become the link of one printer. Started by the host, detached from
it."""

from __future__ import annotations

import argparse
import fcntl
import gc
import logging
import sys
from pathlib import Path

from bedplate.link import handlers
from bedplate.link.runner import Link

ALREADY_RUNNING = 4
"""Exit status where this printer has a link already."""


def main() -> int:
    """Run until the link has nothing left to do."""
    parser = argparse.ArgumentParser(prog="bedplate.link", description=__doc__)
    parser.add_argument("--printer", required=True)
    parser.add_argument("--directory", required=True, type=Path, help="the printer's own")
    parser.add_argument("--socket", required=True)
    parser.add_argument("--serial-log", required=True, type=Path)
    options = parser.parse_args()
    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stderr
    )
    lock = (options.directory / "link.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        logging.error("printer %s has a link already", options.printer)
        return ALREADY_RUNNING
    link = Link(
        options.printer,
        options.directory,
        options.socket,
        options.serial_log,
        obey=handlers.obey,
        handle=handlers.handle,
    )
    # The heap is small and has no cycles that grow; a collection in mid-stream would only cost
    # time.
    gc.collect()
    gc.freeze()
    gc.disable()
    link.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
