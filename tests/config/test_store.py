"""The settings file: what is accepted, what is refused and in which words, how it is written."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Annotated

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bedplate
from bedplate.config.schema import PrinterSettings, Settings
from bedplate.config.store import SettingsStore
from bedplate.config.validation import known_keys
from bedplate.errors import SettingsError


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(bedplate.__file__).parent.parent)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def store_with(path: Path, text: str) -> SettingsStore:
    path.write_text(textwrap.dedent(text))
    store = SettingsStore(path)
    store.load()
    return store


def complaint(path: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        store_with(path, text)
    return caught.value.message


def test_no_file_means_defaults(path: Path) -> None:
    store = SettingsStore(path)
    assert store.load() == Settings()
    assert store.get("server.port") == 5000
    assert not path.exists()


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "server:\n"])
def test_a_file_without_values_means_defaults(path: Path, text: str) -> None:
    assert store_with(path, text).settings == Settings()


def test_values_are_read(path: Path) -> None:
    store = store_with(
        path,
        """\
        name: Workshop
        printers:
          mk3: {name: Big one, baudrate: 115200, line: {window: 4}}
          1: {extruders: 2}
        """,
    )
    assert store.get("name") == "Workshop"
    assert list(store.settings.printers) == ["mk3", "1"]
    assert store.get("printers.mk3.line.window") == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("server:\n  port: [1, 2\nname: x\n", "config.yaml, line 3: not valid YAML"),
        ("name: 'x\n", "not valid YAML"),
        ("a:\tb: c\n", "config.yaml, line 1: not valid YAML"),
        ("- a\n- b\n", "config.yaml, line 1: expected keys with values"),
        ("name: a\nserver: {}\nname: b\n", "config.yaml, line 3: name: there twice"),
        ("? [a]\n: b\n", "line 1"),
        ("name: !!python/object/apply:os.getcwd []\n", "config.yaml, line 1: not valid YAML"),
        ("[" * 2000, "config.yaml"),
    ],
)
def test_broken_yaml_is_told_with_its_line(path: Path, text: str, expected: str) -> None:
    assert expected in complaint(path, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "\nserver:\n  adress: 0.0.0.0\n",
            "config.yaml, line 3: server.adress: unknown, did you mean server.address?",
        ),
        (
            "allowed_hosts: []\n",
            "line 1: allowed_hosts: unknown, did you mean server.allowed_hosts?",
        ),
        ("printers: {x: {prot: y}}\n", "printers.x.prot: unknown, did you mean printers.x.port?"),
        ("log: {zzz: 1}\n", "line 1: log.zzz: unknown, the keys here are level"),
        ("server:\n  port: 70000\n", "line 2: server.port: expected a whole number <= 65535"),
        ("server: {port: yes}\n", "server.port: expected a whole number, got true or false"),
        ("server: 5000\n", "server: expected a section with keys, got a whole number"),
        ("server: {allowed_hosts: [a, 1]}\n", "server.allowed_hosts[1]: expected text"),
        ("printers:\n  Ä b: {}\n", "line 2: printers.Ä b: not a valid id"),
        ("printers: {}\n", "printers: expected"),
        ("log: {level: loud}\n", "log.level: invalid enum value 'loud'"),
        ("printers: {a: {line: {window: 0}}}\n", "line.window must be above 0"),
        ("printers: {a: {line: {probe_after: .nan}}}\n", "line.probe_after must be above 0"),
        ("printers: {a: {volume: {width: .inf}}}\n", "printers.a.volume.width: expected a number"),
        ("printers: {a: {volume: {width: .nan}}}\n", "printers.a.volume.width: expected a number"),
        ("printers: {a: {progress_marks: [.nan]}}\n", "printers.a.progress_marks[0]"),
    ],
)
def test_wrong_settings_are_told_by_line_key_and_reason(
    path: Path, text: str, expected: str
) -> None:
    assert expected in complaint(path, text)


def test_everything_that_is_wrong_is_told_at_once(path: Path) -> None:
    text = "name: 1\nserver:\n  prot: 1\n  address: 2\n"
    assert len(complaint(path, text).splitlines()) == 3


def test_a_file_that_is_no_text_is_refused(path: Path) -> None:
    path.write_bytes(b"name: \xff\xfe\n")
    with pytest.raises(SettingsError, match="not UTF-8"):
        SettingsStore(path).load()
    path.unlink()
    path.mkdir()
    with pytest.raises(SettingsError, match="can't be read"):
        SettingsStore(path).load()


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_either_settings_or_a_complaint(tmp_path_factory, text: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.mktemp("any") / "config.yaml"
    path.write_text(text, "utf-8", newline="")
    store = SettingsStore(path)
    with contextlib.suppress(SettingsError):  # and nothing else
        store.load()
    assert isinstance(store.settings, Settings)


def test_settings_in_force_survive_a_file_that_went_wrong(path: Path) -> None:
    store = store_with(path, "name: Good\n")
    path.write_text("nam: Bad\n")
    with pytest.raises(SettingsError):
        store.load()
    with pytest.raises(SettingsError):
        store.set({"server.port": 1234})
    assert store.settings.name == "Good"
    assert path.read_text() == "nam: Bad\n"


def test_set_writes_only_what_differs_from_the_defaults(path: Path) -> None:
    store = SettingsStore(path)
    assert store.set({"server.port": 5001, "server.address": "127.0.0.1"}) == ["server.port"]
    assert path.read_text() == "server:\n  port: 5001\n"
    assert SettingsStore(path).load() == store.settings
    assert store.set({"server.port": 5000}) == ["server.port"]
    assert path.read_text() == ""


def test_set_to_the_value_in_force_writes_nothing(path: Path) -> None:
    store = SettingsStore(path)
    assert store.set({"server.port": 5000}) == []
    assert not path.exists()


def test_a_second_printer_does_not_take_the_first_away(path: Path) -> None:
    store = SettingsStore(path)
    assert store.set({"printers.second.name": "Two"}) == ["printers.second"]
    assert list(SettingsStore(path).load().printers) == ["default", "second"]
    assert store.set({"printers.second": msgspec.UNSET}) == ["printers.second"]
    assert store.settings == Settings()
    with pytest.raises(SettingsError, match="printers"):
        store.set({"printers.default": msgspec.UNSET})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"server.prot": 1}, "server.prot: unknown, did you mean server.port?"),
        ({"server.port": "x"}, "server.port: expected a whole number, got text"),
        ({"server.port": None}, "server.port: expected a whole number, got nothing"),
        ({"name.first": "x"}, "name: has no keys of its own"),
        ({"printers.Bad id.name": "x"}, "not a valid id"),
        ({"": 1}, "unknown"),
        ({"server.port": 1, "server.nonsense": 1}, "server.nonsense: unknown"),
    ],
)
def test_a_change_that_is_wrong_changes_nothing(
    path: Path, changes: dict[str, object], expected: str
) -> None:
    store = store_with(path, "name: Kept\n")
    with pytest.raises(SettingsError) as caught:
        store.set(changes)
    assert expected in caught.value.message
    assert (store.settings.name, store.get("server.port")) == ("Kept", 5000)
    assert path.read_text() == "name: Kept\n"


def test_get_names_the_nearest_key(path: Path) -> None:
    store = SettingsStore(path)
    with pytest.raises(SettingsError, match=r"did you mean server\.address"):
        store.get("server.adress")
    with pytest.raises(SettingsError, match=r"printers\.nope\.name"):
        store.get("printers.nope.name")


def test_every_known_key_can_be_read(path: Path) -> None:
    store = SettingsStore(path)
    keys = [key.replace("<id>", "default") for key in known_keys(Settings)]
    assert len(keys) > 30
    for key in keys:
        store.get(key)


def test_what_another_program_wrote_meanwhile_is_kept(path: Path) -> None:
    store = store_with(path, "name: One\n")
    SettingsStore(path).set({"log.level": "debug"})
    store.set({"server.port": 5001})
    assert store.settings.log.level == "debug"
    assert "debug" in path.read_text()


def test_concurrent_programs_lose_no_change(path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from bedplate.config.store import SettingsStore;"
        "s = SettingsStore(Path(sys.argv[1]));"
        "[s.set({f'printers.p{sys.argv[2]}x{n}.name': 'x'}) for n in range(10)]"
    )
    programs = [
        subprocess.Popen([sys.executable, "-c", program, str(path), str(n)], env=_environment())
        for n in range(3)
    ]
    assert [p.wait(60) for p in programs] == [0, 0, 0]
    assert len(SettingsStore(path).load().printers) == 31


def test_mode_owner_and_links_of_the_file_stay(path: Path, tmp_path: Path) -> None:
    real = tmp_path / "elsewhere.yaml"
    real.write_text("name: x\n")
    real.chmod(0o640)
    path.symlink_to(real)
    SettingsStore(path).set({"server.port": 5001})
    assert path.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert "5001" in real.read_text()


def test_a_new_file_is_private(path: Path) -> None:
    SettingsStore(path).set({"server.port": 5001})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_hand_written_comments_are_kept_beside_it(path: Path) -> None:
    store = store_with(path, "# my printer\nname: Mine\n")
    store.set({"server.port": 5001})
    assert path.with_name("config.yaml.bak").read_text() == "# my printer\nname: Mine\n"


def test_scripts_stay_readable_in_the_file(path: Path) -> None:
    store = SettingsStore(path)
    store.set({"printers.default.scripts.before_print": "M17\nG28\n"})
    assert "before_print: |\n" in path.read_text()
    assert SettingsStore(path).load() == store.settings


def test_a_disk_that_takes_nothing_leaves_the_old_file(path: Path) -> None:
    """The limit on file size stands in for a full disk: both fail in write()."""
    path.write_text("name: Old\n")
    program = (
        "import resource, sys; from pathlib import Path;"
        "from bedplate.config.store import SettingsStore; from bedplate.errors import *;"
        "s = SettingsStore(Path(sys.argv[1])); s.load();"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "try: s.set({'server.port': 1})\n"
        "except SettingsError as e: print(e.message, s.settings.name, s.settings.server.port)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        env=_environment(),
        check=True,
    )
    assert "can't be written" in done.stdout
    assert done.stdout.endswith("Old 5000\n")
    assert path.read_text() == "name: Old\n"
    assert sorted(p.name for p in path.parent.iterdir()) == [".config.yaml.lock", "config.yaml"]


class CameraSettings(msgspec.Struct, frozen=True, kw_only=True):
    fps: Annotated[int, msgspec.Meta(ge=1, le=60)] = 10
    url: str = ""


def test_a_plugin_gets_its_settings_typed(path: Path) -> None:
    store = store_with(path, "plugins:\n  webcam:\n    fps: 25\n")
    assert store.plugin("webcam", CameraSettings) == CameraSettings(fps=25)
    assert store.plugin("other", CameraSettings) == CameraSettings()
    assert store.set({"plugins.webcam.fps": 30}) == ["plugins.webcam.fps"]
    assert store.plugin("webcam", CameraSettings).fps == 30


def test_wrong_settings_of_a_plugin_are_told_and_not_stored(path: Path) -> None:
    store = store_with(path, "plugins: {webcam: {fsp: 25}, good: {}}\n")
    with pytest.raises(SettingsError, match=r"plugins\.webcam\.fsp: unknown, did you mean .*fps"):
        store.plugin("webcam", CameraSettings)
    store.plugin("good", CameraSettings)
    with pytest.raises(SettingsError, match=r"plugins\.good\.fps: expected .* <= 60"):
        store.set({"plugins.good.fps": 100})


names = st.text("abcdefghij0123456789_-", min_size=1, max_size=10).filter(
    lambda s: s[0] not in "_-"
)
printers = st.dictionaries(
    names,
    st.builds(
        PrinterSettings,
        name=st.text(min_size=1, max_size=20),
        port=st.none() | st.text(max_size=30),
        baudrate=st.integers(0, 10**7),
        heated_bed=st.booleans(),
        nozzle=st.floats(0.1, 2),
    ),
    min_size=1,
    max_size=3,
)


@given(name=st.text(min_size=1, max_size=64), printers=printers)
@settings(max_examples=40, deadline=None)
def test_what_was_set_is_read_back(tmp_path_factory, name: str, printers) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.mktemp("set") / "config.yaml"
    store = SettingsStore(path)
    store.set({"name": name, "printers": msgspec.to_builtins(printers)})
    assert store.settings.name == name
    assert store.settings.printers == printers
    assert SettingsStore(path).load() == store.settings


def test_a_kill_at_any_moment_leaves_a_whole_file(path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from bedplate.config.store import SettingsStore\n"
        "s = SettingsStore(Path(sys.argv[1])); n = 0; print('ready', flush=True)\n"
        "while True: n += 1; s.set({'name': 'x' * (n % 50 + 1), 'server.port': n % 60000})"
    )
    SettingsStore(path).set({"server.port": 1})
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, env=_environment()
        )
        assert process.stdout is not None
        with process.stdout:
            process.stdout.readline()
            seen = SettingsStore(path)
            for _ in range(20):
                seen.load()
            process.kill()
            process.wait()
        assert SettingsStore(path).load().server.port != 5000
