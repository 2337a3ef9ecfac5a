"""Logging of the host: through a queue to a thread that writes; no caller waits for a disk."""

from __future__ import annotations

import logging
import logging.handlers
import queue
import re
import time
from collections.abc import Callable
from pathlib import Path

FILE_NAME = "host.log"
FILE_SIZE = 2 * 1024 * 1024
FILES = 5
"""Five times 2 MB: some weeks of a quiet host, and nothing to an SD card."""


def setup_logging(directory: Path, level: str = "info") -> Callable[[], None]:
    """Sends the root logger's records of `level` and above to `directory`/host.log, warnings to
    stderr.

    The folder is made if needed. Answers what ends it: everything is written out, and the root
    logger is as it was.
    """
    directory.mkdir(parents=True, exist_ok=True)
    formatter = _Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    file = _File(directory / FILE_NAME, maxBytes=FILE_SIZE, backupCount=FILES - 1, encoding="utf-8")
    file.setFormatter(formatter)
    stderr = logging.StreamHandler()
    stderr.setLevel(logging.WARNING)
    stderr.setFormatter(formatter)

    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    listener = logging.handlers.QueueListener(records, file, stderr, respect_handler_level=True)
    handler = _Handler(records)
    root = logging.getLogger()
    old_level = root.level
    root.addHandler(handler)
    root.setLevel(level.upper())
    listener.start()

    def close() -> None:
        root.removeHandler(handler)
        root.setLevel(old_level)
        listener.stop()
        file.close()

    return close


class _Handler(logging.handlers.QueueHandler):
    """Puts records into the queue with their message and traceback as text."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        prepared: logging.LogRecord = super().prepare(record)
        # QueueHandler formats the traceback into the message and leaves exc_text beside it.
        prepared.exc_text = None
        return prepared


class _File(logging.handlers.RotatingFileHandler):
    """Keeps quiet where it can't write: a full disk is no reason to fill the terminal as well."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass


class _Formatter(logging.Formatter):
    """Times in UTC; text from outside can neither imitate a record nor steer a terminal."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", lambda m: f"\\x{ord(m[0]):02x}", text)
        return text.replace("\n", "\n    ")
