"""A client library of OctoPrint's, unmodified, operates a real host and the virtual printer."""

from __future__ import annotations

from typing import Any

import pytest
from octorest import OctoRest
from tests.helpers import wait_until
from tests.processes import SAMPLES, Workshop

pytestmark = pytest.mark.slow


@pytest.fixture
def client(workshop: Workshop) -> Any:
    """octorest, with a key that nobody asks for."""
    workshop.settings("plugins:\n  virtual_printer:\n    speed: 20\n")
    host = workshop.host()
    return OctoRest(url=host.url, apikey="0" * 32)


def state(client: Any) -> str:
    return str(client.job_info()["state"])


def test_octorest_connects_uploads_prints_pauses_resumes_and_cancels(client: Any) -> None:
    client.connect(port="VIRTUAL")
    wait_until(lambda: client.connection_info()["current"]["state"] == "Operational")
    stored = client.upload(str(SAMPLES / "nut-cura.gcode"))["files"]["local"]
    assert stored["path"] == "nut-cura.gcode"
    client.select(stored["path"], print=True)
    wait_until(lambda: state(client) == "Printing")
    client.pause()
    wait_until(lambda: state(client) == "Paused", 60)
    client.resume()
    wait_until(lambda: state(client) == "Printing", 30)
    wait_until(lambda: client.printer()["temperature"]["tool0"]["target"] == 215, 30)
    client.cancel()
    wait_until(lambda: state(client) == "Operational", 60)
    wait_until(lambda: client.printer()["temperature"]["tool0"]["target"] == 0)
    client.jog(x=5)
    client.home()
    client.gcode("M114\nM105")
    client.delete(stored["path"])
    assert client.files()["files"] == []
    client.disconnect()
    assert client.state() == "Closed"
