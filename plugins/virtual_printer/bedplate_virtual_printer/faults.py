"""What can go wrong, as a table, and the switchboard that decides when it does.

Each row says at which moment the fault may strike and what it does there. A new fault is a new
row. Chance comes from one seeded generator, so that a run can be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Protocol


class Victim(Protocol):
    """What a fault at a command may do to the firmware."""

    def fall_silent(self) -> None:
        """Stop for good, as a hung program does."""

    def reboot(self, cause: str) -> None:
        """Start over with everything lost; `cause` is the line that names the reason."""


LineFault = Callable[[Random, bytes], bytes]
"""Changes a received line before it is checked."""

OkFault = Callable[[Random, bytes], bytes]
"""Replaces the bytes of an ok, line end included."""

CommandFault = Callable[[Victim], None]
"""Strikes when a command is about to be carried out."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One row: a name, what it does in one sentence, how often by default, and how."""

    name: str
    summary: str
    probability: float
    on_line: LineFault | None = None
    on_ok: OkFault | None = None
    on_command: CommandFault | None = None


def _corrupt(rng: Random, line: bytes) -> bytes:
    """Change, lose or double one byte of a numbered line; any such damage breaks its checksum.

    Lines without a number pass: nothing could tell that they were damaged. The N itself stays,
    for without it the rest would be carried out as an unnumbered line.
    """
    if line[:1] != b"N" or len(line) < 2:
        return line
    at = rng.randrange(1, len(line))
    byte = line[at]
    kind = rng.randrange(3)
    if kind == 0:
        # Printable, and neither a comment sign nor the byte it was.
        choices = [c for c in range(0x21, 0x7F) if c not in (byte, 0x3B)]
        return line[:at] + bytes([rng.choice(choices)]) + line[at + 1 :]
    if kind == 1:
        return line[:at] + line[at + 1 :]
    return line[:at] + bytes([byte]) + line[at:]


def _noise(rng: Random, ok: bytes) -> bytes:
    # No line ends inside: the garbage stays a line of its own and never looks like an answer.
    return bytes(rng.randrange(0x80, 0x100) for _ in range(rng.randint(1, 12))) + b"\n" + ok


FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault(
            "corrupt",
            "A numbered line arrives with one byte changed, lost or doubled.",
            0.01,
            on_line=_corrupt,
        ),
        Fault(
            "lost-ok",
            "A command is carried out, but its ok never arrives.",
            0.001,
            on_ok=lambda _rng, _ok: b"",
        ),
        Fault(
            "double-ok",
            "A command is answered with ok twice.",
            0.001,
            on_ok=lambda _rng, ok: ok + ok,
        ),
        Fault(
            "busy",
            "A command's ok is preceded by busy lines, as if it had taken long.",
            0.01,
            on_ok=lambda rng, ok: b"echo:busy: processing\n" * rng.randint(1, 3) + ok,
        ),
        Fault(
            "silence",
            "The firmware hangs: from one command on it never answers again.",
            0.0001,
            on_command=lambda victim: victim.fall_silent(),
        ),
        Fault(
            "reset",
            "The board reboots in the middle: greeting, line counter 0, heaters off, moves lost.",
            0.0001,
            on_command=lambda victim: victim.reboot(" Brown out Reset"),
        ),
        Fault(
            "noise",
            "A line of garbage bytes arrives before an ok.",
            0.001,
            on_ok=_noise,
        ),
    )
}


class UnknownFault(ValueError):
    """A fault was named that is not in the table."""

    def __init__(self, name: str) -> None:
        super().__init__(f"unknown fault {name!r}; there are: {', '.join(FAULTS)}")


class Switchboard:
    """Decides which faults strike when.

    probabilities: name to chance, 0 to 1, at each moment at which the fault could strike.
    Raises UnknownFault, and ValueError for a chance outside 0 to 1.
    """

    def __init__(self, probabilities: Mapping[str, float], rng: Random) -> None:
        self._rng = rng
        self._chances: dict[str, float] = {}
        self._armed: list[str] = []
        for name, probability in probabilities.items():
            self.set_probability(name, probability)

    def set_probability(self, name: str, probability: float) -> None:
        """From now on `name` strikes with this chance; 0 switches it off."""
        _known(name)
        if not 0 <= probability <= 1:
            raise ValueError(f"the probability of fault {name!r} must lie between 0 and 1")
        self._chances.pop(name, None)
        if probability > 0:
            self._chances[name] = probability

    def trigger(self, name: str) -> None:
        """Let `name` strike once, at its next opportunity."""
        _known(name)
        self._armed.append(name)

    def line(self, line: bytes) -> bytes:
        """What becomes of a received line."""
        if self._at_work:
            for fault in FAULTS.values():
                if fault.on_line is not None and self._strikes(fault.name):
                    line = fault.on_line(self._rng, line)
        return line

    def ok(self, ok: bytes) -> bytes:
        """What becomes of an ok."""
        if self._at_work:
            for fault in FAULTS.values():
                if fault.on_ok is not None and self._strikes(fault.name):
                    ok = fault.on_ok(self._rng, ok)
        return ok

    def command(self, victim: Victim) -> bool:
        """Whether a fault struck at a command, which then is not carried out."""
        if self._at_work:
            for fault in FAULTS.values():
                if fault.on_command is not None and self._strikes(fault.name):
                    fault.on_command(victim)
                    return True
        return False

    @property
    def _at_work(self) -> bool:
        return bool(self._chances or self._armed)

    def _strikes(self, name: str) -> bool:
        if name in self._armed:
            self._armed.remove(name)
            return True
        chance = self._chances.get(name, 0.0)
        return chance > 0 and self._rng.random() < chance


def _known(name: str) -> None:
    if name not in FAULTS:
        raise UnknownFault(name)
