"""A box that grows around points."""

from __future__ import annotations


class Extent:
    """Least and greatest X, Y and Z in mm; empty (`min_x` above `max_x`) until the first point."""

    __slots__ = ("max_x", "max_y", "max_z", "min_x", "min_y", "min_z")

    def __init__(self) -> None:
        self.min_x = self.min_y = self.min_z = float("inf")
        self.max_x = self.max_y = self.max_z = float("-inf")

    def add(self, x: float, y: float, z: float) -> None:
        """Take a point into the box."""
        self.min_x = min(self.min_x, x)
        self.max_x = max(self.max_x, x)
        self.min_y = min(self.min_y, y)
        self.max_y = max(self.max_y, y)
        self.min_z = min(self.min_z, z)
        self.max_z = max(self.max_z, z)
