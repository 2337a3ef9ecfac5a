"""Two kinds of protocol error, by blame: ours, or the printer's. Anything else raised here is a
bug."""

from __future__ import annotations

from bedplate.errors import BedplateError


class ProtocolError(BedplateError):
    """Base of both."""

    code = "protocol_error"


class LocalProtocolError(ProtocolError):
    """The caller asked for something that the present state does not allow."""

    code = "not_now"
    http_status = 409
