"""The permissions of the HTTP interface, as data: the keys are OctoPrint's, which its clients
know."""

from __future__ import annotations

import msgspec


class Permission(msgspec.Struct, frozen=True):
    """Something that an actor may or may not do. `key` is stable; the rest is for people."""

    key: str
    name: str
    description: str


OPEN = Permission("OPEN", "Open", "Needs no permission: anybody who reaches the host may do it.")

ADMIN = Permission("ADMIN", "Administration", "Everything, users and permissions included.")
STATUS = Permission("STATUS", "Status", "See the state of printers, temperatures and jobs.")
CONNECTION = Permission("CONNECTION", "Connection", "Connect printers and disconnect them.")
WEBCAM = Permission("WEBCAM", "Webcam", "See camera pictures.")
SYSTEM = Permission("SYSTEM", "System", "Shut down, restart, run system commands.")
FILES_LIST = Permission("FILES_LIST", "List files", "See the print files and their details.")
FILES_UPLOAD = Permission("FILES_UPLOAD", "Upload files", "Upload, copy and move print files.")
FILES_DOWNLOAD = Permission("FILES_DOWNLOAD", "Download files", "Download print files.")
FILES_DELETE = Permission("FILES_DELETE", "Delete files", "Delete and replace print files.")
FILES_SELECT = Permission("FILES_SELECT", "Select files", "Choose the file to print next.")
PRINT = Permission("PRINT", "Print", "Start, pause, resume and cancel jobs.")
GCODE_VIEWER = Permission("GCODE_VIEWER", "G-code viewer", "Look at print files in the viewer.")
MONITOR_TERMINAL = Permission(
    "MONITOR_TERMINAL", "Watch the terminal", "See the conversation with the printer."
)
CONTROL = Permission("CONTROL", "Control", "Move and heat the printer, send it G-code.")
SLICE = Permission("SLICE", "Slice", "Slice models.")
TIMELAPSE_LIST = Permission("TIMELAPSE_LIST", "List films", "See the list of timelapse films.")
TIMELAPSE_DOWNLOAD = Permission("TIMELAPSE_DOWNLOAD", "Download films", "Download films.")
TIMELAPSE_DELETE = Permission("TIMELAPSE_DELETE", "Delete films", "Delete timelapse films.")
TIMELAPSE_MANAGE_UNRENDERED = Permission(
    "TIMELAPSE_MANAGE_UNRENDERED", "Manage pictures", "Render and delete unrendered films."
)
TIMELAPSE_ADMIN = Permission("TIMELAPSE_ADMIN", "Set up films", "Change how films are made.")
SETTINGS_READ = Permission("SETTINGS_READ", "Read settings", "See settings, without secrets.")
SETTINGS = Permission("SETTINGS", "Settings", "Change settings and manage plugins.")

PERMISSIONS: tuple[Permission, ...] = (
    ADMIN,
    STATUS,
    CONNECTION,
    WEBCAM,
    SYSTEM,
    FILES_LIST,
    FILES_UPLOAD,
    FILES_DOWNLOAD,
    FILES_DELETE,
    FILES_SELECT,
    PRINT,
    GCODE_VIEWER,
    MONITOR_TERMINAL,
    CONTROL,
    SLICE,
    TIMELAPSE_LIST,
    TIMELAPSE_DOWNLOAD,
    TIMELAPSE_DELETE,
    TIMELAPSE_MANAGE_UNRENDERED,
    TIMELAPSE_ADMIN,
    SETTINGS_READ,
    SETTINGS,
)
"""Every permission that can be given. `OPEN` is none of them: nobody needs it."""


class Actor(msgspec.Struct, frozen=True):
    """Who asks: `name` as it stands in histories and on the wire."""

    name: str
    permissions: frozenset[str]

    def may(self, permission: Permission) -> bool:
        """Whether this actor has the permission."""
        return permission is OPEN or permission.key in self.permissions


LOCAL = Actor("local", frozenset(permission.key for permission in PERMISSIONS))
"""Who asks while no authentication plugin is there: whoever is at this machine, and may do all."""
