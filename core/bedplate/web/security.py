"""What every request must pass before anything else looks at it, and the headers of every answer.

Without the Host and Origin checks, any web page that somebody opens could print on a host that
listens on loopback: by a cross-origin request, or by a name that is made to resolve to 127.0.0.1.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import ipaddress
import re
import socket
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from tornado.httputil import HTTPHeaders

from bedplate.errors import ForbiddenError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

FORWARDING_HEADERS = (
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Proto",
    "X-Forwarded-Server",
    "X-Real-IP",
    "X-Scheme",
    "X-Script-Name",
)
"""Their presence means that a proxy stands in front, and with it people who are not at this
machine."""

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?")


def split_host(value: str) -> tuple[str, int | None]:
    """Name (lower case, without brackets or a final dot) and port of a Host header.

    Raises ForbiddenError where it is no host at all.
    """
    match = _HOST.fullmatch(value.strip())
    if match is None:
        raise ForbiddenError("The Host header of this request is not a host name.")
    name = match["name"].strip("[]").lower().rstrip(".")
    return name, int(match["port"]) if match["port"] else None


def own_names() -> frozenset[str]:
    """Names and addresses of this machine, lower case. Asks the resolver: call it once, at
    start."""
    hostname = socket.gethostname().lower()
    names = {"localhost", hostname, hostname.partition(".")[0]}
    names |= {f"{name}.local" for name in set(names) if "." not in name}
    # A machine whose name resolves to nothing is still reachable by its other names.
    with contextlib.suppress(OSError):
        addresses = socket.getaddrinfo(hostname, None)
        names |= {str(entry[4][0]).partition("%")[0] for entry in addresses}
    return frozenset(names)


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class RequestChecks:
    """Host, Origin and forwarding headers (design: security). Holds settings, no state."""

    def __init__(
        self,
        names: Collection[str],
        *,
        allowed_hosts: Iterable[str] = (),
        allowed_origins: Iterable[str] = (),
        trust_forwarding: bool = False,
    ) -> None:
        self._names = frozenset(names) | {split_host(host)[0] for host in allowed_hosts}
        self._origins = frozenset(origin.rstrip("/").lower() for origin in allowed_origins)
        self._trust_forwarding = trust_forwarding

    def check(self, method: str, headers: HTTPHeaders, local_address: str, socket: bool) -> None:
        """Raises ForbiddenError, with a sentence that says what to do, where a request must not
        pass.

        `local_address` is the address of this machine to which the connection was made; `socket`
        says that the request opens or serves a push socket, which counts as a write.
        """
        if not self._trust_forwarding:
            self._check_forwarding(headers)
        host = headers.get("Host", "")
        if host:
            self._check_host(host, local_address)
        if socket or method not in SAFE_METHODS:
            self.check_origin(headers, host)

    def _check_forwarding(self, headers: HTTPHeaders) -> None:
        for name in FORWARDING_HEADERS:
            if name in headers:
                raise ForbiddenError(
                    f"This request came through a proxy ({name}), and nobody has to log in here: "
                    "enable the auth plugin before you put a proxy in front of this host."
                )

    def _check_host(self, host: str, local_address: str) -> None:
        name, _ = split_host(host)
        if name in self._names or name == local_address or _is_loopback(name):
            return
        raise ForbiddenError(
            f'This host does not go by the name "{name}". If it should, add the name to '
            "server.allowed_hosts in its settings."
        )

    def check_origin(self, headers: HTTPHeaders, host: str) -> None:
        """Raises ForbiddenError where a page of another origin is behind the request."""
        for header in ("Origin", "Sec-WebSocket-Origin"):
            origin = headers.get(header)
            if origin is not None and not self._is_own(origin, host):
                raise ForbiddenError(
                    "A page of another origin is behind this request. If it may use this host, add "
                    "its origin to server.allowed_origins in the settings."
                )

    def _is_own(self, origin: str, host: str) -> bool:
        if origin.rstrip("/").lower() in self._origins:
            return True
        try:
            parts = urlsplit(origin)
            port = parts.port or DEFAULT_PORTS.get(parts.scheme)
        except ValueError:
            return False
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname or not host:
            return False
        name, own_port = split_host(host)
        return parts.hostname == name and port == (own_port or DEFAULT_PORTS[parts.scheme])


def content_security_policy(inline_scripts: Iterable[str] = ()) -> str:
    """The page may load its own files only. `inline_scripts` are let in by their hashes.

    Styles may be inline: graphs and viewers set them on elements.
    """
    hashes = " ".join(f"'{script_hash(script)}'" for script in inline_scripts)
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {hashes}".rstrip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self'",
        )
    )


def script_hash(script: str) -> str:
    """Hash of an inline script as a Content-Security-Policy names it."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def answer_headers() -> dict[str, str]:
    """Headers of every answer."""
    return {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Security-Policy": content_security_policy(),
    }


def redact(uri: str) -> str:
    """A request's address for the log: keys in it are not written."""
    return re.sub(r"(?i)(apikey|token|session)=[^&#]*", r"\1=***", uri)
