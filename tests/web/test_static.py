"""The web page's files, the page that stands in for it, and the pages about the interface."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.web.client import Web, web

from bedplate.messages.events import EVENTS
from bedplate.web.app import ROUTES
from bedplate.web.static import Page

IMPORT_MAP = '{"imports":{"lit":"/assets/lit-12345678.js"}}'


def build(root: Path) -> Page:
    """A page as the build leaves it."""
    (root / "assets").mkdir(parents=True)
    script = f'<script type="importmap">{IMPORT_MAP}</script>'
    (root / "index.html").write_text(f'<!doctype html>{script}<script src="/assets/x.js"></script>')
    (root / "assets" / "lit-12345678.js").write_text("export {}")
    (root / "favicon.svg").write_text("<svg/>")
    (root / ".hidden").write_text("x")
    (root.parent / "secret.txt").write_text("x")
    return Page(root)


def use(client: Web, page: Page) -> None:
    client.server.application._page = page


async def test_the_page_is_served(tmp_path: Path) -> None:
    async with web(tmp_path / "data") as client:
        use(client, build(tmp_path / "www"))
        index = await client.request("GET", "/")
        assert index.code == 200
        assert index.headers["Content-Type"] == "text/html; charset=utf-8"
        assert index.headers["Cache-Control"] == "no-cache"
        digest = b64encode(hashlib.sha256(IMPORT_MAP.encode()).digest()).decode()
        assert f"script-src 'self' 'sha256-{digest}';" in index.headers["Content-Security-Policy"]
        etag = {"If-None-Match": index.headers["ETag"]}
        assert (await client.request("GET", "/", headers=etag)).code == 304
        script = await client.request("GET", "/assets/lit-12345678.js")
        assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert "immutable" in script.headers["Cache-Control"]
        icon = await client.request("GET", "/favicon.svg")
        assert icon.headers["Content-Type"] == "image/svg+xml"
        assert icon.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/none.js", "/../secret.txt", "/%2e%2e/secret.txt", "/.hidden", "/assets", "/..%5cx"]
)
async def test_nothing_else_is(tmp_path: Path, path: str) -> None:
    async with web(tmp_path / "data") as client:
        use(client, build(tmp_path / "www"))
        (tmp_path / "www" / "link").symlink_to(tmp_path / "secret.txt")
        assert (await client.request("GET", path)).code == 404
        assert (await client.request("GET", "/link")).code == 404


async def test_without_a_build_the_page_says_what_to_do(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        use(client, Page(tmp_path / "nowhere"))
        answer = await client.request("GET", "/")
        assert answer.code == 200
        assert b"/docs/api" in answer.body
        assert b"<script" not in answer.body


async def test_signs_of_life(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        assert (await client.request("GET", "/online.txt")).body == b"online\n"
        assert b"Disallow: /" in (await client.request("GET", "/robots.txt")).body


class Outline(HTMLParser):
    """Ids, links and elements of a page; fails where elements are not closed in order."""

    VOID = frozenset({"meta", "link", "br", "hr", "img", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.add(tag)
        self.ids += [values["id"] or ""] if "id" in values else []
        self.links += [values["href"] or ""] if "href" in values else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("path", ["/docs/api", "/docs/events"])
async def test_reference_pages_are_sound(tmp_path: Path, path: str) -> None:
    async with web(tmp_path) as client:
        text = (await client.request("GET", path)).body.decode()
        outline = Outline()
        outline.feed(text)
        assert outline.open == []
        assert "script" not in outline.tags
        assert len(set(outline.ids)) == len(outline.ids)
        missing = {
            link for link in outline.links if link.startswith("#") and link[1:] not in outline.ids
        }
        assert not missing
        assert "prefers-color-scheme: dark" in text


async def test_the_reference_has_every_route_and_every_event(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        reference = (await client.request("GET", "/docs/api")).body.decode()
        for route in ROUTES:
            assert route.path.replace(":rest}", "}") in reference
            assert route.permission.key in reference
        events = (await client.request("GET", "/docs/events")).body.decode()
        for event in EVENTS:
            assert re.search(rf"<h3><code>{event.__name__}</code></h3>", events)
