"""What is declared of the routes is what they do, and all of it stands in the OpenAPI document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest
from tests.web.client import DOCUMENT, GCODE, web

from bedplate.messages.states import ConnectionState
from bedplate.web import openapi
from bedplate.web.app import ROUTES
from bedplate.web.permissions import ADMIN, OPEN, PERMISSIONS, Actor
from bedplate.web.routing import Route

IDS = [f"{route.method} {route.path}" for route in ROUTES]

PARAMETERS = {
    "origin": "local",
    "path:rest": "a.gcode",
    "profile": "_default",
    "source": "core",
    "action": "restart",
    "name": "none.png",
}
"""A value for each parameter of a path."""

GETS = [route for route in ROUTES if route.method == "GET"]


def address(route: Route) -> str:
    """A path that fits a route's template."""
    path = route.path
    for name, value in PARAMETERS.items():
        path = path.replace("{" + name + "}", value)
    assert "{" not in path, f"no value for a parameter of {route.path}"
    return path


def operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][route.path.replace(":rest}", "}")][
        route.method.lower()
    ]
    return found


def test_the_document_is_valid_openapi() -> None:
    openapi_spec_validator.validate(DOCUMENT)


def test_operations_have_names_of_their_own() -> None:
    names = [route.name for route in ROUTES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("route", ROUTES, ids=IDS)
def test_every_route_says_what_it_is_and_who_may(route: Route) -> None:
    assert route.summary
    assert route.permission in (OPEN, *PERMISSIONS)
    assert route.tag
    described = operation(route)
    assert described["summary"] == route.summary
    assert described["x-permission"] == route.permission.key
    assert described.get("x-further-permissions", []) == [item.key for item in route.also]


@pytest.mark.parametrize("route", ROUTES, ids=IDS)
def test_every_route_documents_its_answers_and_errors(route: Route) -> None:
    described = operation(route)["responses"]
    assert route.answers
    for status, errors in openapi.errors_of(route).items():
        assert all(error.code in described[str(status)]["description"] for error in errors)
    assert "403" in described
    if route.body is not None:
        assert {"400", "413"} <= set(described)
        assert "requestBody" in operation(route)


def test_every_parameter_of_a_path_is_described() -> None:
    for route in ROUTES:
        named = {item["name"] for item in operation(route)["parameters"] if item["in"] == "path"}
        assert named == {
            part[1:-1].removesuffix(":rest") for part in route.path.split("/") if part[:1] == "{"
        }


@pytest.mark.parametrize("prefix", ["", "/printers/second"])
@pytest.mark.parametrize("state", [ConnectionState.CLOSED, ConnectionState.OPERATIONAL])
async def test_what_is_read_fits_its_schema(
    tmp_path: Path, state: ConnectionState, prefix: str
) -> None:
    """The client checks each answer against the document."""
    async with web(tmp_path, ("default", "second")) as client:
        assert (await client.upload([("file", ("a.gcode", GCODE))])).code == 201
        printer = client.host.printers[prefix.rpartition("/")[2] or "default"]
        if state is ConnectionState.OPERATIONAL:
            printer.select("a.gcode")
        printer.become(state)
        answered = set()
        for route in GETS:
            if prefix and not route.path.startswith("/api/"):
                continue
            answer = await client.request("GET", prefix + address(route), check=not prefix)
            answered.add(answer.code)
            assert answer.code in (200, 404, 409), (route.path, answer.body)
        assert 200 in answered


async def test_every_route_asks_for_its_permission(tmp_path: Path) -> None:
    """Somebody who may do nothing gets 403 everywhere but where everybody may."""
    async with web(tmp_path) as client:
        nobody = Actor("nobody", frozenset())
        client.server.application.services.access.actor_of = lambda request: nobody  # type: ignore[method-assign]
        for route in ROUTES:
            body = b"{}" if route.method != "GET" else None
            answer = await client.request(
                route.method, address(route), body, {"Content-Type": "application/json"}
            )
            if route.permission is OPEN:
                assert answer.code != 403 or route.name == "log_in"
            else:
                assert answer.code == 403, route.path
                message = json.loads(answer.body)["error"] if b"{" in answer.body[:1] else ""
                assert route.permission.name in message or not message


def test_permissions_are_data_with_keys_of_their_own() -> None:
    keys = [permission.key for permission in PERMISSIONS]
    assert len(set(keys)) == len(keys)
    assert ADMIN in PERMISSIONS
    assert all(permission.name and permission.description for permission in PERMISSIONS)


async def test_the_document_is_served(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        served = await client.get("/api/openapi.json")
        assert set(served["paths"]) == set(DOCUMENT["paths"])
        assert served["info"]["version"] == client.host.version
