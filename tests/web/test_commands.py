"""Connection, job, heaters, head and G-code: what reaches the printer, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.web.client import GCODE, Web, web

from bedplate.errors import PortError
from bedplate.messages.states import ConnectionState, JobState, Outcome
from bedplate.web.gcode import commands_of, is_emergency_stop

PRINTER = "/api/printer"

# -- connection ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "called"),
    [
        ({}, (None, None)),
        ({"port": "VIRTUAL"}, ("VIRTUAL", None)),
        ({"port": "AUTO", "baudrate": 0}, ("AUTO", 0)),
        ({"port": "/dev/ttyACM0", "baudrate": 115200}, ("/dev/ttyACM0", 115200)),
        ({"port": "/dev/pts/7"}, ("/dev/pts/7", None)),
        ({"port": "socket://127.0.0.1:4000"}, ("socket://127.0.0.1:4000", None)),
        ({"port": None, "printerProfile": "_default"}, (None, None)),
    ],
)
async def test_connecting(tmp_path: Path, body: dict[str, Any], called: tuple[Any, ...]) -> None:
    async with web(tmp_path) as client:
        answer = await client.post("/api/connection", {"command": "connect", **body})
        assert answer.code == 204
        assert client.printer.told == [("connect", *called)]
        current = (await client.get("/api/connection"))["current"]
        assert current == {
            "state": "Operational",
            "port": "VIRTUAL",
            "baudrate": 115200,
            "printerProfile": "_default",
        }


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"port": "COM7"}, 'There is no port "COM7"'),
        ({"port": "../x"}, "There is no port"),
        ({"baudrate": 12345}, "12345"),
        ({"printerProfile": "other"}, "other"),
        ({"port": 7}, "port is invalid"),
    ],
)
async def test_what_can_not_be_connected_to(tmp_path: Path, body: Any, words: str) -> None:
    async with web(tmp_path) as client:
        answer = await client.post("/api/connection", {"command": "connect", **body})
        assert answer.code == 400
        assert words in json.loads(answer.body)["error"]
        assert client.printer.told == []


async def test_a_port_that_is_taken_is_told_in_words(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        client.printer.refusal = PortError("Another program holds the port.")
        answer = await client.post("/api/connection", {"command": "connect"})
        assert answer.code == 409
        assert json.loads(answer.body) == {
            "error": "Another program holds the port.",
            "code": "port_error",
        }


async def test_a_connection_is_remembered_if_asked_for(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        body = {"command": "connect", "port": "VIRTUAL", "save": True, "autoconnect": True}
        assert (await client.post("/api/connection", body)).code == 204
        saved = client.host.store.settings.printers["default"]
        assert (saved.port, saved.autoconnect) == ("VIRTUAL", True)


async def test_disconnecting_and_a_fake_acknowledgement_are_always_fine(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        for name in ("disconnect", "disconnect", "fake_ack"):
            assert (await client.post("/api/connection", {"command": name})).code == 204


# -- job -------------------------------------------------------------------------------------------


async def ready(client: Web) -> None:
    await client.upload([("file", ("a.gcode", GCODE))])
    client.printer.become(ConnectionState.OPERATIONAL)
    client.printer.select("a.gcode")
    client.printer.told.clear()


async def job(client: Web, **body: Any) -> int:
    return (await client.post("/api/job", body)).code


async def test_the_life_of_a_job(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        assert await job(client, command="start") == 409
        client.printer.become(ConnectionState.OPERATIONAL)
        assert await job(client, command="start") == 204
        assert client.printer.told == []
        await ready(client)
        assert await job(client, command="cancel") == 409
        assert await job(client, command="pause") == 409
        assert await job(client, command="start") == 204
        assert await job(client, command="start") == 409
        assert await job(client, command="restart") == 409
        assert await job(client, command="pause") == 204
        assert (await client.get("/api/job"))["state"] == "Paused"
        assert await job(client, command="pause", action="pause") == 204
        assert await job(client, command="pause", action="toggle") == 204
        assert await job(client, command="pause", action="resume") == 204
        assert (await client.get("/api/job"))["state"] == "Printing"
        assert await job(client, command="pause", action="jump") == 400
        assert await job(client, command="pause", action="pause") == 204
        assert await job(client, command="restart") == 204
        assert await job(client, command="cancel") == 204
        assert [call[0] for call in client.printer.told] == [
            "start", "pause", "resume", "pause", "cancel", "start", "select", "cancel",
        ]  # fmt: skip


async def test_a_job_is_told_offline_too(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        document = await client.get("/api/job")
        assert document["state"] == "Offline"
        assert "error" not in document
        await ready(client)
        client.printer.run_job("a.gcode", size=len(GCODE), offset=len(GCODE), elapsed=7.9)
        client.printer.end_job(Outcome.DONE)
        document = await client.get("/api/job")
        assert document["progress"]["completion"] == 100
        assert document["progress"]["printTime"] == 7
        assert document["job"]["file"]["path"] == "a.gcode"
        assert isinstance(document["job"]["file"]["date"], int)


# -- printer ---------------------------------------------------------------------------------------


async def test_a_printer_that_is_not_there_is_a_conflict(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        for path in ("", "/tool", "/bed", "/chamber"):
            assert (await client.request("GET", PRINTER + path)).code == 409
        for path, body in [
            ("/tool", {"command": "target", "targets": {"tool0": 1}}),
            ("/bed", {"command": "target", "target": 1}),
            ("/printhead", {"command": "home", "axes": ["x"]}),
            ("/command", {"command": "M105"}),
        ]:
            assert (await client.post(PRINTER + path, body)).code == 409
        assert client.printer.told == []


async def test_state_and_temperatures(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        client.printer.become(ConnectionState.OPERATIONAL)
        for second in range(3):
            client.printer.report(second + 0.5, tool0=20.0, bed=30.0, chamber=25.0)
        whole = await client.get(f"{PRINTER}?history=true&limit=2")
        assert [point["time"] for point in whole["temperature"]["history"]] == [1, 2]
        assert set(whole["temperature"]) == {"tool0", "bed", "chamber", "history"}
        assert set(await client.get(f"{PRINTER}?exclude=temperature,sd,x")) == {"state"}
        assert set(await client.get(f"{PRINTER}?exclude=state")) == {"temperature"}
        tool = await client.get(f"{PRINTER}/tool?history=yes")
        assert set(tool) == {"tool0", "history"}
        assert set(tool["history"][0]) == {"time", "tool0"}
        assert set(await client.get(f"{PRINTER}/bed")) == {"bed"}
        assert (await client.request("GET", f"{PRINTER}/chamber")).code == 409
        assert (await client.request("GET", f"{PRINTER}?limit=x")).code == 400


GOOD = [
    ("/tool", {"command": "target", "targets": {"tool0": 220}}, ("set_targets", {"tool0": 220})),
    ("/tool", {"command": "target", "targets": {"tool": 9.5}}, ("set_targets", {"tool0": 9.5})),
    ("/tool", {"command": "select", "tool": "tool0"}, ("select_tool", 0)),
    ("/tool", {"command": "extrude", "amount": -5}, ("extrude", -5.0, None)),
    ("/tool", {"command": "extrude", "amount": 5, "speed": 60}, ("extrude", 5.0, 60.0)),
    ("/tool", {"command": "flowrate", "factor": 95}, ("flow_rate", 95.0)),
    ("/tool", {"command": "flowrate", "factor": 1.1}, ("flow_rate", pytest.approx(110))),
    ("/tool", {"command": "offset", "offsets": {"tool0": 0}}, None),
    ("/bed", {"command": "target", "target": 60, "offset": 0}, ("set_targets", {"bed": 60.0})),
    ("/bed", {"command": "offset", "offset": 0}, None),
    (
        "/printhead",
        {"command": "jog", "x": 10, "z": -0.1},
        ("jog", {"x": 10, "z": -0.1, "absolute": False}),
    ),
    (
        "/printhead",
        {"command": "jog", "y": 1, "absolute": True, "speed": 600},
        ("jog", {"y": 1, "absolute": True, "speed": 600}),
    ),
    ("/printhead", {"command": "jog", "y": 1, "speed": False}, ("jog", {"y": 1, "absolute": 0})),
    ("/printhead", {"command": "home", "axes": ["x", "z"]}, ("home", ["x", "z"])),
    ("/printhead", {"command": "feedrate", "factor": 0.5}, ("feed_rate", 50.0)),
    ("/command", {"command": "M105"}, ("send", ["M105"])),
    ("/command", {"commands": ["G28", " M114 ", ""]}, ("send", ["G28", "M114"])),
    ("/command", {"command": "G28\nM114"}, ("send", ["G28", "M114"])),
    ("/command", {"command": "M104 S%(t)s", "parameters": {"t": 200}}, ("send", ["M104 S200"])),
    ("/command", {"command": "M117 100%(x)s"}, ("send", ["M117 100%(x)s"])),
    ("/command", {"commands": []}, None),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "call"), GOOD)
async def test_commands_reach_the_printer(tmp_path: Path, path: str, body: Any, call: Any) -> None:
    async with web(tmp_path) as client:
        client.printer.become(ConnectionState.OPERATIONAL)
        answer = await client.post(PRINTER + path, body)
        assert answer.code == 204, answer.body
        assert client.printer.told == ([call] if call else [])


BAD = [
    ("/tool", {"command": "target", "targets": {"tool7": 220}}, 400),
    ("/tool", {"command": "target", "targets": {"bed": 220}}, 400),
    ("/tool", {"command": "target", "targets": {"tool0": "hot"}}, 400),
    ("/tool", {"command": "target", "targets": {"tool0": -1}}, 400),
    ("/tool", {"command": "target"}, 400),
    ("/tool", {"command": "select", "tool": "x"}, 400),
    ("/tool", {"command": "flowrate", "factor": 200}, 400),
    ("/tool", {"command": "flowrate", "factor": "x"}, 400),
    ("/tool", {"command": "offset", "offsets": {"tool0": 99}}, 400),
    ("/tool", {"command": "offset", "offsets": {"tool0": 5}}, 409),
    ("/tool", {"command": "extrude"}, 400),
    ("/bed", {"command": "target", "target": None}, 400),
    ("/chamber", {"command": "target", "target": 40}, 409),
    ("/printhead", {"command": "jog"}, 400),
    ("/printhead", {"command": "jog", "x": "far"}, 400),
    ("/printhead", {"command": "jog", "x": 1, "speed": 0}, 400),
    ("/printhead", {"command": "home", "axes": []}, 400),
    ("/printhead", {"command": "home", "axes": ["q"]}, 400),
    ("/printhead", {"command": "feedrate", "factor": 3}, 400),
    ("/command", {}, 400),
    ("/command", {"command": "M105", "commands": ["M105"]}, 400),
    ("/command", {"command": "M104 S%(t)s", "parameters": {"x": 1}}, 400),
    ("/command", {"script": "none"}, 404),
    ("/sd", {"command": "init"}, 404),
]


@pytest.mark.parametrize(("path", "body", "status"), BAD)
async def test_bad_commands_do_not(tmp_path: Path, path: str, body: Any, status: int) -> None:
    async with web(tmp_path) as client:
        client.printer.become(ConnectionState.OPERATIONAL)
        answer = await client.post(PRINTER + path, body)
        assert answer.code == status, answer.body
        assert client.printer.told == []


async def test_moves_by_hand_wait_for_the_end_of_a_print(tmp_path: Path) -> None:
    moves = [
        ("/printhead", {"command": "jog", "x": 1}),
        ("/printhead", {"command": "home", "axes": ["x"]}),
        ("/tool", {"command": "extrude", "amount": 1}),
    ]
    others = [
        ("/printhead", {"command": "feedrate", "factor": 90}),
        ("/tool", {"command": "flowrate", "factor": 90}),
        ("/tool", {"command": "target", "targets": {"tool0": 215}}),
        ("/command", {"command": "M220 S90"}),
    ]
    async with web(tmp_path) as client:
        client.printer.run_job("a.gcode")
        for path, body in moves:
            assert (await client.post(PRINTER + path, body)).code == 409
        for path, body in others:
            assert (await client.post(PRINTER + path, body)).code == 204
        client.printer.run_job("a.gcode", state=JobState.PAUSED)
        for path, body in moves:
            assert (await client.post(PRINTER + path, body)).code == 204


@pytest.mark.parametrize("state", list(ConnectionState))
@pytest.mark.parametrize(
    "body", [{"command": "M112"}, {"commands": ["G28", "m112 "]}, {"command": "N7 M112*3"}]
)
async def test_the_emergency_stop_works_in_every_state(
    tmp_path: Path, state: ConnectionState, body: Any
) -> None:
    async with web(tmp_path) as client:
        client.printer.become(state)
        assert (await client.post(f"{PRINTER}/command", body)).code == 204
        assert client.printer.told == [("emergency_stop",)]


@pytest.mark.parametrize(
    ("command", "stop"),
    [
        ("M112", True),
        ("m112", True),
        (" M112 ; now", True),
        ("N12M112*7", True),
        ("M1120", False),
        ("M112.1", False),
        ("M117 M112", False),
        ("; M112", False),
        ("", False),
    ],
)
def test_only_m112_is_an_emergency_stop(command: str, stop: bool) -> None:
    assert is_emergency_stop(command) is stop


def test_placeholders_can_not_be_formats() -> None:
    assert commands_of(["M117 %(a)s %999999999d"], {"a": "x"}) == ["M117 x %999999999d"]


# -- session and settings --------------------------------------------------------------------------


async def test_who_asks_is_local(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        answer = await client.post("/api/login", {"passive": True})
        user = json.loads(answer.body)
        assert (answer.code, user["name"], user["active"]) == (200, "local", True)
        assert user["session"]
        assert "_login_mechanism" in user
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await client.request("POST", "/api/login", b"passive=true", form)
        assert json.loads(answer.body)["name"] == "local"
        assert (await client.post("/api/login", {"user": "joe", "pass": "x"})).code == 403
        assert (await client.post("/api/login", {})).code == 400
        assert (await client.request("POST", "/api/logout", b"")).code == 200
        current = await client.get("/api/currentuser")
        assert current["name"] == "local"
        assert "STATUS" in current["permissions"]


async def test_settings_have_what_clients_read_unasked(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        settings = await client.get("/api/settings")
        webcam = settings["webcam"]
        for key in (
            "flipH",
            "flipV",
            "rotate90",
            "bitrate",
            "snapshotSslValidation",
            "snapshotUrl",
            "streamUrl",
            "webcamEnabled",
        ):
            assert key in webcam
        assert settings["feature"]["sdSupport"] is False
        assert settings["api"]["key"] is None
        assert isinstance(settings["temperature"]["profiles"], list)
        unique = settings["plugins"]["discovery"]["upnpUuid"]
        assert unique == (await client.get("/api/settings"))["plugins"]["discovery"]["upnpUuid"]
        assert str(tmp_path) not in json.dumps(settings)
        profiles = (await client.get("/api/printerprofiles"))["profiles"]
        assert profiles["_default"]["current"] is True
        assert profiles["_default"]["volume"]["custom_box"] is False
        assert (await client.request("GET", "/api/printerprofiles/other")).code == 404
