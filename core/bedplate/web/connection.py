"""The connection between host and printer."""

from __future__ import annotations

from bedplate.errors import BadRequestError, ConflictError, NotFoundError, PortError
from bedplate.messages.states import ConnectionState
from bedplate.printers.ports import AUTO, BAUDRATES, is_target
from bedplate.web import octoprint
from bedplate.web.permissions import CONNECTION, SETTINGS, STATUS
from bedplate.web.profiles import PROFILE
from bedplate.web.routing import Answer, Call, Route
from bedplate.web.wire import Command, NoQuery, Wire

NOT_OPEN = frozenset({ConnectionState.CLOSED, ConnectionState.ERROR})
"""States of the connection in which no port is open."""


class CurrentConnection(Wire, frozen=True):
    """The connection as it is; port and baud rate are null while there is none."""

    state: str
    port: str | None
    baudrate: int | None
    printer_profile: str


class ProfileName(Wire, frozen=True):
    """A printer profile to choose."""

    id: str
    name: str


class PortLabel(Wire, frozen=True):
    """A port to choose: `name` goes into requests, `label` is for people."""

    name: str
    label: str


class ConnectionOptions(Wire, frozen=True):
    """What can be chosen. `portLabels` is ours: the same ports with what the machine says of
    them."""

    ports: list[str]
    baudrates: list[int]
    printer_profiles: list[ProfileName]
    port_preference: str | None
    baudrate_preference: int | None
    printer_profile_preference: str
    autoconnect: bool
    port_labels: list[PortLabel]


class ConnectionDocument(Wire, frozen=True):
    """The connection and what can be chosen."""

    current: CurrentConnection
    options: ConnectionOptions


class Connect(Command, frozen=True, tag="connect"):
    """Connect. What is missing comes from the settings, or is found out.

    `port`: a listed one, `AUTO`, an absolute path of a terminal device, or a `socket://` or
    `rfc2217://` URL. `baudrate`: 0 to find it out. `save`: keep both for next time.
    """

    port: str | None = None
    baudrate: int | None = None
    printer_profile: str | None = None
    save: bool | None = None
    autoconnect: bool | None = None


class Disconnect(Command, frozen=True, tag="disconnect"):
    """Disconnect. Fine also where there is no connection."""


class FakeAcknowledgement(Command, frozen=True, tag="fake_ack"):
    """Accepted for old clients, and without effect: a lost acknowledgement is found by itself
    here."""


async def read_connection(call: Call[None, NoQuery]) -> ConnectionDocument:
    """The connection, and the ports and baud rates to choose from."""
    printer = call.printer
    view = printer.snapshot.connection
    ports = await printer.list_ports()
    return ConnectionDocument(
        current=CurrentConnection(
            state=octoprint.connection_text(printer.snapshot),
            port=view.port if _is_open(call) else None,
            baudrate=view.baudrate if _is_open(call) else None,
            printer_profile=PROFILE,
        ),
        options=ConnectionOptions(
            ports=[port.name for port in ports],
            baudrates=list(BAUDRATES),
            printer_profiles=[ProfileName(id=PROFILE, name=printer.settings.name)],
            port_preference=printer.settings.port,
            baudrate_preference=printer.settings.baudrate or None,
            printer_profile_preference=PROFILE,
            autoconnect=printer.settings.autoconnect,
            port_labels=[PortLabel(name=port.name, label=port.label) for port in ports],
        ),
    )


def _is_open(call: Call[None, NoQuery]) -> bool:
    return call.printer.snapshot.connection.state not in NOT_OPEN


async def command_connection(
    call: Call[Connect | Disconnect | FakeAcknowledgement, NoQuery],
) -> Answer:
    """Connect or disconnect.

    Answers at once; connecting goes on in the background, and the state tells how it went.
    """
    match call.body:
        case Connect():
            await _connect(call, call.body)
        case Disconnect():
            await call.printer.disconnect()
        case FakeAcknowledgement():
            pass
    return Answer(status=204)


async def _connect(
    call: Call[Connect | Disconnect | FakeAcknowledgement, NoQuery], body: Connect
) -> None:
    port = body.port
    if port is not None and port != AUTO and not is_target(port):
        known = [item.name for item in await call.printer.list_ports()]
        if port not in known:
            raise BadRequestError(
                f'There is no port "{port}". Known are: {", ".join(known) or "none"}.'
            )
    if body.baudrate is not None and body.baudrate != 0 and body.baudrate not in BAUDRATES:
        raise BadRequestError(
            f"The baud rate {body.baudrate} is not one of those that are offered."
        )
    if body.printer_profile not in (None, PROFILE):
        raise BadRequestError(f'There is no printer profile "{body.printer_profile}".')
    if body.save or body.autoconnect is not None:
        call.require(SETTINGS)
        await _remember(call, body, port)
    await call.printer.connect(port, body.baudrate)


async def _remember(
    call: Call[Connect | Disconnect | FakeAcknowledgement, NoQuery], body: Connect, port: str | None
) -> None:
    prefix = f"printers.{call.printer.id}"
    changes: dict[str, object] = {}
    if body.save:
        changes[f"{prefix}.port"] = port
        changes[f"{prefix}.baudrate"] = body.baudrate or 0
    if body.autoconnect is not None:
        changes[f"{prefix}.autoconnect"] = body.autoconnect
    await call.host.change_settings(changes)


ROUTES = (
    Route(
        method="GET",
        path="/api/connection",
        handler=read_connection,
        permission=STATUS,
        answers={200: ConnectionDocument},
        tag="Connection",
    ),
    Route(
        method="POST",
        path="/api/connection",
        handler=command_connection,
        permission=CONNECTION,
        also=(SETTINGS,),
        body=Connect | Disconnect | FakeAcknowledgement,
        answers={204: None},
        errors=(BadRequestError, ConflictError, NotFoundError, PortError),
        tag="Connection",
    ),
)
