"""Starts the link process of a printer, or finds the one that is there already."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

import bedplate
from bedplate.errors import LinkError
from bedplate.messages.frames import LinkOptions, LinkRecord

START_TIMEOUT = 10.0
"""Seconds for a new link to open its socket: a tenth of one here, some on a small board under
load."""
END_TIMEOUT = 5.0
"""Seconds for a link that was told to end: it closes the port and writes its last checkpoint."""
LOG_LIMIT = 2 * 1024 * 1024
"""Bytes of a link's log before the next link puts it aside."""


def runtime_directory(data_dir: Path) -> Path:
    """A short private folder for the sockets of this data directory: their paths may hold 108
    bytes.

    Made if needed, mode 0700. Raises LinkError where somebody else owns it.
    """
    base = os.environ.get("XDG_RUNTIME_DIR")
    parent = Path(base) if base and Path(base).is_dir() else Path(tempfile.gettempdir())
    name = hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:10]
    folder = parent / f"bedplate-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or folder.is_symlink():
        raise LinkError(f"{folder} belongs to somebody else. Remove it.", "runtime_directory", 500)
    folder.chmod(0o700)
    return folder


def remove_runtime_directory(folder: Path) -> None:
    """Remove the folder for the sockets, unless a link still has its own in there."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def read_record(directory: Path) -> LinkRecord | None:
    """The link that `directory` names, whether it is alive or not."""
    try:
        return msgspec.json.decode((directory / "link.json").read_bytes(), type=LinkRecord)
    except (OSError, msgspec.DecodeError):
        return None


class LinkProcess:
    """The link process of one printer. `directory` is the printer's own, `logs` the log folder."""

    def __init__(self, printer: str, directory: Path, logs: Path, runtime: Path) -> None:
        self._printer = printer
        self._directory = directory
        self._logs = logs
        self._socket = runtime / f"{printer}.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def find(self) -> str | None:
        """Path of the socket of a link that seems to be there, left by an earlier host or by us."""
        record = read_record(self._directory)
        if record is None or not Path(record.socket).exists():
            return None
        return record.socket

    async def start(self) -> str:
        """Start a link and return its socket's path. Raises LinkError."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        log_path = self._logs / f"link-{self._printer}.log"
        with contextlib.suppress(FileNotFoundError):
            if log_path.stat().st_size > LOG_LIMIT:
                log_path.replace(log_path.with_name(log_path.name + ".1"))
        options = LinkOptions(
            printer=self._printer,
            directory=str(self._directory),
            socket=str(self._socket),
            serial_log=str(self._logs / f"serial-{self._printer}.log"),
        )
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    # Without `site`: it brings 1.5 MB of import machinery that a link never uses.
                    "-S",
                    "-m",
                    "bedplate.link",
                    msgspec.json.encode(options),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(_import_path())},
                cwd="/",
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(START_TIMEOUT):
                while not self._is_named():
                    if self._process.poll() is not None:
                        raise LinkError(
                            f"The link process ended at once; {log_path} says why.",
                            "link_start",
                            500,
                        )
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise LinkError("The link process does not start.", "link_start", 500) from None
        return str(self._socket)

    def _is_named(self) -> bool:
        """Whether the link that was started answers: what an earlier one left does not count."""
        record = read_record(self._directory)
        return self._process is not None and record is not None and record.pid == self._process.pid

    def is_running(self) -> bool:
        """Whether a link of this printer is alive, reachable or not: it holds its lock."""
        try:
            with (self._directory / "link.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return False

    async def ended(self) -> None:
        """Wait until the link is gone that was told to end, whichever host started it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_TIMEOUT):
                while not self.reap() or self.is_running():
                    await asyncio.sleep(0.01)

    def reap(self) -> bool:
        """Take notice of the end of a link that this host started; whether none is left of it."""
        if self._process is not None and self._process.poll() is not None:
            self._process = None
        return self._process is None


def _import_path() -> list[str]:
    """Where the link's few packages lie: ours first."""
    found = [Path(bedplate.__file__).parent.parent]
    for name in ("msgspec", "serial"):
        place = Path(str(sys.modules[name].__file__)).parent.parent
        if place not in found:
            found.append(place)
    return [str(place) for place in found]
