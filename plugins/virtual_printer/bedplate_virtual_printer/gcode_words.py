"""Reading one G-code command: its name, its words, its text."""

from __future__ import annotations

import re
from typing import NamedTuple

_NAME = re.compile(r"([GMT]) ?(\d+)(\.\d+)?")
_WORD = re.compile(r"([A-Z]) *([-+]?(?:\d+\.?\d*|\.\d+))?")


class Command(NamedTuple):
    """A command as the firmware sees it.

    name: such as "G1", "M105", "T0", leading zeros dropped; "" when it is no command at all.
    words: parameter letter to number, None for a letter without one (as in `G28 X`).
    text: what stands behind the name, as it was sent. line: the whole command, as it was sent.
    """

    name: str
    words: dict[str, float | None]
    text: str
    line: str

    def number(self, letter: str) -> float | None:
        """The number behind `letter`; None when there is no such word or no number in it."""
        return self.words.get(letter)


def parse(line: str) -> Command:
    """Take a command apart; letters may be lower case and blanks may be missing."""
    upper = line.upper()
    match = _NAME.match(upper)
    # A few letters grow when made upper case; then positions no longer fit, and it is no command.
    if match is None or len(upper) != len(line):
        return Command("", {}, line, line)
    letter, digits, fraction = match.groups()
    if len(digits) > 1 and digits[0] == "0":
        digits = digits.lstrip("0") or "0"
    name = letter + digits + (fraction or "")
    words = {
        word: float(number) if number else None
        for word, number in _WORD.findall(upper, match.end())
    }
    return Command(name, words, line[match.end() :].strip(), line)
