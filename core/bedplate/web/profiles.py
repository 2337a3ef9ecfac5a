"""Printer profiles, read from the printer's settings. There is one per printer: `_default`."""

from __future__ import annotations

import msgspec

from bedplate.config.schema import PrinterSettings
from bedplate.errors import NotFoundError
from bedplate.web.permissions import CONNECTION
from bedplate.web.routing import Call, Route
from bedplate.web.wire import NoQuery, Wire

PROFILE = "_default"
"""Id of the profile: OctoPrint's, since clients have it built in."""

DEFAULT_EXTRUSION = 5
"""Millimetres that clients offer to extrude."""


class Volume(Wire, frozen=True):
    """The room in which the printer moves, in mm."""

    form_factor: str
    origin: str
    width: float
    depth: float
    height: float
    custom_box: bool = msgspec.field(name="custom_box")


class Axis(Wire, frozen=True):
    """Speed of moves by hand, in mm/min."""

    speed: int
    inverted: bool


class Extruder(Wire, frozen=True):
    """The tools. Offsets and diameter in mm."""

    count: int
    offsets: list[list[float]]
    nozzle_diameter: float
    shared_nozzle: bool
    default_extrusion_length: int


class ProfileDocument(Wire, frozen=True):
    """A printer profile."""

    id: str
    name: str
    model: str
    color: str
    current: bool
    default: bool
    resource: str
    heated_bed: bool
    heated_chamber: bool
    volume: Volume
    axes: dict[str, Axis]
    extruder: Extruder


class ProfilesDocument(Wire, frozen=True):
    """All profiles, by id."""

    profiles: dict[str, ProfileDocument]


def profile_document(settings: PrinterSettings, resource: str) -> ProfileDocument:
    """The profile that follows from a printer's settings."""
    volume, speeds = settings.volume, settings.speeds
    return ProfileDocument(
        id=PROFILE,
        name=settings.name,
        model=settings.model,
        color="default",
        current=True,
        default=True,
        resource=resource,
        heated_bed=settings.heated_bed,
        heated_chamber=settings.heated_chamber,
        volume=Volume(
            form_factor=volume.shape.value,
            origin=volume.origin.value,
            width=volume.width,
            depth=volume.depth,
            height=volume.height,
            custom_box=False,
        ),
        axes={
            axis: Axis(speed=int(getattr(speeds, axis)), inverted=False)
            for axis in ("x", "y", "z", "e")
        },
        extruder=Extruder(
            count=settings.extruders,
            offsets=[[0.0, 0.0] for _ in range(settings.extruders)],
            nozzle_diameter=settings.nozzle,
            shared_nozzle=False,
            default_extrusion_length=DEFAULT_EXTRUSION,
        ),
    )


def _document(call: Call[None, NoQuery]) -> ProfileDocument:
    resource = call.api(f"/printerprofiles/{PROFILE}")
    return profile_document(call.printer.settings, resource)


async def read_profiles(call: Call[None, NoQuery]) -> ProfilesDocument:
    """All printer profiles."""
    return ProfilesDocument(profiles={PROFILE: _document(call)})


async def read_profile(call: Call[None, NoQuery]) -> ProfileDocument:
    """One printer profile."""
    if call.parameters["profile"] != PROFILE:
        raise NotFoundError(f'There is no printer profile "{call.parameters["profile"]}".')
    return _document(call)


ROUTES = (
    Route(
        method="GET",
        path="/api/printerprofiles",
        handler=read_profiles,
        permission=CONNECTION,
        answers={200: ProfilesDocument},
        tag="Printer profiles",
    ),
    Route(
        method="GET",
        path="/api/printerprofiles/{profile}",
        handler=read_profile,
        permission=CONNECTION,
        answers={200: ProfileDocument},
        errors=(NotFoundError,),
        tag="Printer profiles",
    ),
)
