"""When to ask for temperatures, where the firmware does not report them by itself."""

from __future__ import annotations


class TemperaturePolling:
    """A pure schedule: one question each `interval` seconds, none while one is unanswered."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._next = 0.0
        self.enabled = False

    def start(self, now: float, *, enabled: bool) -> None:
        """The printer is ready; `enabled` unless it reports by itself."""
        self.enabled = enabled
        self._next = now + self._interval

    def is_due(self, now: float) -> bool:
        """Whether to ask now; counts as asked."""
        if not self.enabled or now < self._next:
            return False
        self._next = now + self._interval
        return True
