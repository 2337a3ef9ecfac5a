"""The reader of a job's commands: exact places, bounded memory, whatever the bytes are."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.gcode.reader import BLOCK, LINE_LIMIT, CommandReader, FileUnreadableError

BOM = b"\xef\xbb\xbf"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reader") / "x.gcode"


def read(path: Path, offset: int = 0, line: int = 0) -> list[tuple[bytes, int, int]]:
    """Every command with its place."""
    reader = CommandReader(path, offset, line)
    try:
        found = []
        while (command := reader.next_command()) is not None:
            found.append((command, reader.offset, reader.line))
        assert reader.next_command() is None
        return found
    finally:
        reader.close()


def plainly(content: bytes) -> list[tuple[bytes, int, int]]:
    """The same by a plain reading of the whole."""
    skipped = len(BOM) if content.startswith(BOM) else 0
    found, offset = [], skipped
    for number, line in enumerate(content[skipped:].split(b"\n"), 1):
        offset = min(offset + len(line) + 1, len(content))
        command = line.partition(b";")[0].strip()
        if command:
            found.append((command, offset, number))
    return found


LINES = st.lists(
    st.one_of(
        st.sampled_from([b"", b"G28", b"G1 X1 ; right", b"; only", b"  M105  ", b"\r", b"G0\r"]),
        st.binary(max_size=30),
    )
)


@given(content=st.one_of(st.binary(max_size=2000), LINES.map(b"\n".join)), bom=st.booleans())
def test_any_bytes_give_the_commands_and_places_of_a_plain_reading(
    file: Path, content: bytes, bom: bool
) -> None:
    content = BOM * bom + content
    file.write_bytes(content)
    assert read(file) == plainly(content)


@given(lines=LINES, at=st.integers(0, 100))
def test_reading_on_from_any_place_gives_the_rest(file: Path, lines: list[bytes], at: int) -> None:
    file.write_bytes(b"\n".join(lines))
    whole = read(file)
    begun, rest = whole[:at], whole[at:]
    _, offset, line = begun[-1] if begun else (b"", 0, 0)
    if not begun and file.read_bytes().startswith(BOM):
        return  # from the very beginning the mark is skipped
    assert read(file, offset, line) == rest


@given(
    lengths=st.lists(st.sampled_from([0, 1, 2, 40, 4000, LINE_LIMIT - 1]), max_size=12),
    shift=st.integers(-3, 3),
    end=st.sampled_from([b"\n", b"\r\n"]),
)
def test_the_borders_of_the_blocks_do_not_show(
    file: Path, lengths: list[int], shift: int, end: bytes
) -> None:
    first = b"G" * (BLOCK + shift - len(end) - 10) if not lengths else b"G28"
    content = end.join([first[:LINE_LIMIT], *(b"M" * length for length in lengths), b"last"])
    file.write_bytes(content)
    assert read(file) == plainly(content)


def test_lines_across_every_position_of_a_border(file: Path) -> None:
    for shift in range(-4, 5):
        content = b";" + b"x" * (BLOCK - 20 + shift) + b"\nG1 X1 Y2 ; c\r\n\nG28\nM84"
        file.write_bytes(content)
        assert read(file) == plainly(content)


def test_a_last_line_without_an_end_ends_with_the_file(file: Path) -> None:
    file.write_bytes(b"G28\nG1 X1")
    assert read(file) == [(b"G28", 4, 1), (b"G1 X1", 9, 2)]


def test_an_empty_file(file: Path) -> None:
    file.write_bytes(b"")
    assert read(file) == []


def test_a_byte_order_mark_belongs_to_no_command(file: Path) -> None:
    file.write_bytes(BOM + b"G28\n")
    assert read(file) == [(b"G28", 7, 1)]


def test_a_comment_of_any_length_takes_no_memory_and_no_place_is_lost(file: Path) -> None:
    comment = b"x" * (40 * LINE_LIMIT)
    content = b"G28\nG1 X1 ;" + comment + b"\n;" + comment + b"\nM84\n"
    file.write_bytes(content)
    tracemalloc.start()
    try:
        found = read(file)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == plainly(content)
    assert peak < 8 * BLOCK


@pytest.mark.parametrize("before", [b"", b"G28\n", b"; long " + b"x" * BLOCK + b"\n"])
def test_a_command_without_an_end_is_refused_and_its_line_named(file: Path, before: bytes) -> None:
    file.write_bytes(before + b"\x00" * (3 * LINE_LIMIT))
    with pytest.raises(FileUnreadableError, match=f"Line {before.count(bytes([10])) + 1} is"):
        read(file)


def test_a_file_that_is_deleted_or_replaced_while_it_is_read(file: Path) -> None:
    file.write_bytes(b"G28\n" * BLOCK)
    reader = CommandReader(file)
    reader.next_command()
    file.unlink()
    file.write_bytes(b"M84\n")
    count = 1
    while (command := reader.next_command()) is not None:
        assert command == b"G28"
        count += 1
    reader.close()
    assert count == BLOCK


def test_a_file_that_is_cut_off_while_it_is_read_is_no_complete_one(file: Path) -> None:
    file.write_bytes(b"G28\n" * BLOCK)
    reader = CommandReader(file)
    reader.next_command()
    with file.open("r+b") as content:
        content.truncate(BLOCK + 2)
    with pytest.raises(FileUnreadableError, match=f"ends at byte {BLOCK + 2} now"):
        list(iter(reader.next_command, None))
    reader.close()


def test_what_is_appended_while_it_is_read_is_not_part_of_the_job(file: Path) -> None:
    file.write_bytes(b"G28\nG29\n")
    reader = CommandReader(file)
    with file.open("ab") as content:
        content.write(b"M112\n")
    assert [reader.next_command() for _ in range(3)] == [b"G28", b"G29", None]
    reader.close()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        CommandReader(tmp_path / "missing.gcode")
