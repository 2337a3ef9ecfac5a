"""Settings, for reading: the sections and keys that OctoPrint's clients need, with honest values.

Nothing secret, no commands and no folders of the machine are in here.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

import msgspec

from bedplate.config.schema import PrinterSettings, Settings
from bedplate.printers.ports import BAUDRATES
from bedplate.web.permissions import SETTINGS_READ
from bedplate.web.routing import Call, Route
from bedplate.web.wire import NoQuery, Wire

IDENTITY = uuid.UUID("6f0f4f3e-3d53-4a42-9c5c-0d4f1f1f8b6e")
"""Name space of the unique ids by which Home Assistant tells hosts apart."""


class Api(Wire, frozen=True):
    """The global key, which does not exist here."""

    key: str | None = None
    allow_cross_origin: bool = False


class Appearance(Wire, frozen=True):
    """How the host calls itself."""

    name: str
    color: str = "default"
    color_transparent: bool = False
    color_icon: bool = True
    default_language: str = "_default"
    show_fahrenheit_also: bool = False
    fuzzy_times: bool = True
    close_modals_with_click: bool = True
    show_internal_filename: bool = True


class Feature(Wire, frozen=True):
    """What there is. The printer's own card is not supported."""

    sd_support: bool = False
    temperature_graph: bool = True
    keyboard_control: bool = False
    poll_watched: bool = False
    model_size_detection: bool = False
    remember_file_folder: bool = False
    print_start_confirmation: bool = False
    print_cancel_confirmation: bool = True
    upload_overwrite_confirmation: bool = True
    file_delete_confirmation: bool = True
    g90_influences_extruder: bool = msgspec.field(name="g90InfluencesExtruder", default=False)
    auto_uppercase_blacklist: list[str] = msgspec.field(default_factory=lambda: ["M117", "M118"])
    enable_drag_drop_upload: bool = True


class Folder(Wire, frozen=True):
    """Folders are not told."""

    uploads: str = ""
    timelapse: str = ""
    watched: str = ""


class GcodeAnalysis(Wire, frozen=True):
    """When print files are analysed."""

    run_at: str
    bed_z: float = msgspec.field(name="bedZ", default=0.0)


class Serial(Wire, frozen=True):
    """The printer's preferred connection; baud rate 0 is found out."""

    port: str | None
    baudrate: int
    port_options: list[str]
    baudrate_options: list[int]
    autoconnect: bool


class Server(Wire, frozen=True):
    """No commands are configured."""

    commands: dict[str, str | None]
    diskspace: dict[str, int]
    online_check: dict[str, bool]
    plugin_blacklist: dict[str, bool]
    allow_framing: bool = False


class TemperatureProfile(Wire, frozen=True):
    """Targets for a material, in °C."""

    name: str
    extruder: int
    bed: int
    chamber: int | None = None


class Temperature(Wire, frozen=True):
    """Targets to offer, and how many minutes of the graph to keep."""

    profiles: list[TemperatureProfile]
    cutoff: int = 30
    send_automatically: bool = False
    send_automatically_after: int = 1


class TerminalFilter(Wire, frozen=True):
    """Lines that a terminal may hide."""

    name: str
    regex: str


class Webcam(Wire, frozen=True):
    """The camera: none. Every key is there because clients read them unasked."""

    webcam_enabled: bool = False
    timelapse_enabled: bool = False
    stream_url: str = ""
    snapshot_url: str = ""
    flip_h: bool = False
    flip_v: bool = False
    rotate90: bool = False
    stream_ratio: str = "16:9"
    stream_timeout: int = 5
    stream_webrtc_ice_servers: list[str] = msgspec.field(default_factory=list)
    cache_buster: bool = False
    snapshot_timeout: int = 5
    snapshot_ssl_validation: bool = True
    bitrate: str = "10000k"
    ffmpeg_path: str | None = None
    ffmpeg_threads: int = 1
    ffmpeg_video_codec: str = "libx264"
    ffmpeg_commandline: str = ""
    watermark: bool = False
    render_after_print_delay: int = 0
    default_webcam: str | None = None
    snapshot_webcam: str | None = None
    webcams: list[dict[str, Any]] = msgspec.field(default_factory=list)


class SettingsDocument(Wire, frozen=True):
    """All sections."""

    api: Api
    appearance: Appearance
    feature: Feature
    folder: Folder
    gcode_analysis: GcodeAnalysis
    serial: Serial
    server: Server
    temperature: Temperature
    terminal_filters: list[TerminalFilter]
    webcam: Webcam
    plugins: dict[str, dict[str, Any]]
    scripts: dict[str, dict[str, str]]
    controls: list[dict[str, Any]]
    slicing: dict[str, str | None]
    system: dict[str, list[str] | None]
    access_control: dict[str, bool]
    devel: dict[str, Any]


MATERIALS = [
    TemperatureProfile(name="PLA", extruder=210, bed=60),
    TemperatureProfile(name="PETG", extruder=240, bed=80),
    TemperatureProfile(name="ABS", extruder=240, bed=100),
]

TERMINAL_FILTERS = [
    TerminalFilter(
        name="Temperature reports", regex=r"^(Send: (N\d+\s+)?M105|Recv: (ok )?.*[TB]\d*:)"
    ),
    TerminalFilter(name="Acknowledgements", regex=r"^Recv: ok\b(?!.*[TB]\d*:)"),
    TerminalFilter(name="Waiting", regex=r"^Recv: (wait|(echo:)?busy:)"),
]


def settings_document(
    settings: Settings, printer: PrinterSettings, ports: list[str], unique_id: str
) -> SettingsDocument:
    """The document that follows from the settings in force."""
    return SettingsDocument(
        api=Api(),
        appearance=Appearance(name=settings.name),
        feature=Feature(),
        folder=Folder(),
        gcode_analysis=GcodeAnalysis(run_at="always" if settings.files.analyse else "never"),
        serial=Serial(
            port=printer.port,
            baudrate=printer.baudrate,
            port_options=ports,
            baudrate_options=list(BAUDRATES),
            autoconnect=printer.autoconnect,
        ),
        server=Server(
            commands={
                "serverRestartCommand": None,
                "systemRestartCommand": None,
                "systemShutdownCommand": None,
            },
            diskspace={"warning": settings.files.keep_free, "critical": settings.files.keep_free},
            online_check={"enabled": False},
            plugin_blacklist={"enabled": False},
        ),
        temperature=Temperature(profiles=MATERIALS),
        terminal_filters=TERMINAL_FILTERS,
        webcam=Webcam(),
        plugins={"discovery": {"upnpUuid": unique_id}},
        scripts={"gcode": {}},
        controls=[],
        slicing={"defaultSlicer": None},
        system={"actions": [], "events": None},
        access_control={"autologinLocal": False, "autologinHeadsupAcknowledged": False},
        devel={},
    )


async def read_settings(call: Call[None, NoQuery]) -> SettingsDocument:
    """Settings in the form that OctoPrint's clients read.

    `plugins.discovery.upnpUuid` is the host's unique id.
    """
    store = call.host.store
    unique_id = str(uuid.uuid5(IDENTITY, str(store.path.resolve())))
    ports = [port.name for port in await call.printer.list_ports()]
    document = settings_document(store.settings, call.printer.settings, ports, unique_id)
    call.revalidate(hashlib.sha256(msgspec.json.encode(document)).hexdigest()[:32])
    return document


ROUTES = (
    Route(
        method="GET",
        path="/api/settings",
        handler=read_settings,
        permission=SETTINGS_READ,
        answers={200: SettingsDocument},
        tag="Settings",
    ),
)
