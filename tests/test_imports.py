"""Imports run one way (docs/design.md, section 8), and each process carries only what it needs."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "core"
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/bedplate_*/__init__.py"))

EVERYBODY = {"__version__", "docstrings", "durable", "errors"}
"""Leaves that every part may import; they import nothing but each other."""
BACKBONE = {"messages", "bus", "journal", "database", "config", "log", "plugin"}
"""What the host's parts are tied together with."""

ALLOWED: dict[str, set[str]] = {
    "docstrings": set(),
    "durable": set(),
    "errors": set(),
    "messages": set(),
    "gcode": {"messages"},
    "protocol": {"messages", "gcode"},
    "link": {"messages", "gcode", "protocol"},
    "log": set(),
    "database": set(),
    "journal": {"messages", "database"},
    "bus": {"messages", "journal"},
    "config": {"messages"},
    "plugin": {"messages"},
    "hookspecs": {"messages", "plugin"},
    "plugin_runtime": BACKBONE | {"hookspecs"},
    "plugin_checks": BACKBONE | {"hookspecs", "plugin_runtime"},
    "plugins": BACKBONE | {"hookspecs", "plugin_runtime", "plugin_checks"},
    "files": BACKBONE | {"gcode"},
    "printers": BACKBONE | {"gcode", "files"},
    "web": BACKBONE | {"gcode", "files", "printers", "plugins", "hookspecs"},
    "host": BACKBONE | {"gcode", "files", "printers", "plugins", "hookspecs", "web"},
    "cli": BACKBONE | {"gcode", "files", "printers", "plugins", "hookspecs", "web", "host"},
    "__main__": {"cli"},
    # Reads the classes that it makes documents of; nothing imports it.
    "devtools": BACKBONE | {"protocol", "printers", "web"},
}
"""Part of the core (module or package below `bedplate`) to the parts that it may import."""

NEVER_IN_THE_LINK = {
    "tornado",
    "asyncio",
    "pluggy",
    "yaml",
    "sqlite3",
    "click",
    "jinja2",
    "ssl",
    "concurrent.futures",
}


def source_files(root: Path) -> list[Path]:
    return [path for path in sorted(root.rglob("*.py")) if "tests" not in path.parts]


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path, module: str) -> Iterator[str]:
    """Full names of what a file imports, wherever in it."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def run_python(code: str, *roots: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, roots))},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def core_parts() -> set[str]:
    return {
        path.stem
        for path in CORE.glob("bedplate/*")
        if path.suffix == ".py" or (path / "__init__.py").exists()
    } - {"__init__"}


def test_the_table_names_every_part_of_the_core() -> None:
    assert core_parts() == set(ALLOWED)
    assert set().union(*ALLOWED.values()) <= set(ALLOWED)


def test_the_table_has_no_circles() -> None:
    done: set[str] = set()
    while left := set(ALLOWED) - done:
        free = {part for part in left if ALLOWED[part] - {part} <= done}
        assert free, f"in a circle: {sorted(left)}"
        done |= free


def test_imports_run_one_way() -> None:
    found: set[tuple[str, str]] = set()
    for path in source_files(CORE):
        module = module_name(path, CORE)
        part = module.split(".")[1] if "." in module else None
        for name in imported(path, module):
            parts = name.split(".")
            if parts[0] != "bedplate" or len(parts) < 2 or part is None or parts[1] == part:
                continue
            if parts[1] not in ALLOWED[part] | EVERYBODY:
                found.add((module, parts[1]))
    assert not found, sorted(found)


def test_the_core_imports_no_plugin() -> None:
    for path in source_files(CORE):
        names = imported(path, module_name(path, CORE))
        assert [name for name in names if name.startswith("bedplate_")] == [], path


@pytest.mark.parametrize("package", PLUGINS, ids=lambda path: path.name)
def test_a_plugin_imports_the_plugin_interface_alone(package: Path) -> None:
    others = tuple(f"{path.name}." for path in PLUGINS if path != package)
    for path in source_files(package):
        for name in imported(path, module_name(path, package.parent)):
            if name.startswith("bedplate."):
                assert name.startswith("bedplate.plugin."), f"{path}: {name}"
            assert not name.startswith(others), f"{path}: {name}"


def every_module() -> list[str]:
    roots = [CORE / "bedplate", *PLUGINS]
    names = [module_name(path, root.parent) for root in roots for path in source_files(root)]
    return [name for name in names if not name.endswith("__main__")]


@pytest.mark.parametrize("name", every_module())
def test_every_module_can_be_imported(name: str) -> None:
    assert importlib.import_module(name).__doc__, "says what it is for"


def test_the_link_carries_nothing_of_the_host() -> None:
    modules = set(
        run_python("import bedplate.link.__main__, sys; print(*sys.modules)", CORE).split()
    )
    assert "serial" in modules
    assert not modules & NEVER_IN_THE_LINK, modules & NEVER_IN_THE_LINK
    parts = {name.split(".")[1] for name in modules if name.startswith("bedplate.")}
    assert parts <= {"link", "protocol", "gcode", "messages", "errors", "durable"}


def test_the_virtual_printers_firmware_knows_nothing_of_bedplate() -> None:
    code = "import bedplate_virtual_printer.firmware, sys; print(*sys.modules)"
    modules = run_python(code, ROOT / "plugins" / "virtual_printer").split()
    assert [name for name in modules if name.split(".")[0] == "bedplate"] == []


def test_the_protocol_knows_no_port_no_clock_and_no_thread() -> None:
    forbidden = {"time", "threading", "socket", "select", "serial", "logging", "asyncio", "os"}
    for path in source_files(CORE / "bedplate" / "protocol"):
        names = {name.split(".")[0] for name in imported(path, module_name(path, CORE))}
        assert not names & forbidden, f"{path.name}: {names & forbidden}"
