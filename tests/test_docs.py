"""The pages are true to the code: links lead somewhere, names exist, tables are complete, examples
run."""

from __future__ import annotations

import ast
import configparser
import importlib
import inspect
import json
import operator
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import reduce
from importlib.metadata import EntryPoint
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from click.testing import CliRunner
from tests.helpers import eventually

from bedplate import hookspecs
from bedplate.bus import EventBus
from bedplate.config.schema import Settings
from bedplate.config.store import SettingsStore
from bedplate.config.validation import known_keys
from bedplate.devtools import settings_reference
from bedplate.journal import Journal
from bedplate.messages import commands, events, frames
from bedplate.messages.snapshot import FileRef
from bedplate.plugins import LIMITS, PluginManager
from bedplate.protocol.dialects import DIALECTS
from bedplate.protocol.grammar import ALARMS
from bedplate.web import reference_pages
from bedplate.web.schema import events_document

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
CORE = ROOT / "core" / "bedplate"
EXAMPLES = DOCS / "examples"
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.glob("*.md"), *ROOT.glob("plugins/*/*.md")]
)
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def text_of(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def anchors(page: Path) -> set[str]:
    """The names by which the headings of a page can be linked, as web views of Markdown make
    them."""
    titles = HEADING.findall(page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def cells(name: str) -> set[str]:
    """Everything that stands in code type in the tables of a page."""
    rows = [line for line in text_of(name).splitlines() if line.startswith("|")]
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


# Links


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_relative_link_and_picture_of_a_page_leads_somewhere(page: Path) -> None:
    targets = [match["target"] for match in LINK.finditer(page.read_text("utf-8"))]
    for target in targets:
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        if anchor:
            assert anchor in anchors(found), target


def test_every_page_is_linked_from_the_readme_or_from_a_page_that_is() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        for match in LINK.finditer(page.read_text("utf-8")):
            path = (page.parent / match["target"].partition("#")[0]).resolve()
            if path.suffix == ".md" and path not in reached:
                waiting.append(path)
    assert {page.name for page in DOCS.glob("*.md")} <= {page.name for page in reached}


# Plugins


def hooks() -> dict[str, str]:
    """Each hook's signature, as one would write it."""
    found = inspect.getmembers(hookspecs, inspect.isfunction)
    own = [(name, hook) for name, hook in found if hook.__module__ == hookspecs.__name__]
    return {name: f"{name}{inspect.signature(hook)}".replace("'", "") for name, hook in own}


@pytest.mark.parametrize("name", hooks())
def test_every_hook_stands_in_the_guide_with_its_signature_and_limit(name: str) -> None:
    sections = re.split(r"^### ", text_of("plugins.md"), flags=re.MULTILINE)
    (section,) = [text for text in sections if text.startswith(f"`{name}(")]
    assert section.startswith(f"`{hooks()[name]}`\n")
    assert f"Limit: {LIMITS[name]:g} s." in section


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[EventBus]:
    journal = Journal(tmp_path / "journal.sqlite")
    yield EventBus(journal, lambda: datetime.now(UTC), lambda: str(uuid4()))
    journal.close()


def manager_of(name: str, tmp_path: Path, bus: EventBus) -> PluginManager:
    """A manager that has loaded one example, as if it were installed."""
    store = SettingsStore(tmp_path / "config.yaml")
    store.load()
    entry = EntryPoint(name, f"{name}:plugin", "bedplate.plugins")
    manager = PluginManager(store, tmp_path, bus, entry_points=[entry])
    manager.load()
    return manager


@pytest.fixture
def _examples(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(EXAMPLES)
    importlib.invalidate_caches()
    yield
    for path in EXAMPLES.glob("*.py"):
        sys.modules.pop(path.stem, None)


@pytest.mark.usefixtures("_examples")
async def test_the_example_of_the_guide_writes_down_the_prints_that_end(
    tmp_path: Path, bus: EventBus
) -> None:
    (tmp_path / "config.yaml").write_text("plugins: {print_log: {cancelled: false}}\n")
    manager = manager_of("print_log", tmp_path, bus)
    await manager.startup()
    assert [info.error for info in manager.list()] == [None]

    file = FileRef(path="brackets/part.gcode", origin="local", size=100)
    written = tmp_path / "plugin-data" / "print_log" / "prints.csv"

    async def publish_until_written() -> bool:
        # The subscription begins a moment after `startup`, in its turn of the loop.
        bus.publish(events.PrintCancelled(file=file, job="1", time=5.0, offset=0, line=0))
        bus.publish(events.PrintDone(file=file, job="1", time=125.0))
        return written.exists() and bool(written.read_text())

    await eventually(publish_until_written)
    (show,) = manager.cli_commands()
    await manager.shutdown()
    shown = CliRunner().invoke(show, [str(written)])
    assert shown.exit_code == 0
    assert "2 min  brackets/part.gcode" in shown.output
    assert "PrintCancelled" not in written.read_text()


@pytest.mark.usefixtures("_examples")
async def test_the_example_of_a_port_is_listed_once_it_is_set_and_says_why_it_cant_be_opened(
    tmp_path: Path, bus: EventBus
) -> None:
    manager = manager_of("network_port", tmp_path, bus)
    assert await manager.ports("default") == []
    await manager.shutdown()

    (tmp_path / "config.yaml").write_text("plugins: {network_port: {host: 127.0.0.1, port: 1}}\n")
    manager = manager_of("network_port", tmp_path, bus)
    await manager.startup()
    ((plugin, port),) = await manager.ports("default")
    assert (plugin, port.name, port.label) == ("network_port", "BRIDGE", "Bridge 127.0.0.1")
    with pytest.raises(Exception, match=r"The bridge 127\.0\.0\.1 does not answer"):
        port.open()
    await manager.shutdown()


def test_every_example_stands_in_the_guide() -> None:
    guide = text_of("plugins.md")
    assert all(f"(examples/{path.name})" in guide for path in EXAMPLES.glob("*.py"))


# Settings


def test_the_settings_reference_is_current() -> None:
    assert settings_reference.main(["--check"]) == 0


def test_every_setting_stands_in_the_reference() -> None:
    assert set(known_keys(Settings)) == set(settings_reference.keys())
    assert set(known_keys(Settings)) <= cells("operation.md")


# Events


@pytest.mark.parametrize("event", events.PublicEvent.__subclasses__(), ids=lambda e: e.__name__)
def test_every_event_explains_itself_and_stands_on_the_reference_page(
    event: type[events.PublicEvent],
) -> None:
    page = reference_pages.events_page(events_document(events.EVENTS)).decode()
    assert event.__doc__
    assert event in events.EVENTS
    assert event.__name__ in page


# Codes


def codes_in(*folders: str) -> set[str]:
    """Every code that the sources in these folders give to an error, a problem or an event."""
    paths = [path for folder in folders for path in (CORE / folder).rglob("*.py")]
    trees = [ast.parse(path.read_text("utf-8")) for path in paths]
    return {code for tree in trees for node in ast.walk(tree) for code in _codes(node)}


def _codes(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.keyword) and node.arg in ("code", "reason"):
        yield from _words(node.value)
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if isinstance(target, ast.Name) and target.id == "code" and node.value is not None:
            yield from _words(node.value)
    elif isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in ("fail", "_break_stream", "StreamBroken", "ConnectionFailed"):
            yield from _words(*node.args[:1])
        elif name == "LinkError":
            yield from _words(*node.args[1:2])


def _words(*values: ast.expr) -> Iterator[str]:
    for value in values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value


def test_every_code_of_link_protocol_and_printers_stands_in_the_table() -> None:
    found = codes_in("link", "protocol", "printers")
    assert {"resend_loop", "port_lost", "link_lost", "port_busy", "link_silent"} <= found
    assert found - cells("printer-protocol.md") == set()


def test_every_code_of_the_error_tree_stands_on_one_of_two_pages() -> None:
    files = [CORE / "errors.py", CORE / "web" / "errors.py"]
    found = {
        code
        for path in files
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for code in _codes(node)
    }
    assert "storage_full" in found
    assert found - cells("http-api.md") - cells("printer-protocol.md") == set()


def test_the_kinds_of_alarm_are_listed() -> None:
    page = text_of("printer-protocol.md")
    assert all(f"`{kind}`" in page for kind, _ in ALARMS)


def test_every_dialect_stands_in_the_table() -> None:
    assert {dialect.name for dialect in DIALECTS} <= cells("firmware.md")


# The dialogue between host and link


@pytest.mark.parametrize("command", commands.Command.__subclasses__(), ids=lambda c: c.__name__)
def test_every_command_of_the_dialogue_is_specified_with_its_fields(
    command: type[commands.Command],
) -> None:
    tag = command.__struct_config__.tag
    page = text_of("link-protocol.md")
    section = page.partition("## Attaching")[2] if command is commands.Attach else page
    (row,) = [line for line in page.splitlines() if line.startswith(f"| `{tag}` |")]
    for field in command.__struct_fields__:
        assert field == "request" or f"`{field}`" in row or f'"{field}"' in section.split("##")[0]


def test_every_frame_of_the_dialogue_is_shown_with_its_fields() -> None:
    page = text_of("link-protocol.md")
    for frame in frames.Frame.__subclasses__():
        start = f'{{"type":"{frame.__struct_config__.tag}"'
        shown = "".join(part.partition("\n\n")[0] for part in page.split(start)[1:])
        assert shown, frame
        assert all(f'"{field}"' in shown for field in frame.__struct_fields__), frame


@pytest.mark.parametrize("kind", [frames.LinkOptions, commands.LineSettings])
def test_options_and_line_settings_are_specified_with_their_defaults(
    kind: type[msgspec.Struct],
) -> None:
    rows = [[cell.strip() for cell in line.split("|")] for line in link_rows()]
    given = {(row[1], row[2]) for row in rows}
    for field in msgspec.structs.fields(kind):
        default = "" if field.required else json.dumps(field.default)
        assert (f"`{field.name}`", default) in given, field.name


def link_rows() -> list[str]:
    return [line for line in text_of("link-protocol.md").splitlines() if line.startswith("| `")]


def test_the_version_of_the_dialogue_is_the_one_of_the_code() -> None:
    page = text_of("link-protocol.md")
    assert f"Version of the dialogue: **{frames.PROTOCOL_VERSION}**" in page


def test_checksums_in_the_pages_are_right() -> None:
    shown = [
        match
        for page in PAGES
        for match in re.finditer(
            r"(?<![\w`])(?P<line>N\d+ [^*`\"\n]+)\*(?P<sum>\d+)", page.read_text()
        )
    ]
    assert shown
    for match in shown:
        assert reduce(operator.xor, match["line"].encode()) == int(match["sum"]), match[0]


# Names of the code


def test_the_files_that_pages_name_exist() -> None:
    places = (ROOT, CORE, ROOT / "webapp" / "src", ROOT / "plugins" / "virtual_printer")
    for page in DOCS.glob("*.md"):
        named = re.findall(r"`([\w./-]+/[\w-]+\.(?:py|ts|sqlite))`", page.read_text("utf-8"))
        for name in named:
            assert any((place / name).exists() for place in places), f"{page.name}: {name}"


def test_the_methods_that_the_overview_names_exist() -> None:
    classes: dict[str, set[str]] = {}
    for path in CORE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                body = [part for part in node.body if hasattr(part, "name")]
                classes.setdefault(node.name, set()).update(part.name for part in body)
    named = re.findall(r"`([A-Z]\w+)\.(\w+)`", text_of("overview.md"))
    assert len(named) > 20
    for name, method in named:
        assert method in classes.get(name, set()), f"{name}.{method}"


# Dependencies


def test_every_dependency_has_its_reason() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    required = setup["options"]["install_requires"].split("\n")
    required += setup["options.extras_require"]["test"].split("\n")
    package = json.loads((ROOT / "webapp" / "package.json").read_text("utf-8"))
    names = {re.split(r"[<>=\[ ]", line)[0] for line in required if line}
    names |= {*package["dependencies"], *package["devDependencies"]}
    rows = [line for line in text_of("dependencies.md").splitlines() if line.startswith("| ")]
    explained = {name for row in rows for name in re.split(r", | \(", row.split("|")[1].strip())}
    assert names - explained == set()


# The whole repository


FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w.:/-])/(?:wo" r"rk|ro" r"ot)(?:/|\b)"),
    "a host of a package registry": re.compile(
        r"py" r"pi\.org|pythonho" r"sted\.org|npm" r"js\.(?:org|com)"
    ),
}


def tracked() -> list[Path]:
    """The files under version control, and those that are about to be."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a checkout")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_speaks_of_one_machine_or_of_a_package_registry() -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        for what, pattern in FORBIDDEN.items():
            if match := pattern.search(text):
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{path.relative_to(ROOT)}:{line}: {what}: {match[0]}")
    assert found == []
