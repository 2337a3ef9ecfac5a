"""Downloads of print files: always to be saved, never shown, whatever is in them."""

from __future__ import annotations

from bedplate.errors import NotFoundError
from bedplate.web.permissions import FILES_DOWNLOAD, FILES_LIST
from bedplate.web.routing import Answer, Call, Content, Route
from bedplate.web.sending import SentFile
from bedplate.web.wire import NoQuery

FILE = Content("application/octet-stream")
PICTURE = Content("image/*")
PICTURE_TYPES = {".png": "image/png", ".jpg": "image/jpeg"}
UNCHANGED = "private, max-age=31536000, immutable"


async def download_file(call: Call[None, NoQuery]) -> Answer:
    """Download a print file.

    Takes ranges and validators. The type is always `application/octet-stream`.
    """
    entry = call.host.library.file(call.parameters["path"])
    return Answer(
        document=SentFile(
            path=call.host.library.local_path(entry.path),
            media_type="application/octet-stream",
            attachment=entry.name,
        )
    )


async def download_thumbnail(call: Call[None, NoQuery]) -> Answer:
    """Preview picture that the slicer wrote into a print file.

    Its name, from the file's entry, follows from the content: the picture behind it never changes.
    """
    name = call.parameters["name"]
    path = call.host.library.store.thumbnail_path(name)
    if path is None:
        raise NotFoundError(f'There is no picture "{name}".')
    media_type = PICTURE_TYPES.get(path.suffix, "application/octet-stream")
    return Answer(document=SentFile(path=path, media_type=media_type, cache_control=UNCHANGED))


ROUTES = (
    Route(
        method="GET",
        path="/downloads/files/local/{path:rest}",
        handler=download_file,
        permission=FILES_DOWNLOAD,
        answers={200: FILE},
        errors=(NotFoundError,),
        tag="Files",
    ),
    Route(
        method="GET",
        path="/downloads/thumbnails/{name}",
        handler=download_thumbnail,
        permission=FILES_LIST,
        answers={200: PICTURE},
        errors=(NotFoundError,),
        tag="Files",
    ),
)
