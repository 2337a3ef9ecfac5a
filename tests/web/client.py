"""A client that holds the host to its word: every answer is checked against the OpenAPI
document."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
from tests.web.doubles import HostDouble, PrinterDouble
from tests.web.raw import Raw
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.websocket import WebSocketClientConnection, websocket_connect

from bedplate.web import openapi
from bedplate.web.app import ROUTES
from bedplate.web.routing import RouteTable, split_path
from bedplate.web.server import Server, serve

DOCUMENT = openapi.document(ROUTES, "test")
TABLE = RouteTable(ROUTES)
GCODE = b"; a small file\nG28\nG1 X10 Y10 F3000\nG1 X20 E1\nM104 S0\n"


@dataclass
class Web:
    """A running server with its host, and a client for it."""

    host: HostDouble
    server: Server
    opened: list[Raw] = field(default_factory=list)

    @property
    def printer(self) -> PrinterDouble:
        return self.host.printer

    @property
    def base(self) -> str:
        return self.server.url.rstrip("/")

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        check: bool = True,
    ) -> HTTPResponse:
        """Any request; a body that is not bytes goes as JSON. Errors are answers like others."""
        sent = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        request = HTTPRequest(
            self.base + path,
            method=method,
            body=body,
            headers=sent,
            allow_nonstandard_methods=True,
            follow_redirects=False,
            decompress_response=False,
            request_timeout=30,
        )
        answer = await AsyncHTTPClient().fetch(request, raise_error=False)
        if check:
            check_answer(method, path, answer)
        return answer

    async def get(self, path: str, **keywords: Any) -> Any:
        """The JSON of an answer with status 200."""
        answer = await self.request("GET", path, **keywords)
        assert answer.code == 200, answer.body
        return json.loads(answer.body)

    async def post(self, path: str, body: Any = None, **keywords: Any) -> HTTPResponse:
        return await self.request("POST", path, {} if body is None else body, **keywords)

    async def upload(self, fields: list[tuple[str, Any]], **keywords: Any) -> HTTPResponse:
        """A multipart upload; a value `(file name, content)` is a file part."""
        body, content_type = multipart(fields)
        headers = {"Content-Type": content_type, **keywords.pop("headers", {})}
        return await self.request("POST", "/api/files/local", body, headers, **keywords)

    async def raw(self) -> Raw:
        """A bare connection; it is closed with the server at the latest."""
        self.opened.append(await Raw.connect(self.server.port))
        return self.opened[-1]

    async def socket(self, path: str = "/sockjs/websocket") -> Socket:
        """A plain WebSocket."""
        url = self.base.replace("http", "ws", 1) + path
        return Socket(await websocket_connect(url))


class Socket:
    """A push client on a plain WebSocket."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self.connection = connection

    async def send(self, message: Any) -> None:
        await self.connection.write_message(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        """The next message. Raises AssertionError where the connection ended, or none comes."""
        async with asyncio.timeout(10):
            text = await self.connection.read_message()
        assert isinstance(text, str), "the connection was closed"
        message = json.loads(text)
        assert isinstance(message, dict)
        return message

    async def until(self, kind: str, **wanted: Any) -> Any:
        """The content of the next message of a kind, and with the given values in it."""
        while True:
            message = await self.receive()
            content = message.get(kind)
            if kind in message and all(content.get(k) == v for k, v in wanted.items()):
                return content

    def close(self) -> None:
        self.connection.close()


def multipart(fields: list[tuple[str, Any]], boundary: str = "x-boundary-x") -> tuple[bytes, str]:
    """A multipart body and its Content-Type."""
    parts = b""
    for name, value in fields:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, tuple):
            filename, content = value
            head += f'; filename="{filename}"\r\nContent-Type: application/octet-stream'
        else:
            content = value.encode() if isinstance(value, str) else value
        parts += head.encode() + b"\r\n\r\n" + content + b"\r\n"
    return parts + f"--{boundary}--\r\n".encode(), f'multipart/form-data; boundary="{boundary}"'


def check_answer(method: str, path: str, answer: HTTPResponse) -> None:
    """Fails where an answer is none of those that the document promises for its route."""
    match = TABLE.find(split_path(path.partition("?")[0]))
    route = match.routes.get("GET" if method == "HEAD" else method) if match else None
    if route is None:
        return
    operation = DOCUMENT["paths"][route.path.replace(":rest}", "}")][route.method.lower()]
    if answer.code in (206, 304, 416):
        return  # conditional requests and ranges are HTTP's own, on every GET
    described = operation["responses"].get(str(answer.code))
    assert described is not None, f"{method} {path}: {answer.code} is not documented"
    if method == "HEAD" or not described.get("content"):
        assert not answer.body
        return
    media_type = answer.headers["Content-Type"].partition(";")[0]
    if media_type == "application/json":
        schema = described["content"]["application/json"]["schema"]
        validate(schema, json.loads(answer.body))


def validate(schema: Mapping[str, Any], value: Any) -> None:
    """Raises where a value is not what a schema of the document says."""
    whole = {**schema, "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


@contextlib.asynccontextmanager
async def web(directory: Path, printers: tuple[str, ...] = ("default",)) -> AsyncIterator[Web]:
    """A server on a free port of loopback, with a host in `directory`."""
    host = HostDouble(directory, printers)
    server = await serve(host, "127.0.0.1", 0)
    client = Web(host, server)
    try:
        yield client
    finally:
        for raw in client.opened:
            await raw.close()
        await server.close()
        await host.close()
