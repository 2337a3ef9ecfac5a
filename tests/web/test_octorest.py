"""A client that others wrote, unmodified: octorest, its REST side and both of its push clients."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from tests.web.client import GCODE, web

from bedplate.messages.states import ConnectionState

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from octorest import OctoRest

KEY = "0123456789abcdef0123456789abcdef"


def session(url: str) -> dict[str, Any]:
    """What a script does with the client, in a thread of its own."""
    client = OctoRest(url=url, apikey=KEY)
    assert client.version["text"].startswith("OctoPrint")
    assert client.state() == "Closed"
    client.connect(port="VIRTUAL", baudrate=115200)
    assert client.state() == "Operational"
    client.upload(("a.gcode", io.BytesIO(GCODE)))
    client.new_folder("dir")
    assert [file["name"] for file in client.files()["files"]] == ["dir", "a.gcode"]
    assert client.files_info("local", "a.gcode")["size"] == len(GCODE)
    client.copy("a.gcode", "dir")
    client.move("dir/a.gcode", "dir/b.gcode")
    client.delete("dir/b.gcode")
    client.select("a.gcode", print=True)
    assert client.job_info()["state"] == "Printing"
    client.pause()
    assert client.job_info()["state"] == "Paused"
    client.resume()
    assert client.job_info()["state"] == "Printing"
    client.toggle()
    client.cancel()
    assert client.job_info()["state"] == "Operational"
    client.jog(x=10, y=-1.5)
    client.home(["x", "y"])
    client.tool_target(220)
    client.bed_target(60)
    client.tool_select(0)
    client.extrude(5)
    client.feedrate(110)
    client.flowrate(95)
    client.gcode("M105\nM114")
    assert client.printer()["state"]["flags"]["operational"] is True
    assert "tool0" in client.tool()
    assert "bed" in client.bed()
    assert client.sd() == {"ready": False}
    assert "_default" in client.printer_profiles()["profiles"]
    assert client.system_commands() == {"core": [], "plugin": [], "custom": []}
    settings: dict[str, Any] = client.settings()
    client.disconnect()
    assert client.state() == "Closed"
    return settings


async def test_a_script_prints_with_it(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        settings = await asyncio.to_thread(session, client.base)
        assert settings["plugins"]["discovery"]["upnpUuid"]
        told = [call[0] for call in client.printer.told]
        assert told == [
            "connect", "select", "start", "select", "pause", "resume", "pause", "cancel", "jog",
            "home", "set_targets", "set_targets", "select_tool", "extrude", "feed_rate",
            "flow_rate", "send", "disconnect",
        ]  # fmt: skip


LISTENER = """
import json, sys
import octorest
handler = getattr(octorest, sys.argv[1])
say = lambda _, message: print(json.dumps(message), flush=True)
push = handler(sys.argv[2], on_message=say)
push.run()
push.wait()
"""
"""A process of its own: these clients have threads that nothing ends."""


@pytest.mark.parametrize("handler", ["WebSocketEventHandler", "XHRStreamingEventHandler"])
async def test_its_push_clients_hear_us(tmp_path: Path, handler: str) -> None:
    async with web(tmp_path) as client:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "ignore", "-c", LISTENER, handler, client.base,
            stdout=asyncio.subprocess.PIPE, limit=1 << 20,
        )  # fmt: skip
        try:
            assert {"connected", "history", "current"} <= await heard(process, "current")
            client.printer.become(ConnectionState.OPERATIONAL)
            await heard(process, "event")
        finally:
            process.kill()
            await process.communicate()


async def heard(process: asyncio.subprocess.Process, wanted: str) -> set[str]:
    """The kinds of messages until one of `wanted` comes."""
    assert process.stdout is not None
    kinds: set[str] = set()
    async with asyncio.timeout(30):
        while wanted not in kinds:
            kinds |= set(json.loads(await process.stdout.readline()))
    return kinds
