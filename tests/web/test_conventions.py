"""What holds for every address: paths, methods, types, errors, validators."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from tests.web.client import GCODE, web
from tests.web.raw import request

from bedplate.messages.states import ConnectionState


@pytest.mark.parametrize(
    "path",
    [
        "/api/files/local/dir/a.gcode",
        "//api//files///local/dir/a.gcode",
        "/api/files%2Flocal%2Fdir%2Fa.gcode",
        "/api/files/local/dir/a.gcode/",
        "/printers/default/api/files/local/dir/a.gcode",
        "/%61pi/files/local/dir/a.gcode?recursive=true",
        "/api/files/local/dir/a.gcode?apikey=0123456789abcdef",
    ],
)
async def test_an_address_may_be_written_in_many_ways(tmp_path: Path, path: str) -> None:
    async with web(tmp_path) as client:
        await client.upload([("path", "dir"), ("file", ("a.gcode", GCODE))])
        assert (await client.get(path))["path"] == "dir/a.gcode"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/none", 404),
        ("/api", 404),
        ("/printers/none/api/version", 404),
        ("/printers/default/downloads/files/local/a.gcode", 404),
        ("/printers/default", 404),
        ("/api/files/local/none.gcode", 404),
        ("/api/files/none", 404),
        ("/api/files/local/../../etc/passwd", 404),
        ("/api/files/local/%2e%2e/%2e%2e/etc/passwd", 404),
        ("/api/files/local/.hidden", 404),
        ("/api/version/%00", 400),
        ("/api/%ff%fe", 400),
    ],
)
async def test_unknown_addresses_are_told_in_json(tmp_path: Path, path: str, status: int) -> None:
    async with web(tmp_path) as client:
        raw = await client.raw()
        await raw.send(request("GET", path, headers={"Accept": "application/json"}))
        answer = await raw.answer()
        assert answer.status == status
        assert answer.headers["content-type"] == "application/json"
        document = json.loads(answer.body)
        assert set(document) == {"error", "code"}
        assert document["error"].endswith(".")


async def test_outside_of_the_api_people_get_a_page(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        answer = await client.request("GET", "/nothing/here", headers={"Accept": "text/html"})
        assert answer.code == 404
        assert b"<title>" in answer.body


async def test_a_method_that_an_address_has_not_is_told_with_those_that_it_has(
    tmp_path: Path,
) -> None:
    async with web(tmp_path) as client:
        answer = await client.request("DELETE", "/api/version", check=False)
        assert answer.code == 405
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
        assert json.loads(answer.body)["code"] == "method_not_allowed"
        answer = await client.request("OPTIONS", "/api/job", check=False)
        assert answer.code == 204
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_heads_are_answered_without_a_body(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        await client.upload([("file", ("a.gcode", GCODE))])
        for path in ("/api/version", "/api/files", "/downloads/files/local/a.gcode", "/"):
            head = await client.request("HEAD", path)
            get = await client.request("GET", path)
            assert (head.code, head.body) == (200, b""), path
            assert head.headers["Content-Length"] == get.headers["Content-Length"]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "words"),
    [
        (b'{"command":"start"}', "text/plain", 415, "Content-Type"),
        (b'{"command":"start"}', None, 415, "Content-Type"),
        (b"{", "application/json", 400, "JSON"),
        (b"\xff", "application/json", 400, "JSON"),
        (b"", "application/json", 400, "JSON"),
        (b"[]", "application/json", 400, "object"),
        (b"[" * 5000, "application/json", 400, "body"),
        (b'{"command":"fly"}', "application/json", 400, "command is invalid"),
        (b"{}", "application/json", 400, "Mandatory parameters missing: command"),
        (b'{"command":"pause","action":"x"}', "application/json", 400, "action is invalid"),
        (b'{"command":"start","x":"' + b"x" * 110_000 + b'"}', "application/json", 413, "larger"),
    ],
)
async def test_a_bad_command_is_told_in_words(
    tmp_path: Path, body: bytes, content_type: str | None, status: int, words: str
) -> None:
    async with web(tmp_path) as client:
        client.printer.become(ConnectionState.OPERATIONAL)
        raw = await client.raw()
        headers = {"Content-Length": str(len(body))}
        if content_type:
            headers["Content-Type"] = content_type
        await raw.send(request("POST", "/api/job", body, headers))
        answer = await raw.answer()
        assert answer.status == status
        assert words in json.loads(answer.body)["error"]


async def test_keys_that_nobody_asked_for_are_passed_over(tmp_path: Path) -> None:
    """Clients send them: a Content-Type inside of the body, an offset beside the target."""
    async with web(tmp_path) as client:
        client.printer.become(ConnectionState.OPERATIONAL)
        body = {"command": "target", "target": 60, "offset": 0, "Content-Type": "application/json"}
        assert (await client.post("/api/printer/bed", body)).code == 204


async def test_success_without_a_result_has_no_content(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        answer = await client.post("/api/connection", {"command": "disconnect"})
        assert (answer.code, answer.body) == (204, b"")
        assert "Content-Type" not in answer.headers


async def test_a_connection_can_be_used_again_after_an_error(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        raw = await client.raw()
        json_body = {"Content-Type": "application/json"}
        await raw.send(request("POST", "/api/job", b'{"command":"fly"}', json_body))
        assert (await raw.answer()).status == 400
        await raw.send(request("GET", "/api/none"))
        assert (await raw.answer()).status == 404
        await raw.send(request("GET", "/api/version"))
        assert (await raw.answer()).status == 200


async def test_unchanged_documents_are_not_sent_again(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        await client.upload([("file", ("a.gcode", GCODE))])
        for path in ("/api/files", "/api/files/local/a.gcode", "/api/settings"):
            etag = (await client.request("GET", path)).headers["ETag"]
            assert etag.startswith('"')
            same = {"If-None-Match": etag}
            assert (await client.request("GET", path, headers=same)).code == 304
            assert (await client.request("GET", f"{path}?force=true", headers=same)).code == 200
            assert (await client.request("GET", f"{path}?_refresh", headers=same)).code == 200
        etag = (await client.request("GET", "/api/files")).headers["ETag"]
        await client.upload([("file", ("b.gcode", GCODE))])
        changed = await client.request("GET", "/api/files", headers={"If-None-Match": etag})
        assert changed.code == 200
        assert changed.headers["ETag"] != etag


async def test_every_answer_has_the_security_headers(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        for path in ("/", "/api/version", "/api/none", "/nothing", "/docs/api", "/sockjs/info"):
            headers = (await client.request("GET", path, check=False)).headers
            assert headers["X-Content-Type-Options"] == "nosniff", path
            assert headers["Referrer-Policy"] == "no-referrer"
            assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
            assert "script-src 'self'" in headers["Content-Security-Policy"]
            assert "Access-Control-Allow-Origin" not in headers
            assert "Tornado" not in headers.get("Server", "")


async def test_requests_are_quiet_and_keys_are_never_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with web(tmp_path) as client:
        with caplog.at_level(logging.DEBUG):
            await client.get("/api/version?apikey=0123456789abcdef0123456789abcdef&x=1")
        assert "0123456789abcdef" not in caplog.text
        lines = [record for record in caplog.records if "/api/version" in record.getMessage()]
        assert lines
        assert all(record.levelno == logging.DEBUG for record in lines)


async def test_a_bug_of_ours_is_told_without_its_details(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with web(tmp_path) as client:
        client.printer.become(ConnectionState.OPERATIONAL)
        client.printer.refusal = RuntimeError("the secret reason")
        answer = await client.post("/api/printer/command", {"command": "M105"}, check=False)
        assert answer.code == 500
        assert "secret" not in answer.body.decode()
        assert json.loads(answer.body)["code"] == "error"
        assert "the secret reason" in caplog.text


@pytest.mark.parametrize(
    "data",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /api/job HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ],
)
async def test_what_is_no_http_ends_the_connection_alone(tmp_path: Path, data: bytes) -> None:
    async with web(tmp_path) as client:
        raw = await client.raw()
        await raw.send(data)
        assert b" 400 " in await raw.rest() + b" 400 "
        assert (await client.get("/api/version"))["api"] == "0.1"
