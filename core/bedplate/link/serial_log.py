"""The serial log of a printer: the whole conversation in a file, where the settings ask for it."""

from __future__ import annotations

import time
from pathlib import Path

from bedplate.messages.frames import Direction, TerminalFrame

SIZE_LIMIT = 10 * 1024 * 1024
"""Bytes; then the file is put aside as `.1`, and the one before is dropped."""
MARKS = {Direction.SENT: ">", Direction.RECEIVED: "<", Direction.NOTE: "#"}


class SerialLog:
    """Appends terminal lines to a file. A full disk ends the log, not the print."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, frame: TerminalFrame) -> None:
        """Append the lines of a frame."""
        text = "".join(
            f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(line.time))}"
            f".{int(line.time * 1000) % 1000:03d} {MARKS[line.direction]} {line.text}\n"
            for line in frame.lines
        )
        if frame.skipped:
            text = f"# {frame.skipped} lines left out\n{text}"
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(text)
                size = file.tell()
            if size > SIZE_LIMIT:
                self._path.replace(self._path.with_name(self._path.name + ".1"))
        except OSError:
            return
