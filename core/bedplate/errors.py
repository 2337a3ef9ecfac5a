"""The error tree of the project: every error that a person or a client may see.

Each class has a stable `code` (for programs) and the HTTP status that a client gets. The message is
a sentence for people: what is wrong and what to do. Anything else that is raised is a bug.
"""

from __future__ import annotations


class BedplateError(Exception):
    """Base of all expected errors."""

    code = "error"
    http_status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadRequestError(BedplateError):
    """The request itself is wrong: a missing key, a value out of range, an unknown command."""

    code = "bad_request"
    http_status = 400


class ForbiddenError(BedplateError):
    """The caller may not do this (also: unknown or missing credentials, as OctoPrint's clients
    expect)."""

    code = "forbidden"
    http_status = 403


class NotFoundError(BedplateError):
    """The thing that the request names does not exist."""

    code = "not_found"
    http_status = 404


class ConflictError(BedplateError):
    """Possible in general, but not in the present state (printing, disconnected, already there)."""

    code = "conflict"
    http_status = 409


class TooLargeError(BedplateError):
    """The body or a part of it is larger than the limit."""

    code = "too_large"
    http_status = 413


class UnsupportedTypeError(BedplateError):
    """A file or body of a kind that is not taken here."""

    code = "unsupported_type"
    http_status = 415


class UnavailableError(BedplateError):
    """A part of the system that this needs is not there at the moment."""

    code = "unavailable"
    http_status = 503


class StorageFullError(BedplateError):
    """No space left on the disk that holds the data directory."""

    code = "storage_full"
    http_status = 507


class SettingsError(BedplateError):
    """The settings file or a value for it is not valid."""

    code = "settings_invalid"
    http_status = 400


class DataDirectoryInUseError(BedplateError):
    """Another host runs on the same data directory."""

    code = "data_directory_in_use"
    http_status = 409


class PortError(BedplateError):
    """A port can't be opened: unknown, busy, no permission, gone."""

    code = "port_error"
    http_status = 409


class LinkError(BedplateError):
    """The link process of a printer refused a command; carries the code and status it gave."""

    def __init__(self, message: str, code: str = "link_error", http_status: int = 409) -> None:
        super().__init__(message)
        self.code = code
        self.http_status = http_status
