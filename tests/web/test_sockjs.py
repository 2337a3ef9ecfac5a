"""The SockJS transports, and what was done about the library's trust in everybody."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.helpers import eventually
from tests.web.client import Web, web
from tests.web.raw import Raw, request
from tornado.websocket import WebSocketClientConnection, websocket_connect

from bedplate.messages.states import ConnectionState

BASE = "/sockjs/000/session1"


def objects(frame: str) -> list[Any]:
    """The messages of an `a` frame. They are objects, not strings: octorest relies on it."""
    assert frame.startswith("a["), frame
    messages = json.loads(frame[1:])
    assert all(isinstance(message, dict) for message in messages)
    return list(messages)


async def read(socket: WebSocketClientConnection) -> str:
    async with asyncio.timeout(10):
        text = await socket.read_message()
    assert isinstance(text, str)
    return text


async def test_the_endpoint_introduces_itself(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        info = await client.get("/sockjs/info")
        assert info["websocket"] is True
        assert info["cookie_needed"] is False
        assert isinstance(info["entropy"], int)
        greeting = await client.request("GET", "/sockjs")
        assert greeting.body == b"Welcome to SockJS!\n"
        assert (await client.get("/printers/default/sockjs/info"))["websocket"] is True


async def test_websocket(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        url = client.base.replace("http", "ws", 1) + f"{BASE}/websocket"
        socket = await websocket_connect(url)
        assert await read(socket) == "o"
        seen: list[Any] = []
        while not any("current" in message for message in seen):
            seen += objects(await read(socket))
        assert [next(iter(message)) for message in seen] == ["connected", "history", "current"]
        await socket.write_message(json.dumps([json.dumps({"subscribe": {"snapshot": True}})]))
        while not any("snapshot" in message for message in seen):
            seen += objects(await read(socket))
        socket.close()
        hub = client.server.application.services.push(client.printer)
        await eventually(lambda: hub.clients == 0)


async def test_xhr_polling(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        opened = await client.request("POST", f"{BASE}/xhr", b"")
        assert opened.body == b"o\n"
        seen: list[Any] = []
        while not any("current" in message for message in seen):
            poll = await client.request("POST", f"{BASE}/xhr", b"")
            seen += objects(poll.body.decode().strip())
        message = json.dumps([json.dumps({"subscribe": {"events": True}})]).encode()
        sent = await client.request("POST", f"{BASE}/xhr_send", message)
        assert sent.code == 204
        client.printer.become(ConnectionState.DETECTING)
        poll = await client.request("POST", f"{BASE}/xhr", b"")
        assert objects(poll.body.decode().strip())[0]["event"]["type"] == "PrinterStateChanged"


@pytest.mark.parametrize(
    ("method", "transport", "prefix"),
    [("POST", "xhr_streaming", ""), ("GET", "eventsource", "data: ")],
)
async def test_streaming(tmp_path: Path, method: str, transport: str, prefix: str) -> None:
    async with web(tmp_path) as client:
        raw = await client.raw()
        length = {"Content-Length": "0"} if method == "POST" else {}
        await raw.send(request(method, f"{BASE}/{transport}", headers=length))
        assert (await raw.head())[0] == 200
        seen: list[Any] = []
        while not any("current" in message for message in seen):
            async with asyncio.timeout(10):
                line = (await raw.reader.readline()).decode().strip()
            if line.startswith(prefix + "a["):
                seen += objects(line.removeprefix(prefix))
        await raw.close()
        hub = client.server.application.services.push(client.printer)
        await eventually(lambda: hub.clients == 0, what="the vanished client is gone")


@pytest.mark.parametrize(
    "path",
    [
        f"{BASE}/jsonp?c=alert",
        f"{BASE}/jsonp_send",
        f"{BASE}/htmlfile?c=alert",
        "/sockjs/iframe.html",
        "/sockjs/chunking_test",
        f"{BASE}/nothing",
        "/sockjs/000",
        "/printers/none/sockjs/info",
    ],
)
async def test_what_is_not_safe_is_not_there(tmp_path: Path, path: str) -> None:
    async with web(tmp_path) as client:
        for method, body in (("GET", None), ("POST", b"[]")):
            answer = await client.request(method, path, body, check=False)
            assert answer.code == 404, (method, path)
            assert json.loads(answer.body)["code"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/sockjs/info"),
        ("OPTIONS", "/sockjs/info"),
        ("GET", "/sockjs/websocket"),
        ("GET", f"{BASE}/websocket"),
        ("POST", f"{BASE}/xhr"),
        ("OPTIONS", f"{BASE}/xhr"),
        ("POST", f"{BASE}/xhr_send"),
        ("POST", f"{BASE}/xhr_streaming"),
        ("GET", f"{BASE}/eventsource"),
    ],
)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example"},
        {"X-Forwarded-For": "8.8.8.8"},
    ],
)
async def test_foreign_pages_get_nothing(
    tmp_path: Path, method: str, path: str, headers: dict[str, str]
) -> None:
    async with web(tmp_path) as client:
        raw = await client.raw()
        upgrade = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
            "Sec-WebSocket-Version": "13",
        }
        more = upgrade if path.endswith("websocket") else {}
        sent = {**more, **headers, **({"Content-Length": "0"} if method == "POST" else {})}
        await raw.send(request(method, path, headers=sent))
        status, answered = await raw.head()
        assert status == 403
        assert "access-control-allow-origin" not in answered
        hub = client.server.application.services.push(client.printer)
        assert hub.clients == 0


async def test_own_pages_and_listed_ones_get_in(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        client.host.store.set({"server.allowed_origins": ["https://dash.example"]})
        own = await client.request("GET", "/sockjs/info", headers={"Origin": client.base})
        assert own.code == 200
        listed = await client.request(
            "GET", "/sockjs/info", headers={"Origin": "https://dash.example"}
        )
        assert listed.headers["Access-Control-Allow-Origin"] == "https://dash.example"


async def test_a_poller_that_never_comes_back_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.web.sockjs.SESSION_EXPIRY", 0.2)
    async with web(tmp_path) as client:
        await client.request("POST", f"{BASE}/xhr", b"")
        hub = client.server.application.services.push(client.printer)
        assert hub.clients == 1
        await eventually(lambda: hub.clients == 0)


async def test_what_waits_for_a_poller_is_bounded(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        await client.request("POST", f"{BASE}/xhr", b"")
        hub = client.server.application.services.push(client.printer)
        for _ in range(500):
            hub.event("Test", {"text": "x" * 1000})
        await eventually(lambda: hub.clients == 0)


async def test_too_large_a_message_does_not_get_in(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        await client.request("POST", f"{BASE}/xhr", b"")
        assert await _status(client, b"[" + b'"x",' * 60_000 + b'"x"]') in (400, 413)


async def _status(client: Web, body: bytes) -> int:
    raw: Raw = await client.raw()
    await raw.send(request("POST", f"{BASE}/xhr_send", body))
    return (await raw.head())[0]
