"""The command line, as people and scripts use it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.helpers import wait_until
from tests.processes import PLUGINS, SAMPLES, Serving, Workshop, environment

from bedplate import __version__

FAST = "plugins:\n  virtual_printer:\n    speed: 0\n    record: record.txt\n"


def record_of(data: Path) -> list[str]:
    return (data / "plugin-data/virtual_printer/record.txt").read_text().splitlines()


# Help and version


def test_help_names_the_commands_of_the_core_and_of_plugins(workshop: Workshop) -> None:
    told = workshop.bedplate("--help")
    assert told.returncode == 0
    names = {line.split()[0] for line in told.stdout.splitlines() if line.startswith("  ")}
    assert {"serve", "ports", "config", "estop", "analyse", "virtual-printer"} <= names


@pytest.mark.parametrize(
    "command", ["serve", "ports", "config", "estop", "analyse", "virtual-printer"]
)
def test_every_command_explains_itself(workshop: Workshop, command: str) -> None:
    told = workshop.bedplate(command, "--help")
    assert told.returncode == 0, told.stderr
    assert told.stdout.lower().startswith("usage: ")


def test_version(workshop: Workshop) -> None:
    assert __version__ in workshop.bedplate("--version").stdout


@pytest.mark.parametrize("arguments", [["nonsense"], ["serve", "--port", "x"], ["config", "get"]])
def test_wrong_usage_has_status_2(workshop: Workshop, arguments: list[str]) -> None:
    told = workshop.bedplate(*arguments)
    assert told.returncode == 2
    assert "Traceback" not in told.stderr


def test_help_works_although_the_settings_are_broken(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = workshop.folder / "home"
    (home / "bedplate").mkdir(parents=True)
    (home / "bedplate" / "config.yaml").write_text("server: [\n")
    monkeypatch.setenv("XDG_DATA_HOME", str(home))
    told = workshop.bedplate("--help")
    assert told.returncode == 0, told.stderr
    assert "serve" in told.stdout


def test_ports_lists_what_there_is(workshop: Workshop) -> None:
    told = workshop.bedplate("ports")
    assert told.returncode == 0
    assert told.stdout or "No serial port was found." in told.stderr


# Settings


def test_settings_are_set_read_and_checked(workshop: Workshop) -> None:
    data = ("--data", str(workshop.data))
    assert workshop.bedplate("config", "get", *data, "server.port").stdout == "5000\n"
    told = workshop.bedplate("config", "set", *data, "server.port", "5001")
    assert (told.returncode, told.stdout) == (0, "server.port\n"), told.stderr
    assert workshop.bedplate("config", "get", *data, "server.port").stdout == "5001\n"
    assert yaml.safe_load((workshop.data / "config.yaml").read_text()) == {"server": {"port": 5001}}
    assert workshop.bedplate("config", "set", *data, "server.port", "5001").stdout == (
        "nothing changed\n"
    )
    told = workshop.bedplate("config", "get", *data, "server")
    assert yaml.safe_load(told.stdout)["port"] == 5001
    told = workshop.bedplate("config", "check", *data)
    assert (told.returncode, told.stdout.endswith(": fine\n")) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["set", "server.prot", "1"], "server.port"),
        (["set", "server.port", "99999"], "server.port"),
        (["set", "server.port", "[1"], "not a YAML value"),
        (["get", "server.prot"], "server.prot"),
    ],
)
def test_a_wrong_key_or_value_has_status_2_and_changes_nothing(
    workshop: Workshop, arguments: list[str], words: str
) -> None:
    workshop.settings("name: Mine\n")
    verb, *rest = arguments
    told = workshop.bedplate("config", verb, "--data", str(workshop.data), *rest)
    assert told.returncode == 2
    assert words in told.stderr
    assert "Traceback" not in told.stderr
    assert (workshop.data / "config.yaml").read_text() == "name: Mine\n"


def test_a_check_names_the_line_of_a_mistake(workshop: Workshop) -> None:
    workshop.settings("name: Mine\nserver:\n  adress: x\n")
    told = workshop.bedplate("config", "check", "--data", str(workshop.data))
    assert told.returncode == 2
    assert "line 3" in told.stderr
    assert "address" in told.stderr


# Emergency stop


@pytest.fixture
def serving(workshop: Workshop) -> Serving:
    """A host with a connected printer."""
    workshop.settings(FAST)
    host = workshop.host()
    host.connect()
    return host


def estop(workshop: Workshop, *arguments: str) -> subprocess.CompletedProcess[str]:
    return workshop.bedplate("estop", "--data", str(workshop.data), *arguments)


def assert_stopped(workshop: Workshop) -> None:
    told = estop(workshop)
    assert (told.returncode, told.stdout) == (0, "Stopped.\n"), told.stderr
    wait_until(lambda: record_of(workshop.data)[-1] == "M112", what="M112")


def test_the_emergency_stop_of_a_running_host(workshop: Workshop, serving: Serving) -> None:
    assert_stopped(workshop)
    state = serving.wait_for(lambda s: s["connection"]["state"] == "halted", "state halted")
    assert state["connection"]["problem"]["code"] == "emergency_stop"


def test_the_emergency_stop_works_while_the_host_hangs(
    workshop: Workshop, serving: Serving
) -> None:
    serving.process.send_signal(signal.SIGSTOP)
    try:
        assert_stopped(workshop)
    finally:
        serving.process.send_signal(signal.SIGCONT)


def test_the_emergency_stop_works_without_the_host(workshop: Workshop, serving: Serving) -> None:
    serving.kill()
    assert_stopped(workshop)


def test_an_emergency_stop_with_nothing_to_stop_says_so(workshop: Workshop) -> None:
    told = estop(workshop)
    assert told.returncode == 1
    assert "No link of printer default runs" in told.stderr


def test_an_emergency_stop_of_a_printer_that_there_is_not(
    workshop: Workshop, serving: Serving
) -> None:
    told = estop(workshop, "--printer", "other")
    assert told.returncode == 1
    assert "No link of printer other runs" in told.stderr
    assert serving.state()["connection"]["state"] == "operational"


def test_an_emergency_stop_that_reaches_nobody_says_so(
    workshop: Workshop, serving: Serving
) -> None:
    os.kill(serving.state()["link_pid"], signal.SIGKILL)
    serving.wait_for(lambda s: s["link_pid"] is None, "the end of the link")
    told = estop(workshop)
    assert told.returncode == 1
    assert "can't be reached" in told.stderr
    assert "Traceback" not in told.stderr


# Analysis


def test_a_file_is_analysed_in_a_sentence_or_as_json(workshop: Workshop) -> None:
    file = str(SAMPLES / "nut-cura.gcode")
    told = workshop.bedplate("analyse", file)
    assert told.returncode == 0
    assert told.stdout.startswith(f"{file}: ")
    assert " layers, " in told.stdout
    told = workshop.bedplate("analyse", "--json", file, file)
    documents = [json.loads(line) for line in told.stdout.splitlines()]
    assert len(documents) == 2
    assert documents[0]["file"] == file
    assert documents[0]["analysis"]["layers"]


def test_what_can_not_be_analysed_is_named_and_the_rest_is_done(workshop: Workshop) -> None:
    picture = workshop.folder / "picture.gcode"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 10)
    missing = workshop.folder / "missing.gcode"
    good = SAMPLES / "nut-cura.gcode"
    told = workshop.bedplate("analyse", str(picture), str(missing), str(workshop.folder), str(good))
    assert told.returncode == 1
    assert "Traceback" not in told.stderr
    for path in (picture, missing, workshop.folder):
        assert f"{path}: " in told.stderr
    assert f"{good}: " in told.stdout


# The virtual printer


def test_the_virtual_printer_alone(workshop: Workshop) -> None:
    link = workshop.folder / "port"
    process = subprocess.Popen(
        [sys.executable, "-m", "bedplate", "virtual-printer", "--speed", "0", "--link", str(link)],
        env=environment(workshop.runtime),
        stdout=subprocess.PIPE,
        text=True,
    )
    workshop.defer(process.communicate)
    workshop.defer(process.kill)
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first.startswith("PTY /dev/")
    assert os.readlink(link) == first.split()[1]
    process.terminate()
    assert process.wait(20) == 0
    assert not link.is_symlink()


def test_the_virtual_printer_refuses_what_it_does_not_know(workshop: Workshop) -> None:
    told = workshop.bedplate("virtual-printer", "--fault", "earthquake")
    assert told.returncode == 2
    assert "earthquake" in told.stderr
    assert "lost-ok" in told.stderr


def test_the_core_does_without_its_plugins(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = workshop.folder / "home"
    (home / "bedplate").mkdir(parents=True)
    (home / "bedplate" / "config.yaml").write_text("disabled_plugins: [virtual_printer]\n")
    monkeypatch.setenv("XDG_DATA_HOME", str(home))
    told = workshop.bedplate("--help")
    assert "serve" in told.stdout
    assert "virtual-printer" not in told.stdout
    assert PLUGINS.is_dir()
