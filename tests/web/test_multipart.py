"""Multipart bodies in any chunking; paths in any writing."""

from __future__ import annotations

import contextlib
import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.web.client import multipart

from bedplate.errors import BadRequestError, BedplateError
from bedplate.web.app import ROUTES
from bedplate.web.multipart import FormReader, Part
from bedplate.web.routing import RouteTable, match_template, specificity, split_path

NAMES = st.text("abcdefghij.ü ", min_size=1, max_size=12)
VALUES = st.binary(max_size=300)
FIELDS = st.lists(
    st.tuples(st.sampled_from(["path", "file", "x"]), st.one_of(VALUES, st.tuples(NAMES, VALUES))),
    max_size=6,
)


def read(body: bytes, cuts: list[int]) -> tuple[dict[str, str], list[tuple[str, str, bytes]]]:
    """The fields and the files of a body that arrives in pieces."""
    files: list[tuple[Part, bytearray]] = []
    reader = FormReader(
        b"x-boundary-x",
        lambda part: files.append((part, bytearray())),
        lambda data: files[-1][1].extend(data),  # noqa: PLW0108 - the last one changes
    )
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    for start, end in itertools.pairwise(edges):
        if start < end:
            reader.feed(body[start:end])
    assert reader.complete
    return reader.fields, [(part.name, part.filename or "", bytes(data)) for part, data in files]


@given(FIELDS, st.lists(st.integers(0, 5000), max_size=12))
def test_chunking_changes_nothing(
    fields: list[tuple[str, bytes | tuple[str, bytes]]], cuts: list[int]
) -> None:
    body, _ = multipart(fields)
    text = {name: value for name, value in fields if isinstance(value, bytes)}
    whole_fields, files = read(body, cuts)
    assert set(whole_fields) == set(text)
    for name, value in text.items():
        with contextlib.suppress(UnicodeDecodeError):
            assert whole_fields[name] == value.decode()
    assert files == [(name, *value) for name, value in fields if isinstance(value, tuple)]


@given(FIELDS)
@settings(max_examples=20)
def test_one_byte_at_a_time(fields: list[tuple[str, bytes | tuple[str, bytes]]]) -> None:
    body, _ = multipart(fields)
    assert read(body, list(range(len(body)))) == read(body, [])


@given(st.binary(max_size=2000), st.booleans())
def test_any_bytes_are_a_form_or_refused(data: bytes, begin: bool) -> None:
    reader = FormReader(b"b")
    with contextlib.suppress(BedplateError):
        reader.feed(b"--b\r\n" * begin + data)


@given(st.text(max_size=60))
def test_any_path_is_segments_or_refused(path: str) -> None:
    try:
        segments = split_path(path.encode("utf-8", "replace").decode())
    except BadRequestError:
        return
    assert all(segments)
    assert not any("/" in segment or ord(min(segment)) < 32 for segment in segments)


def test_the_most_literal_template_wins() -> None:
    table = RouteTable(ROUTES)

    def found(path: str) -> str:
        match = table.find(split_path(path))
        assert match is not None
        return next(iter(match.routes.values())).path

    assert found("/api/files/test") == "/api/files/test"
    assert found("/api/files/local") == "/api/files/{origin}"
    assert found("/api/files/local/a/b") == "/api/files/{origin}/{path:rest}"
    assert found("/api/printer/command/custom") == "/api/printer/command/custom"
    assert specificity("/a/b") < specificity("/a/{x}") < specificity("/a/{x:rest}")
    assert match_template("/a/{x:rest}", ("a",)) is None
