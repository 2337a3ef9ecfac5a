"""Who asks, and whether they may: the one place that every route and every socket goes through."""

from __future__ import annotations

from tornado.httputil import HTTPServerRequest

from bedplate.errors import ForbiddenError
from bedplate.web.permissions import LOCAL, Actor, Permission


class Access:
    """Finds the actor of a request and decides. Without an authentication plugin: `local`, for all.

    The host listens on loopback only in that case, and `bedplate.web.security` has refused foreign
    pages and forwarded requests before this is asked.
    """

    def actor_of(self, request: HTTPServerRequest) -> Actor:
        """The actor behind a request. Keys are ignored as long as there is nobody to check them."""
        return LOCAL

    def may(self, actor: Actor, permission: Permission) -> bool:
        """Whether `actor` has `permission`."""
        return actor.may(permission)

    def authorize(self, actor: Actor, permission: Permission) -> None:
        """Raises ForbiddenError unless `actor` has `permission`."""
        if not self.may(actor, permission):
            raise ForbiddenError(f"{actor.name} may not do this: {permission.name} is needed.")
