"""Frames and commands as lines of JSON: sans-IO, used by both ends of a link's socket."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

from bedplate.messages.commands import AnyCommand
from bedplate.messages.events import EVENTS_BY_NAME, PublicEvent
from bedplate.messages.frames import AnyFrame, EventFrame

MAX_MESSAGE = 8 * 1024 * 1024
"""Longest message in bytes: a job with 100,000 layers takes about 2 MB."""

Message = TypeVar("Message")


class CodecError(Exception):
    """The other side sent something that is not a message of this version."""


def encode(message: AnyCommand | AnyFrame) -> bytes:
    """One message, with its line end."""
    return msgspec.json.encode(message) + b"\n"


def encode_event(seq: int, id: str, time: str, event: PublicEvent) -> bytes:
    """A public event as a frame."""
    payload = msgspec.Raw(msgspec.json.encode(event))
    return encode(
        EventFrame(seq=seq, id=id, time=time, event=type(event).__name__, payload=payload)
    )


def decode_payload(name: str, payload: bytes | msgspec.Raw) -> PublicEvent:
    """The event of type `name` with this JSON payload. Raises CodecError."""
    try:
        return msgspec.json.decode(payload, type=EVENTS_BY_NAME[name])
    except (KeyError, msgspec.DecodeError) as error:
        raise CodecError(f"event {name}: {error}") from error


class Decoder(Generic[Message]):
    """Bytes in any chunking to messages of one kind."""

    def __init__(self, kind: Any) -> None:
        self._decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(kind)
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes. Raises CodecError; the connection is of no use after
        that."""
        self._buffer += data
        if len(self._buffer) > MAX_MESSAGE:
            raise CodecError("message is too long")
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = rest
        try:
            return [self._decoder.decode(line) for line in lines if line]
        except msgspec.DecodeError as error:
            raise CodecError(str(error)) from error


def command_decoder() -> Decoder[AnyCommand]:
    """Decodes what a link receives."""
    return Decoder(AnyCommand)


def frame_decoder() -> Decoder[AnyFrame]:
    """Decodes what a host receives."""
    return Decoder(AnyFrame)
