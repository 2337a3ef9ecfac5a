"""Uploads: whole or not at all, whatever happens on the way."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.files.conftest import GCODE, Files

import bedplate
from bedplate.errors import (
    BadRequestError,
    BedplateError,
    ConflictError,
    NotFoundError,
    StorageFullError,
    TooLargeError,
    UnsupportedTypeError,
)


async def test_an_upload_is_seen_when_it_is_complete_and_not_before(files: Files) -> None:
    with files.library.begin_upload("", "Würfel.gcode", user="joe") as upload:
        await upload.write(GCODE)
        assert files.library.entries() == []
        assert files.events() == []
        entry = await upload.commit()
    assert (entry.path, entry.size, entry.user) == ("Würfel.gcode", len(GCODE), "joe")
    assert (files.root / "Würfel.gcode").read_bytes() == GCODE
    assert files.on_disk() == ["Würfel.gcode"]
    assert files.events() == [("FileAdded", "Würfel.gcode")]
    assert files.library.entries() == [entry]


async def test_chunks_of_any_size_make_the_same_file(files: Files) -> None:
    content = GCODE * 10_000
    upload = files.library.begin_upload("", "a.gcode")
    for size in (1, 2, 65535, 65536, 65537, len(content)):
        await upload.write(content[:size])
        content = content[size:]
    entry = await upload.commit()
    assert entry.size == upload.size == len(GCODE) * 10_000
    assert (files.root / "a.gcode").read_bytes() == GCODE * 10_000


async def test_the_folder_is_made_with_the_file(files: Files) -> None:
    upload = files.library.begin_upload("a/ b ", "x.gcode")
    await upload.write(GCODE)
    assert not (files.root / "a").exists()
    upload.abort()
    assert files.on_disk() == []
    entry = await files.upload("x.gcode", folder="a/b")
    assert entry.path == "a/b/x.gcode"


async def test_display_keeps_what_the_user_sent(files: Files) -> None:
    entry = await files.upload('Vase "gross"?.gcode')
    assert (entry.name, entry.display) == ("Vase gross.gcode", 'Vase "gross"?.gcode')


async def test_a_name_that_is_no_proper_text_is_shown_without_what_is_not(files: Files) -> None:
    entry = await files.upload("half\ud800" + '"' * 5000 + ".gcode")
    assert entry.name == "half.gcode"
    assert entry.display.startswith('half?"')
    assert len(entry.display) == 255


@pytest.mark.parametrize(
    ("folder", "name", "error"),
    [
        ("", "../../x.gcode", BadRequestError),
        ("", "x.stl", UnsupportedTypeError),
        ("..", "x.gcode", BadRequestError),
        ("a/../..", "x.gcode", BadRequestError),
        ("", "..", BadRequestError),
        ("", "a" * 300 + ".gcode", BadRequestError),
    ],
)
def test_names_that_cannot_be_are_refused_at_once(
    files: Files, folder: str, name: str, error: type[BedplateError]
) -> None:
    with pytest.raises(error):
        files.library.begin_upload(folder, name)
    assert files.on_disk() == []


async def test_a_folder_that_begins_at_the_root_lies_inside(files: Files) -> None:
    entry = await files.upload("x.gcode", folder="/abs")
    assert entry.path == "abs/x.gcode"
    assert files.on_disk() == ["abs", "abs/x.gcode"]


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"", BadRequestError, "empty"),
        (b" \n\n", BadRequestError, "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), UnsupportedTypeError, "PNG"),
        (b"GCDE" + bytes(200_000), UnsupportedTypeError, "binary G-code"),
        (b"solid cube\n facet normal 0 0 1\n" * 9, UnsupportedTypeError, "STL"),
    ],
)
async def test_what_is_no_g_code_is_refused_and_leaves_the_old_file(
    files: Files, content: bytes, error: type[BedplateError], words: str
) -> None:
    await files.upload("x.gcode")
    with pytest.raises(error, match=words):
        await files.upload("x.gcode", content)
    assert (files.root / "x.gcode").read_bytes() == GCODE
    assert files.on_disk() == ["x.gcode"]


async def test_an_upload_that_is_given_up_leaves_nothing(files: Files) -> None:
    await files.upload("x.gcode")
    with files.library.begin_upload("", "x.gcode") as upload:
        await upload.write(b"G1 X1\n")
    upload.abort()
    assert files.on_disk() == ["x.gcode"]
    assert (files.root / "x.gcode").read_bytes() == GCODE
    with pytest.raises(ConflictError, match="has ended"):
        await upload.write(GCODE)
    with pytest.raises(ConflictError, match="has ended"):
        await upload.commit()


async def test_an_upload_cancelled_while_it_writes_leaves_nothing(files: Files) -> None:
    open_before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        upload = files.library.begin_upload("", "x.gcode")
        writing = asyncio.create_task(upload.write(GCODE * 100_000))
        await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        upload.abort()
    await asyncio.get_running_loop().shutdown_default_executor()
    assert files.on_disk() == []
    assert len(os.listdir("/proc/self/fd")) <= open_before


async def test_what_a_crash_left_behind_is_removed_at_the_start(files: Files) -> None:
    await files.upload("x.gcode", folder="a")
    upload = files.library.begin_upload("a", "y.gcode")
    await upload.write(GCODE)
    (files.root / "a" / ".bedplate-trash-00").mkdir()
    (files.root / "a" / ".bedplate-trash-00" / "z.gcode").write_bytes(GCODE)
    (files.root / ".somebody-elses").write_bytes(b"kept")
    assert len(files.on_disk()) == 6
    files.open_library()
    assert files.on_disk() == [".somebody-elses", "a", "a/x.gcode"]
    upload.abort()


async def test_not_overwriting_is_refused_at_the_beginning_and_at_the_end(files: Files) -> None:
    late = files.library.begin_upload("", "x.gcode", overwrite=False)
    await late.write(b"G1 X1\n")
    await files.upload("x.gcode")
    with pytest.raises(ConflictError, match="already"):
        files.library.begin_upload("", "x.gcode", overwrite=False)
    with pytest.raises(ConflictError, match="already"):
        await late.commit()
    assert (files.root / "x.gcode").read_bytes() == GCODE
    assert files.on_disk() == ["x.gcode"]


async def test_a_file_that_is_being_printed_is_not_overwritten(files: Files) -> None:
    await files.upload("x.gcode")
    late = files.library.begin_upload("", "x.gcode")
    await late.write(b"G1 X1\n")
    files.used.add("x.gcode")
    with pytest.raises(ConflictError, match="being printed"):
        files.library.begin_upload("", "x.gcode")
    with pytest.raises(ConflictError, match="being printed"):
        await late.commit()
    assert (files.root / "x.gcode").read_bytes() == GCODE


async def test_of_concurrent_uploads_of_a_name_the_last_stays_and_each_is_whole(
    files: Files,
) -> None:
    contents = [f"G1 X{n}\n".encode() * 50_000 for n in range(8)]
    entries = await asyncio.gather(*(files.upload("x.gcode", content) for content in contents))
    assert (files.root / "x.gcode").read_bytes() in contents
    assert {entry.path for entry in entries} == {"x.gcode"}
    assert files.on_disk() == ["x.gcode"]


async def test_of_concurrent_uploads_that_may_not_overwrite_one_wins(files: Files) -> None:
    results = await asyncio.gather(
        *(files.upload("x.gcode", overwrite=False) for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(result, ConflictError) for result in results) == 7
    assert files.on_disk() == ["x.gcode"]


async def test_a_folder_or_file_in_the_way_is_told(files: Files) -> None:
    await files.upload("x.gcode")
    files.library.create_folder("d.gcode")
    with pytest.raises(ConflictError, match="folder"):
        files.library.begin_upload("", "d.gcode")
    with pytest.raises(ConflictError, match="not a folder"):
        files.library.begin_upload("x.gcode", "y.gcode")


async def test_a_folder_that_goes_during_the_upload_is_told(files: Files) -> None:
    files.library.create_folder("d")
    with files.library.begin_upload("d", "x.gcode") as upload:
        await upload.write(GCODE)
        files.library.delete("d")
        with pytest.raises(NotFoundError):
            await upload.commit()


async def test_nothing_is_written_through_symbolic_links(files: Files, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    victim = outside / "victim.gcode"
    victim.write_bytes(b"precious")
    (files.root / "link").symlink_to(outside)
    (files.root / "x.gcode").symlink_to(victim)
    with pytest.raises(ConflictError):
        files.library.begin_upload("link", "x.gcode")
    with pytest.raises(ConflictError):
        files.library.begin_upload("link/deeper", "x.gcode")
    await files.upload("x.gcode")
    assert victim.read_bytes() == b"precious"
    assert (files.root / "x.gcode").read_bytes() == GCODE
    assert not (files.root / "x.gcode").is_symlink()


def test_what_is_known_to_be_too_large_is_refused_before_it_comes(files: Files) -> None:
    with pytest.raises(StorageFullError):
        files.library.begin_upload("", "x.gcode", expected_size=1 << 60)


async def test_some_space_is_left_free(files: Files) -> None:
    free, _ = files.library.free_space()
    library = files.open_library(keep_free=free + (1 << 30))
    assert library.free_space()[0] == 0
    with library.begin_upload("", "x.gcode") as upload, pytest.raises(StorageFullError):
        await upload.write(GCODE)
    assert files.on_disk() == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 1 MB, where the tests may mount one."""
    place = tmp_path / "uploads"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


