"""Preview pictures in comments."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.gcode.thumbnails import MAX_ENCODED, MAX_TOTAL, ThumbnailReader

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
JPEG = b"\xff\xd8\xff\xe0" + bytes(200)


def comments(marker: str, data: bytes, size: str = "16x12") -> list[bytes]:
    text = base64.b64encode(data)
    lines = [text[start : start + 78] for start in range(0, len(text), 78)]
    begin = f"{marker} begin {size} {len(text)}".encode()
    return [begin, *lines, f"{marker} end".encode()]


def read(lines: list[bytes]) -> ThumbnailReader:
    reader = ThumbnailReader()
    for line in lines:
        reader.feed(line)
    return reader


@pytest.mark.parametrize(
    ("marker", "data", "media_type"),
    [
        ("thumbnail", PNG, "image/png"),
        ("thumbnail_PNG", PNG, "image/png"),
        ("thumbnail_JPG", JPEG, "image/jpeg"),
    ],
)
def test_pictures_are_found_whole(marker: str, data: bytes, media_type: str) -> None:
    assert read(comments(marker, data)).found == [(16, 12, media_type, data)]


def test_several_pictures_keep_their_order() -> None:
    lines = comments("thumbnail", PNG, "16x16") + comments("thumbnail_JPG", JPEG, "220x124")
    assert [(t.width, t.height) for t in read(lines).found] == [(16, 16), (220, 124)]


def test_a_picture_that_browsers_do_not_show_is_passed_over() -> None:
    lines = comments("thumbnail_QOI", b"qoif" + bytes(99)) + comments("thumbnail", PNG)
    assert [t.media_type for t in read(lines).found] == ["image/png"]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(comments("thumbnail", PNG)[:-1], id="no end"),
        pytest.param(comments("thumbnail", PNG)[1:], id="no beginning"),
        pytest.param(comments("thumbnail", JPEG), id="another kind than announced"),
        pytest.param(comments("thumbnail", PNG, "0x0"), id="no size"),
        pytest.param(comments("thumbnail", PNG, "99999x10"), id="absurd size"),
        pytest.param([b"thumbnail begin 1x1 9", b"iVBO=Rw0", b"thumbnail end"], id="bad base64"),
        pytest.param([b"thumbnail begin 1x1 9", b"iVBOR", b"thumbnail end"], id="bad length"),
        pytest.param([b"thumbnail begin 1x1 0", b"thumbnail end"], id="empty"),
    ],
)
def test_broken_pictures_are_dropped(lines: list[bytes]) -> None:
    assert read(lines).found == []


def test_another_comment_ends_a_picture_and_is_not_swallowed() -> None:
    reader = read(comments("thumbnail", PNG)[:2])
    assert reader.feed(b"TYPE:Skirt/Brim") is False
    assert reader.feed(b"LAYER_CHANGE") is False
    assert read(comments("thumbnail", PNG)).found


def test_huge_pictures_and_huge_numbers_of_them_are_bounded() -> None:
    huge = comments("thumbnail", PNG + bytes(MAX_ENCODED))
    assert read(huge).found == []
    half = PNG + bytes(MAX_TOTAL // 4)
    many = read(comments("thumbnail", half) * 6).found
    assert 0 < sum(len(picture.data) for picture in many) <= MAX_TOTAL


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=30),
            st.sampled_from([*comments("thumbnail", PNG), b"thumbnail begin 9x9 1", b"iVBO"]),
        )
    )
)
def test_no_comment_breaks_the_reader(lines: list[bytes]) -> None:
    for picture in read(lines).found:
        assert picture.data.startswith((b"\x89PNG", b"\xff\xd8"))
