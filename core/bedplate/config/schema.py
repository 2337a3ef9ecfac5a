"""Every setting of the core: type, default, bounds and help text.

The classes are the whole truth: the settings file is checked against them, and a settings page can
be made of their JSON Schema. Units stand in the help texts. Unknown keys are found by
`bedplate.config.validation`, which can name the nearest known one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from bedplate.messages.commands import LineSettings

PrinterId = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,31}(?!\n)$",
        description="up to 32 small letters, digits, - and _",
    ),
]
"""Stands in routes, events and names of directories; short because a socket's path is."""

PluginId = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}(?!\n)$",
        description="up to 64 letters, digits and _",
    ),
]

Millimetres = Annotated[float, Meta(gt=0, le=10_000)]
Percent = Annotated[float, Meta(gt=0, lt=100)]
Speed = Annotated[float, Meta(gt=0, le=100_000)]

MIB = 1024 * 1024


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Base class of all settings classes."""


class ServerSettings(Section, frozen=True):
    """Where the host answers, and to whom."""

    address: Annotated[
        str, Meta(title="Address", description="Address to listen on.", min_length=1)
    ] = "127.0.0.1"
    port: Annotated[
        int, Meta(title="Port", description="TCP port; 0 picks a free one.", ge=0, le=65535)
    ] = 5000
    allowed_hosts: Annotated[
        list[str],
        Meta(
            title="Further host names",
            description="Names under which browsers may address this host, besides its own.",
        ),
    ] = []
    allowed_origins: Annotated[
        list[str],
        Meta(
            title="Further origins",
            description="Origins of other web pages that may use this host, e.g. https://example.org.",
        ),
    ] = []
    allow_unprotected: Annotated[
        bool,
        Meta(
            title="Without protection",
            description="Listen on other addresses than loopback although nobody has to log in.",
        ),
    ] = False
    upload_limit: Annotated[
        int,
        Meta(title="Largest upload", description="In bytes.", ge=MIB),
    ] = 1024 * MIB


class Shape(StrEnum):
    """Form of a bed."""

    RECTANGULAR = "rectangular"
    CIRCULAR = "circular"


class Origin(StrEnum):
    """Where X0 Y0 lies on a bed."""

    LOWER_LEFT = "lowerleft"
    CENTER = "center"


class VolumeSettings(Section, frozen=True):
    """The room in which the printer moves."""

    width: Annotated[Millimetres, Meta(title="Width", description="Along X, in mm.")] = 220.0
    depth: Annotated[Millimetres, Meta(title="Depth", description="Along Y, in mm.")] = 220.0
    height: Annotated[Millimetres, Meta(title="Height", description="Along Z, in mm.")] = 250.0
    shape: Annotated[Shape, Meta(title="Shape of the bed")] = Shape.RECTANGULAR
    origin: Annotated[Origin, Meta(title="Origin", description="Where X0 Y0 lies.")] = (
        Origin.LOWER_LEFT
    )


class SpeedSettings(Section, frozen=True):
    """Speeds of moves by hand, in mm/min."""

    x: Annotated[Speed, Meta(title="X", description="In mm/min.")] = 6000.0
    y: Annotated[Speed, Meta(title="Y", description="In mm/min.")] = 6000.0
    z: Annotated[Speed, Meta(title="Z", description="In mm/min.")] = 200.0
    e: Annotated[Speed, Meta(title="Extruder", description="In mm/min.")] = 300.0


CANCEL_SCRIPT = """\
{% for tool in range(extruders) %}
M104 T{{ tool }} S0
{% endfor %}
{% if heated_bed %}
M140 S0
{% endif %}
M107
"""
"""Heaters and fan off. M104 with T0 alone is what a printer with one extruder takes as well."""


class ScriptSettings(Section, frozen=True):
    """G-code around a job: Jinja2 templates, one command a line; empty lines and comments go.

    The names they may use: `file` (path), `extruders`, `heated_bed`, `heated_chamber`.
    """

    before_print: Annotated[str, Meta(title="Before a print")] = ""
    after_print: Annotated[str, Meta(title="After a print")] = ""
    on_pause: Annotated[str, Meta(title="On pause")] = ""
    on_resume: Annotated[str, Meta(title="On resume")] = ""
    on_cancel: Annotated[str, Meta(title="On cancel")] = CANCEL_SCRIPT


class PrinterSettings(Section, frozen=True):
    """One printer: its connection, its size, its scripts."""

    name: Annotated[str, Meta(title="Name", min_length=1, max_length=64)] = "Printer"
    model: Annotated[str, Meta(title="Model", max_length=64)] = "Generic printer"
    port: Annotated[
        str | None,
        Meta(
            title="Port",
            description="Name of a listed port, path of a device, or a URL "
            "(socket://, rfc2217://); empty: the first that is found.",
        ),
    ] = None
    baudrate: Annotated[
        int, Meta(title="Baud rate", description="0: try the usual ones.", ge=0, le=10_000_000)
    ] = 0
    autoconnect: Annotated[
        bool, Meta(title="Connect by itself", description="When the host starts.")
    ] = False
    line: LineSettings = LineSettings()
    volume: VolumeSettings = VolumeSettings()
    heated_bed: Annotated[bool, Meta(title="Heated bed")] = True
    heated_chamber: Annotated[bool, Meta(title="Heated chamber")] = False
    extruders: Annotated[int, Meta(title="Extruders", ge=1, le=16)] = 1
    nozzle: Annotated[Millimetres, Meta(title="Nozzle diameter", description="In mm.")] = 0.4
    filament: Annotated[Millimetres, Meta(title="Filament diameter", description="In mm.")] = 1.75
    speeds: SpeedSettings = SpeedSettings()
    scripts: ScriptSettings = ScriptSettings()
    progress_marks: Annotated[
        list[Percent],
        Meta(title="Progress marks", description="Percent at which PrintProgress is published."),
    ] = msgspec.field(default_factory=lambda: [25.0, 50.0, 75.0])

    def __post_init__(self) -> None:
        for name in msgspec.structs.fields(self.line):
            value = getattr(self.line, name.name)
            if isinstance(value, int | float) and not isinstance(value, bool) and not value > 0:
                raise ValueError(f"line.{name.name} must be above 0")


class LogLevel(StrEnum):
    """How much goes into the host's log."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogSettings(Section, frozen=True):
    """The host's log."""

    level: Annotated[LogLevel, Meta(title="Level")] = LogLevel.INFO


class FilesSettings(Section, frozen=True):
    """Print files."""

    analyse: Annotated[
        bool,
        Meta(title="Read new files", description="For layers, times and filament."),
    ] = True
    keep_free: Annotated[
        int,
        Meta(
            title="Keep free",
            description="Bytes that uploads leave free on the disk; larger ones are refused.",
            ge=0,
        ),
    ] = 50 * MIB


class Settings(Section, frozen=True):
    """Everything that the core can be told."""

    name: Annotated[str, Meta(title="Name of this host", min_length=1, max_length=64)] = "Bedplate"
    server: ServerSettings = ServerSettings()
    printers: Annotated[
        dict[PrinterId, PrinterSettings],
        Meta(title="Printers", description="Each under its id.", min_length=1),
    ] = msgspec.field(default_factory=lambda: {"default": PrinterSettings()})
    plugins: Annotated[
        dict[PluginId, dict[str, Any]],
        Meta(title="Plugins", description="Settings of each plugin, under its id."),
    ] = {}
    disabled_plugins: Annotated[
        list[PluginId], Meta(title="Disabled plugins", description="Their ids.")
    ] = []
    log: LogSettings = LogSettings()
    files: FilesSettings = FilesSettings()
