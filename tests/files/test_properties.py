"""Whatever is done to the files, in whatever order: the listing is the disk, the events its
history.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.files.conftest import Files

from bedplate.errors import BedplateError
from bedplate.files.disk import TRASH_PREFIX
from bedplate.files.entries import FileEntry, FolderEntry
from bedplate.messages.events import FileAdded, FileRemoved

FOLDERS = st.sampled_from(["", "a", "a/b", "c", "../x", "a/.h"])
NAMES = st.sampled_from(["1.gcode", "2.gcode", "3.GCO", "4.txt", ".5.gcode", "a"])
PATHS = st.builds(lambda folder, name: f"{folder}/{name}".lstrip("/"), FOLDERS, NAMES) | FOLDERS
CONTENTS = st.sampled_from([b"G1 X1\n", b"G1 X2\nG1 X3\n", b"", b"not\0code"])

STEPS = st.one_of(
    st.tuples(st.just("upload"), FOLDERS, NAMES, CONTENTS, st.booleans()),
    st.tuples(st.just("give_up"), FOLDERS, NAMES),
    st.tuples(st.just("delete"), PATHS),
    st.tuples(st.just("move"), PATHS, PATHS),
    st.tuples(st.just("copy"), PATHS, PATHS),
    st.tuples(st.just("create_folder"), PATHS),
    st.tuples(st.just("restart")),
)


async def step(files: Files, what: str, *arguments: object) -> None:
    match what, arguments:
        case "upload", (str(folder), str(name), bytes(content), bool(overwrite)):
            await files.upload(name, content, folder, overwrite=overwrite)
        case "give_up", (str(folder), str(name)):
            with files.library.begin_upload(folder, name) as upload:
                await upload.write(b"G1 X1\n")
        case "copy", (str(path), str(destination)):
            await files.library.copy(path, destination)
        case "restart", ():
            files.library = files.open_library()
        case _:
            getattr(files.library, what)(*arguments)


def listed(entries: list[FileEntry | FolderEntry]) -> dict[str, int]:
    found: dict[str, int] = {}
    for entry in entries:
        if isinstance(entry, FolderEntry):
            found |= listed(entry.children)
        else:
            found[entry.path] = entry.size
    return found


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=12))
def test_the_listing_is_the_disk_and_the_events_tell_how_it_came(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[object, ...]]
) -> None:
    async def run(folder: Path) -> None:
        with contextlib.closing(Files(folder)) as files:
            for what, *arguments in steps:
                with contextlib.suppress(BedplateError):
                    await step(files, str(what), *arguments)
                on_disk = {
                    path: (files.root / path).stat().st_size
                    for path in files.on_disk()
                    if TRASH_PREFIX not in path and (files.root / path).is_file()
                }
                assert listed(files.library.entries()) == on_disk
                told: set[str] = set()
                for envelope in files.journal.read(0, 10_000):
                    if isinstance(envelope.payload, FileAdded):
                        told.add(envelope.payload.path)
                    elif isinstance(envelope.payload, FileRemoved):
                        told.remove(envelope.payload.path)
                assert told == on_disk.keys()

    asyncio.run(run(tmp_path_factory.mktemp("files")))
