"""Errors that only HTTP knows."""

from __future__ import annotations

from bedplate.errors import BadRequestError, TooLargeError


class MethodNotAllowedError(BadRequestError):
    """The address exists, but does not take this method."""

    code = "method_not_allowed"
    http_status = 405


class PayloadTooLargeError(TooLargeError):
    """The body is larger than this route takes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body of this request is larger than {limit} bytes, the limit here.")
