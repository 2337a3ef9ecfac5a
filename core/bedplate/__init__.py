"""Bedplate: a plugin-extensible host for 3D printers. Importing this package starts nothing."""

__version__ = "0.1.0"
