"""Login and logout. Without an authentication plugin everybody here is `local`, and logged in."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec

from bedplate.errors import BadRequestError, ForbiddenError
from bedplate.web.permissions import OPEN, PERMISSIONS
from bedplate.web.routing import Call, Route
from bedplate.web.wire import NoQuery, Wire


class LoginBody(Wire, frozen=True):
    """Either `passive` (who am I?), or a name with its password."""

    passive: bool = False
    user: str | None = None
    password: str | None = msgspec.field(name="pass", default=None)
    remember: bool = False


class UserDocument(Wire, frozen=True):
    """A user as OctoPrint's clients know one. The push socket's `auth` is `name:session`."""

    name: str | None
    active: bool
    admin: bool
    user: bool
    apikey: str | None
    groups: list[str]
    roles: list[str]
    permissions: list[str]
    needs: dict[str, list[str]]
    settings: dict[str, Any]
    session: str | None
    is_external_client: bool = msgspec.field(name="_is_external_client", default=False)
    login_mechanism: str | None = msgspec.field(name="_login_mechanism", default=None)
    credentials_seen: str | bool = msgspec.field(name="_credentials_seen", default=False)


def _user(call: Call[Any, Any]) -> UserDocument:
    roles = [permission.key.lower() for permission in PERMISSIONS if call.may(permission)]
    return UserDocument(
        name=call.actor.name,
        active=True,
        admin=True,
        user=True,
        apikey=None,
        groups=["admins", "users"],
        roles=["user", "admin"],
        permissions=[],
        needs={"group": ["admins", "users"], "role": roles},
        settings={},
        session=secrets.token_hex(16),
        login_mechanism="autologin",
    )


async def log_in(call: Call[LoginBody, NoQuery]) -> UserDocument:
    """Log in.

    As long as no authentication plugin is there, a passive login answers the user `local` and a
    session for the push socket; names and passwords are refused, because there are none.
    """
    if call.body.passive:
        return _user(call)
    if call.body.user is None or call.body.password is None:
        raise BadRequestError("Mandatory parameters missing: passive, or user and pass.")
    raise ForbiddenError("There are no users here: the auth plugin is not enabled.")


async def log_out(call: Call[None, NoQuery]) -> UserDocument:
    """Log out.

    Changes nothing as long as nobody has to log in.
    """
    return _user(call)


ROUTES = (
    Route(
        method="POST",
        path="/api/login",
        handler=log_in,
        permission=OPEN,
        body=LoginBody,
        forms=True,
        answers={200: UserDocument},
        errors=(BadRequestError,),
        tag="Session",
    ),
    Route(
        method="POST",
        path="/api/logout",
        handler=log_out,
        permission=OPEN,
        answers={200: UserDocument},
        tag="Session",
    ),
)
