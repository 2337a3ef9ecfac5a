"""The settings file: read, checked as a whole, changed, written atomically."""

from __future__ import annotations

import contextlib
import copy
import fcntl
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bedplate.config import yamlfile
from bedplate.config.schema import Settings
from bedplate.config.validation import Problem, problems, unknown_key
from bedplate.durable import write_atomically
from bedplate.errors import SettingsError

PluginSettings = TypeVar("PluginSettings", bound=msgspec.Struct)

PRIVATE = 0o600
"""Mode of a new settings file: plugins keep passwords and tokens in it."""


class SettingsStore:
    """The settings of one data directory. Whatever fails, those in force stay as they were."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._settings = Settings()
        self._plugin_types: dict[str, type[msgspec.Struct]] = {}
        self._seen: tuple[int, ...] | None = None

    @property
    def settings(self) -> Settings:
        """The settings in force; the defaults before the first `load`."""
        return self._settings

    def load(self) -> Settings:
        """Reads the file; a missing one means defaults.

        Raises SettingsError with a line for each thing that is wrong: the line of the file, the
        dotted key, the reason, and for an unknown key the one that it resembles.
        """
        seen = self._fingerprint()
        text = self._read()
        data, lines = yamlfile.parse(text, self.path.name)
        data = _without_empty_sections(data)
        found = self._check(data)
        if found:
            raise SettingsError("\n".join(f"{self._place(item, lines)}{item}" for item in found))
        self._settings, self._seen = msgspec.convert(data, Settings), seen
        return self._settings

    def get(self, key: str) -> Any:
        """What is in force at a dotted key: value, section or dict. Raises SettingsError."""
        value: Any = self._settings
        for part in key.split("."):
            if isinstance(value, Mapping) and part in value:
                value = value[part]
            elif isinstance(value, msgspec.Struct) and part in value.__struct_fields__:
                value = getattr(value, part)
            elif key.startswith("plugins.") or isinstance(value, Mapping):
                raise SettingsError(f"{key}: not set")
            else:
                raise SettingsError(str(unknown_key(key, Settings)))
        return value

    def set(self, changes: Mapping[str, Any]) -> list[str]:
        """Changes values at dotted keys, all or none, and answers the keys whose value differs now.

        `msgspec.UNSET` as a value means: back to the default, or out of the dict. What another
        program wrote into the file in the meantime is kept. Raises SettingsError.
        """
        with self._locked():
            if self._fingerprint() != self._seen:
                self.load()
            data = _plain(self._settings)
            for key, value in changes.items():
                _put(data, key, copy.deepcopy(value))
            if found := self._check(data):
                raise SettingsError("\n".join(str(item) for item in found))
            settings = msgspec.convert(data, Settings)
            changed = sorted(_differences(self._settings, settings))
            if changed:
                self._write(settings)
            self._settings = settings
        return changed

    def plugin(self, id: str, kind: type[PluginSettings]) -> PluginSettings:
        """The settings of plugin `id` as its own class, against which later changes are checked
        too.

        Raises SettingsError, naming the keys as they stand in the file.
        """
        data = self._settings.plugins.get(id, {})
        if found := problems(kind, data, f"plugins.{id}"):
            raise SettingsError("\n".join(str(item) for item in found))
        self._plugin_types[id] = kind
        return msgspec.convert(data, kind)

    def _check(self, data: dict[str, Any]) -> list[Problem]:
        found = problems(Settings, data)
        sections = data.get("plugins")
        if not found and isinstance(sections, dict):
            for id, kind in self._plugin_types.items():
                found += problems(kind, sections.get(id, {}), f"plugins.{id}")
        return found

    def _place(self, problem: Problem, lines: dict[str, int]) -> str:
        key = problem.key.partition("[")[0]
        while key and key not in lines:
            key = key.rpartition(".")[0]
        return f"{self.path.name}, line {lines[key]}: " if key else f"{self.path.name}: "

    def _read(self) -> str:
        try:
            return self.path.read_text("utf-8")
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError as error:
            raise SettingsError(f"{self.path.name}: not UTF-8 text ({error.reason})") from error
        except OSError as error:
            raise SettingsError(f"{self.path}: can't be read: {error.strerror}") from error

    def _write(self, settings: Settings) -> None:
        text = yamlfile.dump(_sparse(settings))
        try:
            old = self._read()
            if "#" in old:  # a rewrite drops comments: keep what a person wrote beside it
                backup = self.path.with_name(f"{self.path.name}.bak")
                write_atomically(backup, old.encode(), PRIVATE)
            write_atomically(self.path, text.encode(), PRIVATE)
        except OSError as error:
            raise SettingsError(f"{self.path}: can't be written: {error.strerror}") from error
        except UnicodeEncodeError as error:
            raise SettingsError(f"a value is no text: {error.reason}") from error
        self._seen = self._fingerprint()

    def _fingerprint(self) -> tuple[int, ...] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keeps a second program (`bedplate config set`) from writing between our reading and
        writing.
        """
        lock = self.path.with_name(f".{self.path.name}.lock")
        try:
            file = lock.open("ab")
        except OSError as error:
            raise SettingsError(f"{lock}: can't be written: {error.strerror}") from error
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _put(data: dict[str, Any], key: str, value: Any) -> None:
    """Sets `value` at the dotted `key`, making the sections on the way."""
    *parents, name = key.split(".")
    for depth, parent in enumerate(parents):
        data = data.setdefault(parent, {})
        if not isinstance(data, dict):
            raise SettingsError(f"{'.'.join(parents[: depth + 1])}: has no keys of its own")
    if value is msgspec.UNSET:
        data.pop(name, None)
    else:
        data[name] = value


def _without_empty_sections(data: dict[str, Any]) -> dict[str, Any]:
    """Takes `server:` with nothing below it, as is left after commenting out, for an absent
    section.
    """
    sections = {
        field.name
        for field in msgspec.structs.fields(Settings)
        if not isinstance(field.default, str)
    }
    return {key: value for key, value in data.items() if value is not None or key not in sections}


def _plain(value: Any) -> Any:
    """Settings as dicts, lists and scalars, all values written out."""
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def _sparse(section: msgspec.Struct) -> dict[str, Any]:
    """As `_plain`, without the values that are the default anyway."""
    result: dict[str, Any] = {}
    for field in msgspec.structs.fields(section):
        value = getattr(section, field.name)
        default = (
            field.default_factory()
            if field.default is msgspec.NODEFAULT and callable(field.default_factory)
            else field.default
        )
        if value == default:
            continue
        if isinstance(value, msgspec.Struct):
            result[field.name] = _sparse(value)
        elif isinstance(value, Mapping):
            result[field.name] = {
                key: _sparse(item) if isinstance(item, msgspec.Struct) else _plain(item)
                for key, item in value.items()
            }
        else:
            result[field.name] = _plain(value)
    return result


def _differences(old: Any, new: Any, prefix: str = "") -> Iterator[str]:
    """Dotted keys at which two settings differ; a section that came or went counts as one."""
    before, after = _children(old), _children(new)
    if before is None or after is None:
        if old != new:
            yield prefix
        return
    for name in [*before, *(name for name in after if name not in before)]:
        dotted = f"{prefix}.{name}" if prefix else name
        if name not in before or name not in after:
            yield dotted
        else:
            yield from _differences(before[name], after[name], dotted)


def _children(value: Any) -> Mapping[str, Any] | None:
    if isinstance(value, msgspec.Struct):
        return {name: getattr(value, name) for name in value.__struct_fields__}
    return value if isinstance(value, Mapping) else None
