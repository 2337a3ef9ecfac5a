"""The sans-IO serial dialogue with a printer: bytes in, bytes and events out, time as an
argument."""
