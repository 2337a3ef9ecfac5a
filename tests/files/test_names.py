"""What a client may call a file, and what it is called on disk."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.errors import BadRequestError, NotFoundError, UnsupportedTypeError
from bedplate.files.names import clean_file_name, clean_name, clean_path, is_visible, split_lookup


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("Würfel groß (2).gcode", "Würfel groß (2).gcode"),
        ("花瓶.gcode", "花瓶.gcode"),
        ("👩‍🔧.gcode", "👩‍🔧.gcode"),
        ("  a.gcode ", "a.gcode"),
        ("C:\\prints\\x.gcode", "Cprintsx.gcode"),
        (".hidden.gcode", "hidden.gcode"),
        (". . .x.gcode. .", "x.gcode"),
        ("a\0b\n\x1b[2J.gcode", "ab[2J.gcode"),
        ('<a>:"b"|?*.gcode', "ab.gcode"),
        ("x\u202eedocg.gcode", "xedocg.gcode"),
        ("half\ud800.gcode", "half.gcode"),
        ("-rf.gcode", "-rf.gcode"),
        ("%2e%2e.gcode", "%2e%2e.gcode"),
    ],
)
def test_names_are_cleaned_as_little_as_possible(name: str, stored: str) -> None:
    assert clean_file_name(name) == stored


@pytest.mark.parametrize(
    "name", ["../../x.gcode", "..\\..\\x.gcode", "a/../../x.gcode", "/etc/passwd.gcode"]
)
def test_a_name_that_is_a_path_out_of_the_files_is_refused_in_words(name: str) -> None:
    with pytest.raises(BadRequestError, match="leads out of the files"):
        clean_file_name(name)


@pytest.mark.parametrize("name", ["", " ", ".", "..", "...", "/", "\\", "\0", '"', ". / ."])
def test_a_name_of_which_nothing_is_left_is_refused(name: str) -> None:
    with pytest.raises(BadRequestError):
        clean_name(name)


def test_names_are_as_long_as_the_disk_takes_them() -> None:
    fits = "ä" * 124 + "x.gcode"
    assert len(fits.encode()) == 255
    assert clean_file_name(fits) == fits
    with pytest.raises(BadRequestError, match="longer than 255 bytes"):
        clean_file_name("x" + fits)


@pytest.mark.parametrize("name", ["a.gcode", "A.GCODE", "b.gco", "c.g"])
def test_g_code_is_known_by_its_extension(name: str) -> None:
    assert clean_file_name(name) == name


@pytest.mark.parametrize("name", ["a.stl", "a.gcode.exe", "gcode", "a.bgcode", "a.g.zip", ".gcode"])
def test_other_files_are_not_taken(name: str) -> None:
    with pytest.raises(UnsupportedTypeError, match=r"\.gcode"):
        clean_file_name(name)


@pytest.mark.parametrize(
    ("path", "stored"),
    [("", ""), ("/", ""), ("a/b", "a/b"), ("/a//b/", "a/b"), ("./a/.b", "a/b"), ("a /b", "a/b")],
)
def test_paths_of_folders_are_cleaned_part_by_part(path: str, stored: str) -> None:
    assert clean_path(path) == stored


@pytest.mark.parametrize("path", ["..", "a/../b", "a/.. /b", "/../x", "a/" * 600, "a/.../b"])
def test_paths_that_lead_out_or_nowhere_are_refused(path: str) -> None:
    with pytest.raises(BadRequestError):
        clean_path(path)


@pytest.mark.parametrize("path", ["..", "../x", "a/../b", "/a", "a/", "a//b", ".a", "a/.b", "a\0"])
def test_a_path_that_no_file_here_can_have_is_not_found(path: str) -> None:
    with pytest.raises(NotFoundError):
        split_lookup(path)


@given(st.text(max_size=300))
def test_whatever_the_name_what_is_stored_is_safe_and_stable(name: str) -> None:
    try:
        stored = clean_name(name)
    except BadRequestError:
        return
    assert PurePosixPath(stored).name == stored
    assert is_visible(stored)
    assert 0 < len(stored.encode()) <= 255
    assert not set(stored) & set('\0/\\<>:"|?*')
    assert clean_name(stored) == stored
    assert split_lookup(stored) == [stored]


@given(st.lists(st.text(max_size=20), max_size=6).map("/".join))
def test_whatever_the_path_it_stays_below_the_root(path: str) -> None:
    try:
        stored = clean_path(path)
    except BadRequestError:
        return
    assert clean_path(stored) == stored
    assert not stored.startswith("/")
    assert all(part not in {"", ".", ".."} for part in stored.split("/")) or stored == ""
