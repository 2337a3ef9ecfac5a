"""The push socket: who gets what, when, and what happens to clients that do not read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.helpers import eventually
from tests.web.client import GCODE, Socket, Web, validate, web
from tests.web.doubles import HostDouble, PrinterDouble

from bedplate.files.entries import PrintResult
from bedplate.messages.events import FileAnalysed, PrintCancelled, PrintDone, PrintProgress
from bedplate.messages.snapshot import FileRef
from bedplate.messages.states import ConnectionState
from bedplate.web import push, push_client
from bedplate.web.permissions import LOCAL
from bedplate.web.push import PushHub
from bedplate.web.push_client import MAX_PENDING, parse_subscription

FILE = FileRef(path="dir/a.gcode", origin="local", size=1000)


class Line:
    """A transport that the test holds the other end of."""

    def __init__(self, ready: bool = True) -> None:
        self.ready = ready
        self.sent: list[dict[str, Any]] = []
        self.texts: list[str] = []
        self.closed = False

    def send(self, messages: list[str]) -> None:
        self.texts += messages
        self.sent += [json.loads(message) for message in messages]

    def close(self) -> None:
        self.closed = True

    def kinds(self) -> list[str]:
        return [next(iter(message)) for message in self.sent]

    def of(self, kind: str) -> list[Any]:
        return [message[kind] for message in self.sent if kind in message]


class Bench:
    """A hub without a server around it."""

    def __init__(self, directory: Path) -> None:
        self.host = HostDouble(directory, ("default", "second"))
        from bedplate.web.access import Access

        self.hub = PushHub(self.host, self.printer, Access())

    @property
    def printer(self) -> PrinterDouble:
        return self.host.printer

    def join(self, ready: bool = True, **subscribe: Any) -> tuple[Line, push_client.PushClient]:
        line = Line(ready)
        client = self.hub.connect(line, LOCAL)
        assert client is not None
        if subscribe:
            self.hub.receive(client, json.dumps({"subscribe": subscribe}))
        return line, client

    async def __aenter__(self) -> Bench:
        return self

    async def __aexit__(self, *details: object) -> None:
        await self.hub.close()
        await self.host.close()


async def settle(line: Line, kind: str, count: int = 1) -> list[Any]:
    """The messages of a kind, once there are enough."""
    await eventually(lambda: len(line.of(kind)) >= count, what=f"{count} of {kind}")
    return line.of(kind)


async def test_a_new_client_gets_everything_it_needs_to_begin(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.printer.report(1_795_000_000.9, tool0=21.5, bed=20.0)
        line, _ = bench.join()
        await settle(line, "current")
        assert line.kinds() == ["connected", "history", "current"]
        assert set(line.of("connected")[0]) == {"version", "display_version", "bedplate_version"}
        history = line.of("history")[0]
        assert history["temps"] == [
            {
                "time": 1_795_000_000,
                "tool0": {"actual": 21.5, "target": 0.0},
                "bed": {"actual": 20.0, "target": 0.0},
            }
        ]
        current = line.of("current")[0]
        assert current["temps"] == []
        assert current["state"]["text"] == "Offline"
        assert {"job", "progress", "state", "serverTime", "resends", "busyFiles"} <= set(current)
        assert set(current["job"]["file"]) == {"name", "path", "display", "origin", "size", "date"}


async def test_state_and_events_follow(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        line, _ = bench.join()
        await settle(line, "current")
        bench.printer.become(ConnectionState.OPERATIONAL)
        assert (await settle(line, "current", 2))[-1]["state"]["text"] == "Operational"
        assert line.of("event") == [
            {
                "type": "PrinterStateChanged",
                "payload": {"state_id": "OPERATIONAL", "state_string": "Operational"},
            }
        ]


async def test_samples_and_lines_come_once(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        line, _ = bench.join()
        await settle(line, "current")
        bench.printer.report(10.0, tool0=1.0)
        bench.printer.report(11.0, tool0=2.0)
        bench.printer.say([("sent", "M105"), ("received", "ok T:21"), ("note", "resent")])
        current = (await settle(line, "current", 2))[1]
        assert [point["time"] for point in current["temps"]] == [10, 11]
        assert current["logs"] == ["Send: M105", "Recv: ok T:21", "resent"]
        assert current["messages"] == ["ok T:21"]
        bench.printer.changed()
        current = (await settle(line, "current", 3))[2]
        assert (current["temps"], current["logs"], current["messages"]) == ([], [], [])


@pytest.mark.parametrize(
    ("subscribe", "logs", "messages", "watched"),
    [
        ({"state": True}, True, False, True),
        ({"state": {"logs": True}}, True, False, True),
        ({"state": {"messages": True}}, False, True, True),
        ({"state": {"logs": "^Recv"}}, True, False, True),
        ({"state": {}}, False, False, False),
        ({"state": {"logs": False}}, False, False, False),
    ],
)
async def test_lines_come_to_those_who_asked_and_are_fetched_for_them_alone(
    tmp_path: Path, subscribe: dict[str, Any], logs: bool, messages: bool, watched: bool
) -> None:
    async with Bench(tmp_path) as bench:
        line, client = bench.join(**subscribe)
        assert bool(bench.printer.watchers) is watched
        await settle(line, "current")
        line.sent.clear()
        bench.printer.say([("received", "ok")])
        bench.printer.changed()
        current = (await settle(line, "current"))[0]
        assert current["logs"] == (["Recv: ok"] if logs else [])
        assert current["messages"] == (["ok"] if messages else [])
        bench.hub.disconnect(client)
        assert bench.printer.watchers == 0


async def test_what_a_subscription_does_not_name_is_off(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        nothing, _ = bench.join(plugins=False)
        some, _ = bench.join(events=["PrintDone"])
        done = PrintDone(file=FILE, job="j", time=5.0)
        nothing.sent.clear()
        some.sent.clear()
        bench.host.bus.publish(PrintProgress(file=FILE, job="j", completion=25, time=1), "default")
        bench.host.bus.publish(done, "default")
        bench.printer.become(ConnectionState.OPERATIONAL)
        assert [event["type"] for event in await settle(some, "event")] == ["PrintDone"]
        assert some.kinds() == ["event"]
        assert nothing.sent == []


async def test_events_of_other_printers_stay_away_and_those_of_the_host_come(
    tmp_path: Path,
) -> None:
    async with Bench(tmp_path) as bench:
        line, _ = bench.join(events=True)
        bench.host.bus.publish(PrintDone(file=FILE, job="j", time=5.0), "second")
        bench.host.printers["second"].become(ConnectionState.OPERATIONAL)
        bench.host.bus.publish(FileAnalysed(path="a.gcode", origin="local", ok=True))
        events = await settle(line, "event", 2)
        assert [event["type"] for event in events] == ["MetadataAnalysisFinished", "FileAnalysed"]


async def test_a_cancelled_print_is_told_as_octoprint_does(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        line, _ = bench.join(events=True)
        cancelled = PrintCancelled(file=FILE, job="j", time=5.0, offset=500, line=9)
        bench.host.bus.publish(cancelled, "default")
        events = await settle(line, "event", 2)
        assert [(e["type"], e["payload"].get("reason")) for e in events] == [
            ("PrintCancelled", None),
            ("PrintFailed", "cancelled"),
        ]


async def test_our_snapshot_comes_at_once_and_on_change(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        line, _ = bench.join(snapshot=True)
        first = (await settle(line, "snapshot"))[0]
        assert first["connection"]["state"] == "closed"
        validate({"$ref": "#/components/schemas/PrinterSnapshot"}, first)
        bench.printer.become(ConnectionState.OPERATIONAL)
        assert (await settle(line, "snapshot", 2))[1]["connection"]["state"] == "operational"
        assert set(line.kinds()) == {"connected", "history", "snapshot"}


async def test_what_is_learnt_of_the_file_reaches_the_clients(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        root = bench.host.library.root
        (root / "a.gcode").write_bytes(GCODE)
        bench.host.library.refresh()
        bench.printer.select("a.gcode")
        line, _ = bench.join(state=True)
        current = (await settle(line, "current"))[0]
        assert current["job"]["averagePrintTime"] is None
        result = PrintResult(time=1.0, duration=60.0, outcome="done", printer="default")
        bench.host.metadata.add_print("j", "a.gcode", result)
        file = FileRef(path="a.gcode", origin="local", size=len(GCODE))
        bench.host.bus.publish(PrintDone(file=file, job="j", time=60.0), "default")
        current = (await settle(line, "current", 2))[1]
        assert current["job"]["averagePrintTime"] == 60.0


async def test_terminal_lines_wake_only_those_who_read_them(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        reader, _ = bench.join(state={"logs": True})
        other, _ = bench.join(state={}, snapshot=True)
        await settle(reader, "current")
        await settle(other, "current")
        await settle(other, "snapshot")
        other.sent.clear()
        bench.printer.say([("received", "ok")])
        await settle(reader, "current", 2)
        assert other.sent == []


async def test_many_changes_make_few_messages(tmp_path: Path) -> None:
    """At most two `current` and four snapshots a second; the last one has the last state."""
    async with Bench(tmp_path) as bench:
        line, _ = bench.join(state=True, snapshot=True)
        await settle(line, "current")
        begin = asyncio.get_running_loop().time()
        for number in range(200):
            bench.printer.run_job("a.gcode", offset=number + 1)
            await asyncio.sleep(0.005)

        def current() -> bool:
            return bool(line.of("current")[-1]["progress"]["filepos"] == 200)

        def snapshot() -> bool:
            return bool((line.of("snapshot")[-1]["job"] or {}).get("offset") == 200)

        await eventually(lambda: current() and snapshot())
        seconds = asyncio.get_running_loop().time() - begin
        assert len(line.of("current")) <= 2 * seconds + 3
        assert len(line.of("snapshot")) <= 4 * seconds + 3


async def test_a_throttled_client_gets_fewer(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        line, _ = bench.join(state=True)
        slow_line, slow = bench.join(state=True)
        bench.hub.receive(slow, json.dumps({"throttle": 100}))
        for count in range(1, 4):
            bench.printer.changed()
            await settle(line, "current", count)
        assert len(slow_line.of("current")) <= 1


async def test_a_client_that_does_not_read_costs_no_memory(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        line, client = bench.join(state=True, snapshot=True)
        reader, _ = bench.join(state=True)
        await settle(line, "current")
        line.ready = False
        sent = len(line.sent)
        for number in range(5):
            bench.printer.run_job("a.gcode", offset=number)
            await settle(reader, "current", number + 2)
        assert len(line.sent) == sent
        line.ready = True
        client.flush()
        await settle(line, "current", 2)
        assert line.of("current")[-1]["progress"]["filepos"] == 4


async def test_a_client_that_misses_too_many_events_is_closed(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        line, client = bench.join(events=True)
        line.ready = False
        for _ in range(MAX_PENDING):
            bench.hub.event("Test", None)
        assert not line.closed
        line.ready = True
        client.flush()
        assert len(line.of("event")) == MAX_PENDING
        line.ready = False
        for _ in range(MAX_PENDING + 1):
            bench.hub.event("Test", None)
        assert line.closed


async def test_what_is_the_same_is_encoded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = []
    encode = push.encode
    monkeypatch.setattr(push, "encode", lambda m: encoded.append(next(iter(m))) or encode(m))
    async with Bench(tmp_path) as bench:
        lines = [bench.join(state=True, events=True)[0] for _ in range(50)]
        for line in lines:
            await settle(line, "current")
        encoded.clear()
        bench.printer.report(10.0, tool0=1.0)
        for line in lines:
            await settle(line, "current", 2)
        assert encoded == ["current"]
        bench.hub.event("Test", {"x": 1})
        assert encoded == ["current", "event"]
        assert len({line.texts[-1] for line in lines}) == 1


async def test_silence_is_broken_before_a_client_gives_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert push.KEEP_ALIVE < 25
    monkeypatch.setattr(push, "KEEP_ALIVE", 0.05)
    async with Bench(tmp_path) as bench:
        line, _ = bench.join(state=True)
        await settle(line, "current", 3)


async def test_without_clients_nothing_is_done(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        before = len(bench.host.bus.subscriptions)
        _, client = bench.join(state=True)
        assert len(bench.host.bus.subscriptions) == before + 1
        bench.hub.disconnect(client)
        assert len(bench.host.bus.subscriptions) == before
        assert bench.printer.watchers == 0


async def test_there_is_a_limit_to_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push, "MAX_CLIENTS", 2)
    async with Bench(tmp_path) as bench:
        bench.join()
        bench.join()
        assert bench.hub.connect(Line(), LOCAL) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        "{",
        "x",
        '{"auth":"local:x"}',
        '{"subscribe":7}',
        '{"throttle":"x"}',
        '{"throttle":-5}',
        '{"subscribe":{"events":[1,{}]}}',
        "[" * 4000,
        '{"throttle":1e99}',
    ],
)
async def test_strange_messages_do_no_harm(tmp_path: Path, text: str) -> None:
    async with Bench(tmp_path) as bench:
        line, client = bench.join()
        other, _ = bench.join()
        bench.hub.receive(client, text)
        bench.printer.become(ConnectionState.OPERATIONAL)
        current = await settle(other, "current")
        assert current[-1]["state"]["text"] == "Operational"
        assert not line.closed


def test_a_subscription_is_read_as_octoprint_reads_it() -> None:
    subscription = parse_subscription({"state": True, "events": ["A"], "plugins": True})
    assert (subscription.state, subscription.logs, subscription.messages) == (True, True, False)
    assert subscription.wants_event("A")
    assert not subscription.wants_event("B")
    assert subscription.wants_plugin("any")
    empty = parse_subscription({})
    assert not any((empty.state, empty.events, empty.plugins, empty.snapshot, empty.terminal))


# -- over real sockets -----------------------------------------------------------------------------


async def test_a_plain_socket_speaks_json_both_ways(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        socket = await client.socket()
        assert (await socket.receive()).keys() == {"connected"}
        await socket.until("history")
        await socket.send({"auth": "local:whatever"})
        await socket.send({"subscribe": {"snapshot": True, "events": True}})
        snapshot = await socket.until("snapshot")
        assert snapshot["link_pid"] == 4711
        assert (await client.upload([("file", ("a.gcode", GCODE))])).code == 201
        upload = await socket.until("event", type="Upload")
        assert upload["payload"]["path"] == "a.gcode"
        socket.close()
        await eventually(
            lambda: client.server.application.services.push(client.printer).clients == 0
        )


async def test_snapshots_do_not_keep_the_state_away(tmp_path: Path) -> None:
    """Over a real socket one message is under way for a moment: the other must get its turn."""
    async with web(tmp_path) as client:
        socket = await client.socket()
        await socket.send({"subscribe": {"snapshot": True, "state": {}}})
        seen: list[str] = []
        while seen.count("snapshot") < 6:
            client.printer.run_job("a.gcode", offset=len(seen))
            seen.append(next(iter(await socket.receive())))
        assert seen.count("current") >= 2
        socket.close()


async def test_each_printer_has_its_own_socket(tmp_path: Path) -> None:
    async with web(tmp_path, ("default", "second")) as client:
        socket = await client.socket("/printers/second/sockjs/websocket")
        await socket.until("history")
        client.host.printers["default"].become(ConnectionState.OPERATIONAL)
        client.host.printers["second"].become(ConnectionState.DETECTING)
        event = await socket.until("event", type="PrinterStateChanged")
        assert event["payload"]["state_id"] == "DETECT_SERIAL"
        socket.close()


async def test_a_socket_that_nobody_reads_is_bounded(tmp_path: Path) -> None:
    """Megabytes for a client that stopped reading: it is closed, the others go on."""
    async with web(tmp_path) as client:
        raw = await client.raw()
        head = (
            "GET /sockjs/websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n"
        )
        await raw.send(head.encode())
        raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
        other = await client.socket()
        await other.until("history")
        hub = client.server.application.services.push(client.printer)
        await eventually(lambda: hub.clients == 2)
        payload = {"text": "x" * 100_000}
        for _ in range(400):
            hub.event("Test", payload)
            await other.until("event", type="Test")
            if hub.clients == 1:
                break
        await eventually(lambda: hub.clients == 1)
        other.close()


async def test_the_server_ends_its_sockets_when_it_stops(tmp_path: Path) -> None:
    sockets: list[Socket] = []

    async def join(client: Web) -> None:
        sockets.append(await client.socket())
        await sockets[0].until("history")

    async with web(tmp_path) as client:
        await join(client)
    await _ended(sockets[0].connection.read_message)
    sockets[0].close()


async def _ended(read: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while await read() is not None:
            pass
