"""`python -m bedplate.link OPTIONS`: become the link of one printer. Started by the host, detached.

OPTIONS is one JSON document, `bedplate.messages.frames.LinkOptions`.
"""

from __future__ import annotations

import fcntl
import gc
import sys
from pathlib import Path

import msgspec

from bedplate.link import handlers, log
from bedplate.link.runner import Link
from bedplate.messages.frames import LinkOptions

BAD_USAGE = 2
ALREADY_RUNNING = 4
"""Exit status where this printer has a link already."""


def main() -> int:
    """Run until the link has nothing left to do."""
    try:
        options = msgspec.json.decode(sys.argv[1], type=LinkOptions)
    except (IndexError, msgspec.DecodeError) as error:
        log.write(f"this is started by the host; its one argument is wrong: {error}")
        return BAD_USAGE
    directory = Path(options.directory)
    with (directory / "link.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            log.write(f"printer {options.printer} has a link already")
            return ALREADY_RUNNING
        link = Link(options, obey=handlers.obey, handle=handlers.handle)
        # The heap is small and has no cycles that grow; a collection in mid-stream would only
        # cost time.
        gc.collect()
        gc.freeze()
        gc.disable()
        link.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
