"""Version, server and the current user: what clients ask first."""

from __future__ import annotations

from bedplate.web.octoprint import API_VERSION, SERVER_VERSION
from bedplate.web.permissions import OPEN, PERMISSIONS, STATUS
from bedplate.web.routing import Answer, Call, Content, Route
from bedplate.web.wire import NoQuery, Wire


class VersionDocument(Wire, frozen=True):
    """`api` and `server` are OctoPrint's, whose interface this is; `text` names us too."""

    api: str
    server: str
    text: str


class ServerDocument(Wire, frozen=True):
    """`safemode` is always null: there is no such mode here."""

    version: str
    safemode: str | None


class CurrentUserDocument(Wire, frozen=True):
    """Who asks, and what they may do."""

    name: str | None
    permissions: list[str]
    groups: list[str]


async def read_version(call: Call[None, NoQuery]) -> VersionDocument:
    """Version of the interface and of the host.

    Slicers ask for it before every upload and look at the beginning of `text`.
    """
    text = f"OctoPrint {SERVER_VERSION} (Bedplate {call.host.version})"
    return VersionDocument(api=API_VERSION, server=SERVER_VERSION, text=text)


async def read_server(call: Call[None, NoQuery]) -> ServerDocument:
    """Version of the server whose interface this is."""
    return ServerDocument(version=SERVER_VERSION, safemode=None)


async def read_current_user(call: Call[None, NoQuery]) -> CurrentUserDocument:
    """The current user and their permissions."""
    permissions = [permission.key for permission in PERMISSIONS if call.may(permission)]
    return CurrentUserDocument(name=call.actor.name, permissions=permissions, groups=["admins"])


async def read_online(call: Call[None, NoQuery]) -> Answer:
    """A sign of life."""
    return Answer(document=b"online\n", headers={"Content-Type": "text/plain; charset=utf-8"})


async def read_robots(call: Call[None, NoQuery]) -> Answer:
    """Search engines have no business here."""
    return Answer(
        document=b"User-agent: *\nDisallow: /\n",
        headers={"Content-Type": "text/plain; charset=utf-8"},
    )


TEXT = Content("text/plain")

ROUTES = (
    Route(
        method="GET",
        path="/api/version",
        handler=read_version,
        permission=STATUS,
        answers={200: VersionDocument},
        tag="Server",
    ),
    Route(
        method="GET",
        path="/api/server",
        handler=read_server,
        permission=STATUS,
        answers={200: ServerDocument},
        tag="Server",
    ),
    Route(
        method="GET",
        path="/api/currentuser",
        handler=read_current_user,
        permission=OPEN,
        answers={200: CurrentUserDocument},
        tag="Session",
    ),
    Route(
        method="GET",
        path="/online.txt",
        handler=read_online,
        permission=OPEN,
        answers={200: TEXT},
        tag="Server",
    ),
    Route(
        method="GET",
        path="/robots.txt",
        handler=read_robots,
        permission=OPEN,
        answers={200: TEXT},
        tag="Server",
    ),
)
