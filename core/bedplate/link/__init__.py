"""The process that owns one printer: serial line, protocol, job. Run as `python -m
bedplate.link`."""