async def test_a_full_disk_is_told_and_the_old_file_stays(small_disk: Path, files: Files) -> None:
    await files.upload("x.gcode")
    with pytest.raises(StorageFullError, match="not enough space"):
        await files.upload("x.gcode", GCODE * 100_000)
    assert files.on_disk() == ["x.gcode"]
    assert (files.root / "x.gcode").read_bytes() == GCODE
    upload = files.library.begin_upload("", "y.gcode")
    upload._free_space = lambda: 1 << 40  # what statvfs says may be wrong: quotas, other writers
    with pytest.raises(StorageFullError, match="not enough space"):
        await upload.write(GCODE * 100_000)
    assert files.on_disk() == ["x.gcode"]
    await files.upload("z.gcode", GCODE * 1000)


UPLOADER = """
import asyncio, itertools, resource, sys; from pathlib import Path
from tests.files.conftest import Files, GCODE
files = Files(Path(sys.argv[1]))
async def limited():
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
    upload = files.library.begin_upload("", "x.gcode")
    try:
        await upload.write(GCODE * 100_000)
    except Exception as error:
        print(type(error).__name__, files.on_disk(), flush=True)
async def endless():
    for n in itertools.count():
        await files.upload("x.gcode", b"G1 X%d\\n" % n * 30_000)
        if n == 5: print("going", flush=True)
asyncio.run(limited() if sys.argv[2] == "limited" else endless())
"""


def start_uploader(folder: Path, what: str) -> subprocess.Popen[bytes]:
    root = Path(__file__).parent.parent.parent
    path = f"{Path(bedplate.__file__).parent.parent}{os.pathsep}{root}"
    return subprocess.Popen(
        [sys.executable, "-c", UPLOADER, str(folder), what],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )


def test_a_disk_that_breaks_off_a_write_is_told(tmp_path: Path) -> None:
    process = start_uploader(tmp_path, "limited")
    output, _ = process.communicate(timeout=60)
    assert output.decode().strip() == f"{TooLargeError.__name__} []"


def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path: Path) -> None:
    for _ in range(4):
        process = start_uploader(tmp_path, "endless")
        assert process.stdout is not None
        with process.stdout:
            assert process.stdout.readline() == b"going\n"
            process.send_signal(signal.SIGKILL)
            process.wait()
        files = Files(tmp_path)
        assert files.on_disk() == ["x.gcode"]
        lines = (files.root / "x.gcode").read_bytes().splitlines()
        assert len(lines) == 30_000
        assert len(set(lines)) == 1
        assert files.library.file("x.gcode").display == "x.gcode"
        files.close()
