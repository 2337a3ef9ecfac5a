"""The web page: files of the package folder `www`, as the page's build left them."""

from __future__ import annotations

import mimetypes
import re
from pathlib import Path
from typing import Any

import tornado.web

import bedplate
from bedplate.errors import BedplateError, NotFoundError
from bedplate.web import pages, security
from bedplate.web.sending import SentFile, send_file
from bedplate.web.services import Services

WWW = Path(bedplate.__file__).parent / "www"

HASHED = re.compile(r"[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+$")
"""Names that the build gave with the content's hash in them: what they name never changes."""

FOREVER = "public, max-age=31536000, immutable"

INLINE_SCRIPT = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)

TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""Set here, because `mimetypes` takes the machine's word for it, and machines differ."""


def media_type(path: Path) -> str:
    """Type of a file of the page."""
    known = TYPES.get(path.suffix.lower())
    return known or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


class Page:
    """The built page. A build that appears while the host runs is found."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def index(self) -> Path:
        """The page itself."""
        return self.root / "index.html"

    def find(self, segments: tuple[str, ...]) -> Path:
        """A file of the page. Raises NotFoundError, also for whatever would lie outside."""
        path = self.root.joinpath(*segments) if segments else self.index
        if any(part.startswith(".") or "\\" in part for part in segments):
            raise NotFoundError("There is nothing at this address.")
        if not path.is_file() or not path.resolve().is_relative_to(self.root.resolve()):
            raise NotFoundError("There is nothing at this address.")
        return path

    def policy(self) -> str:
        """Content-Security-Policy of the page: its own inline scripts (the import map) by hash."""
        scripts = INLINE_SCRIPT.findall(self.index.read_text("utf-8"))
        return security.content_security_policy(scripts)


class PageHandler(tornado.web.RequestHandler):
    """Answers every address that no declared route answers."""

    def initialize(self, services: Services, page: Page, segments: tuple[str, ...]) -> None:
        """`segments` of the address."""
        self._services = services
        self._page = page
        self._segments = segments

    def set_default_headers(self) -> None:
        """Security headers, as everywhere."""
        for name, value in security.answer_headers().items():
            self.set_header(name, value)
        self.set_header("Server", "Bedplate")

    def prepare(self) -> None:
        """The same checks as for every route."""
        try:
            self._services.check(self.request)
        except BedplateError as error:
            self._fail(error)

    async def get(self) -> None:
        """A file of the page, or what to do where there is none."""
        try:
            await self._get()
        except BedplateError as error:
            self._fail(error)

    head = get

    async def _get(self) -> None:
        if not self._segments and not self._page.index.is_file():
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self.set_header("Cache-Control", "no-store")
            self.finish(pages.not_built_page())
            return
        path = self._page.find(self._segments)
        if path == self._page.index:
            self.set_header("Content-Security-Policy", self._page.policy())
        forever = HASHED.search(path.name) and self._segments[:1] == ("assets",)
        await send_file(
            self,
            SentFile(
                path=path,
                media_type=media_type(path),
                cache_control=FOREVER if forever else "no-cache",
            ),
        )

    def options(self) -> None:
        """Which methods there are."""
        self.set_header("Allow", "GET, HEAD, OPTIONS")
        self.set_status(204)

    def _fail(self, error: BedplateError) -> None:
        self.set_status(error.http_status)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(pages.error_page(error.http_status, error.message))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """What Tornado reports by itself."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(pages.error_page(status_code, "Something went wrong inside the host."))
