"""A Marlin-like printer in a process of its own, behind a pseudo-terminal.

The firmware in here shares no code with the host: it is what the host is tested against. Only
`plugin` knows Bedplate; everything else needs the standard library alone, and
`python -m bedplate_virtual_printer` runs without the rest of the project.
"""
