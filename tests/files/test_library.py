"""Listing, moving, copying and deleting print files."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest
from tests.files.conftest import GCODE, Files
from tests.helpers import wait_until

from bedplate.errors import BadRequestError, ConflictError, NotFoundError, UnsupportedTypeError
from bedplate.files.entries import FileEntry, FolderEntry, PrintResult


def place(files: Files, *paths: str, content: bytes = GCODE) -> None:
    """Puts files where they belong, behind the library's back."""
    for path in paths:
        target = files.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def names(files: Files, path: str = "", recursive: bool = True) -> list[object]:
    """The listing as nested lists."""

    def of(entry: FileEntry | FolderEntry) -> object:
        return (
            entry.name if isinstance(entry, FileEntry) else [entry.name, *map(of, entry.children)]
        )

    return [of(entry) for entry in files.library.entries(path, recursive)]


def test_folders_come_first_and_each_part_by_name(files: Files) -> None:
    place(files, "b.gcode", "A.gcode", "z/x.gcode", "Y/x.gcode", "ä.gcode")
    assert names(files) == [["Y", "x.gcode"], ["z", "x.gcode"], "A.gcode", "b.gcode", "ä.gcode"]


def test_without_recursion_folders_show_one_level(files: Files) -> None:
    place(files, "a/b/c/d.gcode", "a/x.gcode")
    assert names(files, recursive=False) == [["a", ["b"], "x.gcode"]]
    assert names(files, "a/b", recursive=False) == [["c", "d.gcode"]]
    assert names(files) == [["a", ["b", ["c", "d.gcode"]], "x.gcode"]]


def test_a_folders_size_is_that_of_everything_in_it(files: Files) -> None:
    place(files, "a/b/c.gcode", "a/d.gcode")
    folder = files.library.entry("a", recursive=False)
    assert folder.size == 2 * len(GCODE)


def test_only_print_files_are_shown(files: Files) -> None:
    place(files, "a.gcode", "b.GCO", "c.g", "d.stl", ".e.gcode", ".hidden/f.gcode", "notes.txt")
    os.mkfifo(files.root / "pipe.gcode")
    (files.root / os.fsdecode(b"bad\xff.gcode")).touch()
    assert names(files) == ["a.gcode", "b.GCO", "c.g"]


