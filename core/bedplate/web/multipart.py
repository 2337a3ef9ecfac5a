"""Multipart bodies, read piece by piece: text fields are kept, file contents are handed on.

Bounded in every direction, because all of it comes from outside: number of parts, size of headers,
size of text fields. The parsing itself is python-multipart's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from tornado.httputil import HTTPHeaders

from bedplate.errors import BadRequestError, TooLargeError

MAX_PARTS = 64
MAX_FIELD = 64 * 1024
"""Bytes of a text field; the largest in use is `userdata`, some kilobytes of JSON."""
MAX_HEADERS = 8
MAX_HEADER = 4096
"""Bytes of one header line: a name of 255 characters, percent-encoded, has about 3,000."""

_EXTENDED_NAME = re.compile(r"filename\*\s*=\s*(?:UTF-8)''([^;\s]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """Head of a part: name of the field, and name of the file if it is one."""

    name: str
    filename: str | None


def boundary_of(headers: HTTPHeaders) -> bytes:
    """The boundary of a multipart body. Raises BadRequestError."""
    _, options = parse_options_header(headers.get("Content-Type", ""))
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise BadRequestError("The Content-Type of this request names no multipart boundary.")
    return boundary


class FormReader:
    """Takes a multipart body in any chunking.

    `on_file(part)` is called at the head of each part with a file name, `on_data(data)` with its
    content, `on_file_end()` at its end; they may raise. Text fields are in `fields`.
    """

    def __init__(
        self,
        boundary: bytes,
        on_file: Callable[[Part], None] | None = None,
        on_data: Callable[[bytes], None] | None = None,
        on_file_end: Callable[[], None] | None = None,
    ) -> None:
        self.fields: dict[str, str] = {}
        self.complete = False
        self._on_file, self._on_data, self._on_file_end = on_file, on_data, on_file_end
        self._parts = 0
        self._part: Part | None = None
        self._value = bytearray()
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._headers: dict[str, str] = {}
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_part_data": self._part_data,
                    "on_part_end": self._end_part,
                    "on_header_begin": self._begin_header,
                    "on_header_field": self._header_field,
                    "on_header_value": self._header_data,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_end": self._end,
                },
                max_header_count=MAX_HEADERS,
                max_header_size=MAX_HEADER,
            )
        except FormParserError as error:
            raise BadRequestError(f"The multipart body is not valid: {error}.") from None

    def feed(self, data: bytes) -> None:
        """The next piece of the body. Raises BadRequestError, TooLargeError."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise BadRequestError(f"The multipart body is not valid: {error}.") from None

    # -- the parser's callbacks --------------------------------------------------------------------

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise TooLargeError(f"The multipart body has more than {MAX_PARTS} parts.")
        self._headers = {}
        self._value.clear()

    def _begin_header(self) -> None:
        self._header_name.clear()
        self._header_value.clear()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _header_data(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        name = self._header_name.decode("latin-1").strip().lower()
        self._headers[name] = _text(bytes(self._header_value)).strip()

    def _end_headers(self) -> None:
        self._part = _part(self._headers.get("content-disposition", ""))
        if self._part.filename is not None and self._on_file is not None:
            self._on_file(self._part)

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        assert self._part is not None
        if self._part.filename is not None:
            if self._on_data is not None:
                self._on_data(data[start:end])
            return
        self._value += data[start:end]
        if len(self._value) > MAX_FIELD:
            raise TooLargeError(f"A form field is larger than {MAX_FIELD} bytes.")

    def _end_part(self) -> None:
        assert self._part is not None
        if self._part.filename is None:
            self.fields[self._part.name] = _text(bytes(self._value))
        elif self._on_file_end is not None:
            self._on_file_end()

    def _end(self) -> None:
        self.complete = True


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _part(disposition: str) -> Part:
    """Head of a part from its Content-Disposition. Raises BadRequestError where it has no name."""
    kind, options = parse_options_header(disposition.encode("utf-8").decode("latin-1"))
    name = options.get(b"name")
    if kind != b"form-data" or name is None:
        raise BadRequestError("A part of the multipart body has no name.")
    filename = options.get(b"filename")
    extended = _EXTENDED_NAME.search(disposition)
    if extended:
        return Part(_text(name), unquote(extended[1]))
    return Part(_text(name), None if filename is None else _text(filename))
