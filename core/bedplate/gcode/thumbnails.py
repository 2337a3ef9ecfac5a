"""Preview pictures that slicers write into the comments of a G-code file.

    ; thumbnail begin 220x124 5836
    ; iVBORw0KGgoAAAANSUhEUgAAANwAAAB8CAYAAAA...
    ; thumbnail end

The number is the length of the base64 text. `thumbnail` alone is a PNG; `thumbnail_JPG` and
`thumbnail_QOI` name the others (PrusaSlicer and its relatives, Cura by a script). QOI pictures are
recognised and dropped: no browser shows them, and slicers offer a PNG beside them. Broken pictures
are dropped too: a preview is never a reason to refuse a file.
"""

from __future__ import annotations

import binascii
import re
from typing import NamedTuple

MAX_ENCODED = 1 << 20
"""Longest base64 text of one picture. PrusaSlicer's largest, 640x480, takes about a third of it."""
MAX_TOTAL = 2 << 20
"""Bytes of all pictures of a file together; later ones are dropped: memory stays bounded."""
MAX_SIDE = 8192
"""Largest width or height in pixels that is believed."""

_BEGIN = re.compile(rb"thumbnail(?:_(PNG|JPG|QOI))? begin (\d{1,5})[x ](\d{1,5})(?: (\d+))?\s*$")
_END = re.compile(rb"thumbnail(?:_\w+)? end")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]*={0,2}\s*$")

_MEDIA_TYPES = {b"PNG": "image/png", b"JPG": "image/jpeg", b"QOI": None}
"""Marker -> media type; None: recognised, not kept."""

_MAGIC = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}


class Thumbnail(NamedTuple):
    """A picture as its marker announces it: pixels, media type, the file's bytes."""

    width: int
    height: int
    media_type: str
    data: bytes


class ThumbnailReader:
    """Collects thumbnails from comments, fed one by one in the order of the file."""

    def __init__(self) -> None:
        self.found: list[Thumbnail] = []
        self._total = 0
        self._open = False
        self._media_type: str | None = None
        self._size = (0, 0)
        self._parts: list[bytes] = []
        self._encoded = 0

    def feed(self, text: bytes) -> bool:
        """Take the text of a comment (after `;`, no outer blanks); true if a picture's."""
        if self._open:
            if _END.match(text):
                self._close()
                return True
            if _BASE64.match(text):
                self._collect(text)
                return True
            self._drop()
        begin = _BEGIN.match(text)
        if begin is None:
            return False
        self._open = True
        self._media_type = _MEDIA_TYPES[begin[1] or b"PNG"]
        self._size = (int(begin[2]), int(begin[3]))
        return True

    def _collect(self, text: bytes) -> None:
        self._encoded += len(text)
        if self._encoded <= MAX_ENCODED and self._media_type is not None:
            self._parts.append(text)

    def _close(self) -> None:
        picture = self._decode()
        if picture is not None and self._total + len(picture.data) <= MAX_TOTAL:
            self._total += len(picture.data)
            self.found.append(picture)
        self._drop()

    def _decode(self) -> Thumbnail | None:
        width, height = self._size
        believable = 0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE
        if self._media_type is None or self._encoded > MAX_ENCODED or not believable:
            return None
        try:
            data = binascii.a2b_base64(b"".join(self._parts), strict_mode=True)
        except binascii.Error:
            return None
        if not data.startswith(_MAGIC[self._media_type]):
            return None
        return Thumbnail(width, height, self._media_type, data)

    def _drop(self) -> None:
        self._open = False
        self._parts = []
        self._encoded = 0