def test_symbolic_links_are_neither_shown_nor_followed(files: Files, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.gcode").write_bytes(GCODE)
    place(files, "real/a.gcode")
    (files.root / "out").symlink_to(outside)
    (files.root / "secret.gcode").symlink_to(outside / "secret.gcode")
    (files.root / "loop").symlink_to(files.root)
    (files.root / "inside.gcode").symlink_to(files.root / "real" / "a.gcode")
    assert names(files) == [["real", "a.gcode"]]
    for path in ("out", "out/secret.gcode", "secret.gcode", "loop/real/a.gcode", "inside.gcode"):
        with pytest.raises(NotFoundError):
            files.library.local_path(path)
        with pytest.raises(NotFoundError):
            files.library.delete(path)
    assert (outside / "secret.gcode").exists()


def test_deleting_a_folder_does_not_follow_links_in_it(files: Files, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious.gcode").write_bytes(GCODE)
    place(files, "a/x.gcode")
    (files.root / "a" / "out").symlink_to(outside)
    files.library.delete("a")
    wait_until(lambda: files.on_disk() == [])
    assert (outside / "precious.gcode").exists()


@pytest.mark.parametrize(
    "path", ["nope.gcode", "..", "../library.sqlite", "/etc/passwd", "a\0", "x" * 300, "a/", "."]
)
def test_what_is_not_listed_is_not_found(files: Files, path: str) -> None:
    place(files, "a/x.gcode")
    for look in (files.library.entry, files.library.local_path, files.library.delete):
        with pytest.raises(NotFoundError):
            look(path)
    with pytest.raises(NotFoundError):
        files.library.move(path, "b")


def test_the_root_itself_stays(files: Files) -> None:
    with pytest.raises(BadRequestError):
        files.library.delete("")
    with pytest.raises(BadRequestError):
        files.library.move("", "x")


def test_the_version_changes_with_the_listing_and_only_then(files: Files) -> None:
    versions = [files.library.version]
    assert files.library.version == versions[0]

    def changed() -> bool:
        versions.append(files.library.version)
        return versions[-1] not in versions[:-1] and files.library.version == versions[-1]

    place(files, "a.gcode")
    assert changed()
    files.library.create_folder("b")
    assert changed()
    files.library.move("a.gcode", "b")
    assert changed()
    place(files, "b/a.gcode", content=GCODE * 2)  # in place: no folder's time tells
    files.later()
    assert changed()
    files.store.add_print("j", "b/a.gcode", done(1))
    assert changed()
    files.store.set_upload("b/a.gcode", display="A", user=None, userdata=None)
    assert changed()
    files.library.delete("b")
    assert changed()
    files.later()
    assert not changed()
    assert files.open_library().version not in versions


def done(time: float) -> PrintResult:
    return PrintResult(time=time, duration=60.0, outcome="done", printer="default")


def test_files_that_come_change_and_go_behind_our_back_are_told_of(files: Files) -> None:
    place(files, "a.gcode")
    names(files)
    place(files, "a.gcode", content=GCODE * 2)
    files.later()
    names(files)
    (files.root / "a.gcode").unlink()
    names(files)
    assert files.events() == [
        ("FileAdded", "a.gcode"),
        ("FileAdded", "a.gcode"),
        ("FileRemoved", "a.gcode"),
    ]


def test_files_that_were_there_at_the_start_are_no_news(files: Files) -> None:
    place(files, "a.gcode")
    files.library = files.open_library()
    assert names(files) == ["a.gcode"]
    assert files.events() == []


async def test_moving_takes_everything_known_along(files: Files) -> None:
    await files.upload("a.gcode", user="joe")
    files.store.add_print("j", "a.gcode", done(5))
    files.library.create_folder("d")
    moved = files.library.move("a.gcode", "d")
    assert isinstance(moved, FileEntry)
    assert (moved.path, moved.user) == ("d/a.gcode", "joe")
    assert moved.prints is not None
    renamed = files.library.move("d", "new/e")
    assert renamed.path == "new/e"
    entry = files.library.file("new/e/a.gcode")
    assert (entry.user, entry.prints) == ("joe", moved.prints)
    assert files.events()[-2:] == [("FileRemoved", "d/a.gcode"), ("FileAdded", "new/e/a.gcode")]
    assert names(files) == [["new", ["e", "a.gcode"]]]


async def test_a_renamed_file_is_shown_by_its_new_name(files: Files) -> None:
    await files.upload("a?.gcode")
    moved = files.library.move("a.gcode", "b.gcode")
    assert (moved.name, moved.display) == ("b.gcode", "b.gcode")


async def test_a_move_behind_our_back_is_followed(files: Files) -> None:
    await files.upload("a.gcode", user="joe")
    files.store.set_error("a.gcode", files.library.stamp("a.gcode"), "broken")  # type: ignore[arg-type]
    files.store.add_print("j", "a.gcode", done(5))
    (files.root / "a.gcode").rename(files.root / "b.gcode")
    entry = files.library.file("b.gcode")
    assert (entry.user, entry.analysis_error) == ("joe", "broken")
    assert entry.prints is not None
    (files.root / "b.gcode").rename(files.root / "c.gcode")
    files.library = files.open_library()
    assert files.library.file("c.gcode").user == "joe"


@pytest.mark.parametrize(
    ("source", "destination", "error"),
    [
        ("a.gcode", "b.gcode", ConflictError),
        ("a.gcode", "", ConflictError),
        ("a.gcode", "d", ConflictError),
        ("a.gcode", "b.gcode/x.gcode", ConflictError),
        ("d", "d/inside", BadRequestError),
        ("d", "d", BadRequestError),
        ("d", "b.gcode", ConflictError),
        ("a.gcode", "../a.gcode", BadRequestError),
        ("a.gcode", "x.exe", UnsupportedTypeError),
        ("a.gcode", "a.gcode/../../x.gcode", BadRequestError),
    ],
)
def test_a_move_that_cannot_be_changes_nothing(
    files: Files, source: str, destination: str, error: type[Exception]
) -> None:
    place(files, "a.gcode", "b.gcode", "d/a.gcode")
    before = files.on_disk()
    with pytest.raises(error):
        files.library.move(source, destination)
    assert files.on_disk() == before


def test_what_is_being_printed_is_neither_moved_nor_deleted(files: Files) -> None:
    place(files, "d/e/a.gcode", "b.gcode")
    files.used.add("d/e/a.gcode")
    for path in ("d/e/a.gcode", "d/e", "d"):
        with pytest.raises(ConflictError, match="being printed"):
            files.library.delete(path)
        with pytest.raises(ConflictError, match="being printed"):
            files.library.move(path, "elsewhere.gcode")
    files.library.delete("b.gcode")
    assert names(files) == [["d", ["e", "a.gcode"]]]


async def test_a_copy_knows_what_is_known_of_the_content_but_has_no_prints(files: Files) -> None:
    await files.upload("a.gcode", user="joe")
    files.store.set_error("a.gcode", files.library.stamp("a.gcode"), "broken")  # type: ignore[arg-type]
    files.store.add_print("j", "a.gcode", done(5))
    entry = await files.library.copy("a.gcode", "d/b.gcode")
    assert isinstance(entry, FileEntry)
    assert (entry.path, entry.analysis_error, entry.prints) == ("d/b.gcode", "broken", None)
    assert (files.root / "d" / "b.gcode").read_bytes() == GCODE
    with pytest.raises(ConflictError):
        await files.library.copy("a.gcode", "d/b.gcode")
    with pytest.raises(NotFoundError):
        await files.library.copy("d", "e")
    assert files.on_disk() == ["a.gcode", "d", "d/b.gcode"]


async def test_deleting_forgets_what_was_known(files: Files) -> None:
    await files.upload("a.gcode", user="joe")
    files.store.add_print("j", "a.gcode", done(5))
    files.library.delete("a.gcode")
    with pytest.raises(NotFoundError):
        files.library.file("a.gcode")
    entry = await files.upload("a.gcode")
    assert (entry.user, entry.prints) == (None, None)
    wait_until(lambda: files.on_disk() == ["a.gcode"])


async def test_uploading_again_keeps_the_prints(files: Files) -> None:
    await files.upload("a.gcode")
    files.store.add_print("j", "a.gcode", done(5))
    entry = await files.upload("a.gcode", GCODE * 2)
    assert entry.prints is not None


def test_folders_are_made_with_those_above(files: Files) -> None:
    assert files.library.create_folder("a/ b?").path == "a/b"
    assert files.library.create_folder("a/b").path == "a/b"
    place(files, "f.gcode")
    with pytest.raises(ConflictError):
        files.library.create_folder("f.gcode")
    with pytest.raises(ConflictError):
        files.library.create_folder("f.gcode/g")
    with pytest.raises(BadRequestError):
        files.library.create_folder("")
    with pytest.raises(BadRequestError):
        files.library.create_folder("../g")


async def test_changes_in_quick_succession_are_all_seen(files: Files) -> None:
    """The time of a folder moves in steps of some milliseconds; our own changes must not hide."""
    for number in range(50):
        await files.upload(f"{number}.gcode", folder=f"d{number % 3}/e")
        assert files.library.create_folder(f"d{number % 3}/e/f{number}").path
        files.library.move(f"d{number % 3}/e/{number}.gcode", f"moved/{number}.gcode")
    assert len(files.library.paths()) == 50
    assert all(path.startswith("moved/") for path in files.library.paths())


def test_a_root_that_vanishes_is_an_empty_listing_and_loses_no_knowledge(files: Files) -> None:
    place(files, "a.gcode")
    names(files)
    files.store.add_print("j", "a.gcode", done(5))
    shutil.move(files.root, files.folder / "unmounted")
    assert names(files) == []
    shutil.move(files.folder / "unmounted", files.root)
    files.later()
    assert files.library.file("a.gcode").prints is not None


def test_thousands_of_files_are_listed_without_opening_one(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: one look-up for each file, and none at all the second time."""
    place(files, *(f"f{n % 10}/{n}.gcode" for n in range(3000)))
    counted = {"stat": 0, "select": 0}
    facts = files.store.facts

    def count_facts(*arguments: object) -> object:
        counted["select"] += 1
        return facts(*arguments)  # type: ignore[arg-type]

    def no_open(*arguments: object, **options: object) -> None:
        raise AssertionError("a listing opened a file")

    monkeypatch.setattr(files.store, "facts", count_facts)
    monkeypatch.setattr("builtins.open", no_open)
    monkeypatch.setattr(Path, "open", no_open)
    first = files.library.entries()
    assert len(first) == 10
    assert sum(len(folder.children) for folder in first if isinstance(folder, FolderEntry)) == 3000
    assert counted["select"] == 3000
    files.later()
    assert files.library.entries() == first
    assert counted["select"] == 3000


def test_deletions_leave_no_thread_behind(files: Files) -> None:
    place(files, "a.gcode")
    files.library.delete("a.gcode")
    wait_until(lambda: all(thread.name != "delete files" for thread in threading.enumerate()))
    assert files.on_disk() == []
