"""What is refused as not being G-code, and with which words."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.gcode.analysis import analyse
from bedplate.gcode.sniff import NotGcodeError, sniff

STL = b"solid cube\n  facet normal 0 0 1\n    outer loop\n      vertex 0 0 0\n"
PROSE = b"Dear printer,\nplease make me a nut.\nG1 would be a good start.\nThank you\nand so on\n"

REFUSED = {
    "empty": (b"", "empty"),
    "blank": (b" \r\n\n", "empty"),
    "bgcode": (b"GCDE\x01\x00\x00\x00" + bytes(50), "bgcode"),
    "PNG": (b"\x89PNG\r\n\x1a\n" + bytes(50), "PNG"),
    "JPEG": (b"\xff\xd8\xff\xe0" + bytes(50), "JPEG"),
    "3MF": (b"PK\x03\x04" + bytes(50), "ZIP"),
    "STL": (STL, "STL"),
    "binary STL": (b"exported".ljust(80) + struct.pack("<I12f", 1, *[0.0] * 12), "binary"),
    "OBJ": (b"# cube\nmtllib a.mtl\nv 0.0 0.0 0.0\nv 1.0 0.0 0.0\n", "OBJ"),
    "HTML": (b"<!DOCTYPE html>\n<html><body>G1 X1</body></html>", "web page"),
    "XML": (b'<?xml version="1.0"?><a/>', "XML"),
    "JSON": (b'{\n "a": [1, 2]\n}', "JSON"),
    "UTF-16": ("G28\nG1 X1\n".encode("utf-16"), "UTF-16"),
    "compressed": (zlib.compress(b"G1 X1\n" * 99) + bytes(9), "binary"),
    "prose": (PROSE, "not printer commands"),
    "table": (b"x,y,z\n1,2,3\n4,5,6\n", "not printer commands"),
}

TAKEN = {
    "plain": b"G28\nG1 X1\n",
    "byte order mark": b"\xef\xbb\xbfG28\n",
    "CRLF": b"; hello\r\nG28\r\n",
    "lower case": b"g28\ng1x1\n",
    "numbered": b"N1 G28*18\nN2 G1 X1*99\n",
    "long comments first": b"; thumbnail data\n" * 5000,
    "macros first": b"START_PRINT BED=60\nG1 X1\n",
    "percent signs": b"%\nO1000\nG21\nG90\n%\n",
    "no line end": b"G28",
    "comments like another format": b"; <html>\n; {}\nG1 X1\n",
}


@pytest.mark.parametrize(("head", "words"), REFUSED.values(), ids=REFUSED)
def test_other_files_are_refused_by_name(tmp_path: Path, head: bytes, words: str) -> None:
    reason = sniff(head)
    assert reason is not None
    assert words in reason
    path = tmp_path / "file.gcode"
    path.write_bytes(head)
    with pytest.raises(NotGcodeError, match=words) as caught:
        analyse(path)
    assert (caught.value.code, caught.value.http_status) == ("not_gcode", 415)


@pytest.mark.parametrize("head", TAKEN.values(), ids=TAKEN)
def test_gcode_is_taken(head: bytes) -> None:
    assert sniff(head) is None


def test_comments_alone_are_refused_once_all_is_read(tmp_path: Path) -> None:
    path = tmp_path / "comments.gcode"
    path.write_bytes(b"; nothing but words\n" * 9000)
    with pytest.raises(NotGcodeError, match="no G-code command"):
        analyse(path)


def test_a_line_cut_by_the_end_of_the_head_does_not_count() -> None:
    head = (b";" + b"x" * 62 + b"\n") * 1024
    assert sniff(head[:-5] + b"\nabcd") is None


@given(st.binary())
def test_any_head_gets_an_answer(head: bytes) -> None:
    reason = sniff(head)
    assert reason is None or reason.endswith(".") or ":" in reason
    json.dumps(reason)
