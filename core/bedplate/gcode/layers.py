"""Where layers begin: by the slicer's marks, or, without any, by the height at which is printed.

By height, a layer begins with the first Z move after the last printing move of the layer below, as
soon as something is printed higher than before. Lifting over a gap prints nothing up there, so it
does not count. Where Z rises while printing (a spiral vase), a layer is as high as the one before
it was. Going down to the first layer again begins the next object of a print that makes one after
the other; other ways down are no layer. What was printed first and only once above the first layer
(a line to prime the nozzle) is none either.
"""

from __future__ import annotations

from typing import NamedTuple

MAX_LAYERS = 100_000
"""More layers are not recorded: a metre at 0.01 mm. Keeps memory bounded whatever a file says."""

_SAME = 0.005
"""Heights closer than this, in mm, are the same: slicers round to a thousandth."""
_SPIRAL_STEP = 0.2
"""Height of a layer, in mm, where a spiral begins before any layer is known."""


class Place(NamedTuple):
    """A line of the file: byte offset, number (from 1), and the time in s when it is reached."""

    offset: int
    line: int
    time: float


class Start(NamedTuple):
    """The start of a layer: place and height in mm."""

    place: Place
    z: float


class LayerTracker:
    """Told of marks, Z moves and printing, in the order of the file; gives the layers.

    `watching` is true while the next printing move matters, `climbing` while Z moves do not:
    callers may leave out the calls otherwise.
    """

    def __init__(self) -> None:
        self.watching = True
        self.climbing = False
        self.overflow = False
        self._marked: dict[str, list[Start]] = {}
        self._unknown_z: set[str] = set()
        self._by_height: list[Start] = []
        self._climb: Place | None = None
        self._top: float | None = None

    def marked(self, kind: str, place: Place, z: float | None) -> None:
        """A comment marks the start of a layer; `z` where it says so."""
        starts = self._marked.setdefault(kind, [])
        if len(starts) >= MAX_LAYERS:
            self.overflow = True
            return
        starts.append(Start(place, z if z is not None else 0.0))
        if z is None:
            self._unknown_z.add(kind)
            self.watching = True

    def height(self, z: float) -> None:
        """A comment gives the height of the layer that was just marked."""
        for kind in self._unknown_z:
            starts = self._marked[kind]
            starts[-1] = Start(starts[-1].place, z)
        self._unknown_z.clear()

    def climbed(self, place: Place) -> None:
        """A move changes Z."""
        if self._climb is None:
            self._climb = place
        self.climbing = self.watching = True

    def printed(self, z: float, spiral: bool) -> None:
        """The first printing move after a mark or a Z move; `spiral` where it changes Z itself."""
        self.height(z)
        climb, self._climb = self._climb, None
        self.climbing = self.watching = False
        if climb is None:
            return
        starts, top = self._by_height, self._top
        rise = self._step() if spiral else _SAME
        if top is None or not starts or z > top + rise:
            self._begin(climb, z)
        elif z < top - _SAME and len(starts) == 1:
            starts.clear()
            self._begin(climb, z)
        elif z < top - _SAME and z <= starts[0].z + _SAME:
            self._begin(climb, z)

    def layers(self, kinds: tuple[str, ...]) -> list[Start]:
        """All layers: those of the first kind of mark that the file has, else those by height."""
        for kind in kinds:
            if self._marked.get(kind):
                return self._marked[kind]
        return self._by_height

    def _begin(self, place: Place, z: float) -> None:
        self._top = z
        if len(self._by_height) >= MAX_LAYERS:
            self.overflow = True
            return
        self._by_height.append(Start(place, z))

    def _step(self) -> float:
        starts = self._by_height
        step = starts[-1].z - starts[-2].z if len(starts) > 1 else _SPIRAL_STEP
        return step - _SAME if step > 2 * _SAME else _SPIRAL_STEP
