"""Which requests get through at all: hosts, origins, proxies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.web.client import web
from tests.web.raw import request
from tornado.httputil import HTTPHeaders

from bedplate.errors import ForbiddenError
from bedplate.web import security
from bedplate.web.security import RequestChecks, redact, split_host

CHECKS = RequestChecks(
    {"localhost", "printhost", "printhost.local", "192.168.1.5"},
    allowed_hosts=["print.example.org"],
    allowed_origins=["https://example.org"],
)


def passes(
    method: str = "GET", local: str = "127.0.0.1", socket: bool = False, **headers: str
) -> bool:
    sent = HTTPHeaders({name.replace("_", "-"): value for name, value in headers.items()})
    try:
        CHECKS.check(method, sent, local, socket)
    except ForbiddenError:
        return False
    return True


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:5000",
        "LOCALHOST.",
        "127.0.0.1:5000",
        "127.8.8.8",
        "[::1]:5000",
        "printhost",
        "printhost.local:5000",
        "192.168.1.5",
        "10.0.0.7:80",
        "print.example.org",
        "print.example.org:8443",
    ],
)
def test_own_names_and_addresses_are_known(host: str) -> None:
    assert passes(Host=host, local="10.0.0.7")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:5000",
        "localhost.evil.example",
        "10.0.0.8",
        "a b",
        "x@localhost",
        "localhost:port",
        "[::2]",
        "printhost.evil",
        "127.0.0.1.evil.example",
    ],
)
def test_other_names_are_not(host: str) -> None:
    """A name of an attacker's that resolves to this machine would make a foreign page our own."""
    assert not passes(Host=host, local="10.0.0.7")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://localhost:5000", True),
        ("https://example.org", True),
        ("https://EXAMPLE.org/", True),
        ("http://localhost", False),
        ("http://localhost:5001", False),
        ("https://localhost:5001", False),
        ("http://evil.example", False),
        ("http://evil.example:5000", False),
        ("http://localhost.evil.example:5000", False),
        ("null", False),
        ("", False),
        ("file://", False),
        ("http://[::1", False),
        ("https://example.org.evil.example", False),
    ],
)
def test_foreign_pages_can_not_write(method: str, origin: str | None, allowed: bool) -> None:
    headers = {} if origin is None else {"Origin": origin}
    assert passes(method, Host="localhost:5000", **headers) is allowed
    assert passes("GET", socket=True, Host="localhost:5000", **headers) is allowed
    assert passes("GET", Host="localhost:5000", **headers)


def test_ports_that_go_without_saying_are_the_same() -> None:
    assert passes("POST", Host="localhost", Origin="http://localhost")
    assert passes("POST", Host="localhost:80", Origin="http://localhost")
    assert passes("POST", Host="localhost", Origin="http://localhost:80")
    assert passes("POST", Host="localhost:443", Origin="https://localhost")


@pytest.mark.parametrize("header", security.FORWARDING_HEADERS)
def test_nobody_comes_through_a_proxy_while_nobody_logs_in(header: str) -> None:
    assert not passes(Host="localhost", **{header: "x"})


@given(st.text(max_size=40))
def test_any_host_header_is_a_host_or_refused(value: str) -> None:
    try:
        name, port = split_host(value)
    except ForbiddenError:
        return
    assert name == name.lower()
    assert "/" not in name
    assert "@" not in name
    assert port is None or 0 <= port <= 99999


def test_this_machine_knows_its_names() -> None:
    names = security.own_names()
    assert "localhost" in names
    assert all(name == name.lower() for name in names)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1"}, 204),
        ({"Host": "localhost"}, 204),
        ({"Host": "127.0.0.1", "Origin": "http://evil.example"}, 403),
        ({"Host": "127.0.0.1", "X-Forwarded-For": "8.8.8.8"}, 403),
        ({"Host": "127.0.0.1", "Origin": "http://127.0.0.1"}, 204),
        ({"Host": "127.0.0.1", "Authorization": "Basic am9lOng=", "X-Api-Key": "x"}, 204),
    ],
)
async def test_the_checks_stand_before_every_request(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    async with web(tmp_path) as client:
        raw = await client.raw()
        sent = {"Content-Type": "application/json", **headers}
        await raw.send(request("POST", "/api/connection", b'{"command":"disconnect"}', sent))
        answer = await raw.answer()
        assert answer.status == status
        if status == 403:
            assert json.loads(answer.body)["code"] == "forbidden"
            assert client.printer.told == []


@pytest.mark.parametrize("path", ["/", "/api/files", "/docs/api", "/sockjs/info", "/none.js"])
async def test_a_foreign_host_reads_nothing(tmp_path: Path, path: str) -> None:
    async with web(tmp_path) as client:
        raw = await client.raw()
        await raw.send(request("GET", path, headers={"Host": "evil.example"}))
        assert (await raw.answer()).status == 403


async def test_names_can_be_added_while_the_host_runs(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        raw = await client.raw()
        await raw.send(request("GET", "/api/version", headers={"Host": "print.example.org"}))
        assert (await raw.answer()).status == 403
        client.host.store.set({"server.allowed_hosts": ["print.example.org"]})
        await raw.send(request("GET", "/api/version", headers={"Host": "print.example.org"}))
        assert (await raw.answer()).status == 200


def test_inline_scripts_are_let_in_by_their_hash_alone() -> None:
    policy = security.content_security_policy(["{}"])
    assert "'sha256-RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o='" in policy
    script = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in script


@pytest.mark.parametrize(
    ("uri", "logged"),
    [
        ("/api/job?apikey=abc&x=1", "/api/job?apikey=***&x=1"),
        ("/api/job?ApiKey=abc", "/api/job?ApiKey=***"),
        ("/api/job?x=1", "/api/job?x=1"),
    ],
)
def test_keys_in_addresses_are_masked(uri: str, logged: str) -> None:
    assert redact(uri) == logged
