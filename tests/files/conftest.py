"""A library of print files in a temporary folder, with a real bus, journal and store."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from bedplate.bus import EventBus
from bedplate.files.entries import FileEntry
from bedplate.files.library import Library
from bedplate.files.metadata import MetadataStore
from bedplate.journal import Journal

GCODE = b"G28\nG1 X10 Y10 E1 F1200\nM104 S200\n"


class Files:
    """The parts that belong together, and short ways to use them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.used: set[str] = set()
        self.now = 0.0
        self.journal = Journal(folder / "journal.sqlite")
        self.bus = EventBus(self.journal, lambda: datetime.now(UTC), lambda: str(uuid4()))
        self.store = MetadataStore(folder / "library.sqlite")
        self.library = self.open_library()

    @property
    def root(self) -> Path:
        return self.library.root

    def open_library(self, **options: int) -> Library:
        return Library(
            self.folder / "uploads",
            self.store,
            self.bus,
            lambda path: path in self.used,
            clock=lambda: self.now,
            **options,  # type: ignore[arg-type]
        )

    def later(self) -> None:
        """Lets so much time pass that a listing looks at everything again."""
        self.now += 100

    async def upload(
        self, name: str, content: bytes = GCODE, folder: str = "", **options: bool | str
    ) -> FileEntry:
        upload = self.library.begin_upload(folder, name, **options)  # type: ignore[arg-type]
        with upload:
            await upload.write(content)
            return await upload.commit()

    def events(self, after: int = 0) -> list[tuple[str, str]]:
        """Type and path of every event so far."""
        return [(e.type, e.payload.path) for e in self.journal.read(after)]  # type: ignore[attr-defined]

    def on_disk(self) -> list[str]:
        """Everything below the root, hidden or not; walking it minds no deletion that goes on."""
        return sorted(
            str(Path(folder, name).relative_to(self.root))
            for folder, folders, names in os.walk(self.root)
            for name in [*folders, *names]
        )

    def close(self) -> None:
        self.store.close()
        self.journal.close()


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    with contextlib.closing(Files(tmp_path)) as files:
        yield files
