"""Uploads: streamed, in any order of fields, bounded, and nothing left behind when they fail."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.helpers import eventually
from tests.web.client import GCODE, Web, multipart, web
from tests.web.raw import request

from bedplate.files import upload as upload_module
from bedplate.messages.states import ConnectionState

OTHER = b"; another file\nG28\nG1 X5 F1200\n"


def stored(client: Web) -> dict[str, bytes]:
    """All files on the disk below the root, hidden ones too."""
    root = client.host.library.root
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


async def test_a_file_arrives_and_the_answer_says_where(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        answer = await client.upload([("file", ("a b.gcode", GCODE))])
        assert answer.code == 201
        document = json.loads(answer.body)
        local = document["files"]["local"]
        assert (local["name"], local["path"], local["origin"]) == (
            "a b.gcode",
            "a b.gcode",
            "local",
        )
        assert answer.headers["Location"] == local["refs"]["resource"]
        assert local["refs"]["resource"] == f"{client.base}/api/files/local/a%20b.gcode"
        assert document["done"] is True
        assert document["effectiveSelect"] is document["effectivePrint"] is False
        assert stored(client) == {"a b.gcode": GCODE}


FILE = ("file", ("a.gcode", GCODE))


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ([("path", "x/y"), FILE], "x/y/a.gcode"),
        ([FILE, ("path", "x/y")], "x/y/a.gcode"),
        ([FILE, ("path", "")], "a.gcode"),
        ([("path", "/x/"), FILE], "x/a.gcode"),
        ([("filename", "b.gcode"), FILE], "b.gcode"),
        ([FILE, ("filename", "b.gcode"), ("path", "x")], "x/b.gcode"),
        ([("filename", ("p", b"prints/a.gcode")), FILE], "a.gcode"),
        ([("filename", b""), FILE], "a.gcode"),
        ([("file.path", "/etc/passwd"), ("file.name", "x.gcode"), FILE], "a.gcode"),
        ([("other", ("b.gcode", OTHER)), FILE], "a.gcode"),
        ([("file", ("a.gcode", GCODE)), ("other", ("b.gcode", OTHER))], "a.gcode"),
    ],
)
async def test_fields_count_wherever_they_stand(
    tmp_path: Path, fields: list[tuple[str, Any]], path: str
) -> None:
    async with web(tmp_path) as client:
        answer = await client.upload(fields)
        assert answer.code == 201, answer.body
        assert json.loads(answer.body)["files"]["local"]["path"] == path
        assert stored(client) == {path: GCODE}


@pytest.mark.parametrize("first", ["file", "fields"])
async def test_what_is_sent_with_a_file_is_kept(tmp_path: Path, first: str) -> None:
    fields = [("userdata", '{"spool": 3}')]
    async with web(tmp_path) as client:
        order = [FILE, *fields] if first == "file" else [*fields, FILE]
        assert (await client.upload(order)).code == 201
        entry = await client.get("/api/files/local/a.gcode")
        assert entry["userdata"] == {"spool": 3}
        assert entry["user"] == "local"


async def test_the_body_of_cura_and_of_windows_clients_is_understood(tmp_path: Path) -> None:
    """Part headers the other way round, a quoted boundary with odd characters, a path as name."""
    boundary = "boundary_.oOo._MTIz="
    body = (
        f"--{boundary}\r\nContent-Type: application/octet-stream\r\n"
        'Content-Disposition: form-data; name="file"; filename="C:\\prints\\a.gcode"\r\n\r\n'
    ).encode()
    body += GCODE + f"\r\n--{boundary}--\r\n".encode()
    async with web(tmp_path) as client:
        headers = {"Content-Type": f'multipart/form-data; boundary="{boundary}"'}
        answer = await client.request("POST", "/api/files/local", body, headers)
        assert answer.code == 201, answer.body
        assert list(stored(client)) == ["a.gcode"]


@pytest.mark.parametrize(
    "disposition",
    [
        'form-data; name="file"; filename="Würfel.gcode"',
        "form-data; name=file; filename*=UTF-8''W%C3%BCrfel.gcode",
    ],
)
async def test_names_may_be_in_any_alphabet(tmp_path: Path, disposition: str) -> None:
    body = b"--b\r\nContent-Disposition: " + disposition.encode() + b"\r\n\r\n" + GCODE
    body += b"\r\n--b--\r\n"
    async with web(tmp_path) as client:
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        answer = await client.request("POST", "/api/files/local", body, headers)
        assert answer.code == 201, answer.body
        assert list(stored(client)) == ["Würfel.gcode"]
        assert (await client.get("/api/files/local/W%C3%BCrfel.gcode"))["name"] == "Würfel.gcode"


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ([], 400, "bad_request"),
        ([("path", "x")], 400, "bad_request"),
        ([("file", ("a.stl", GCODE))], 415, "unsupported_type"),
        ([("file", ("a.gcode", b"\x89PNG\r\n\x1a\n" + b"\0" * 2000))], 415, "unsupported_type"),
        ([("file", ("a.gcode", b""))], 400, "bad_request"),
        ([("file", ("", GCODE))], 400, "bad_request"),
        ([("file", ("...", GCODE))], 400, "bad_request"),
        ([("path", "../x"), FILE], 400, "bad_request"),
        ([FILE, ("path", "../x")], 400, "bad_request"),
        ([FILE, ("userdata", "{")], 400, "bad_request"),
        ([FILE, ("file", ("b.gcode", OTHER))], 400, "bad_request"),
        ([("path", "x" * 70_000), FILE], 413, "too_large"),
        ([(f"field{n}", "x") for n in range(100)], 413, "too_large"),
        ([("foldername", "  ")], 400, "bad_request"),
    ],
)
async def test_a_bad_upload_is_refused_and_leaves_nothing(
    tmp_path: Path, fields: list[tuple[str, Any]], status: int, code: str
) -> None:
    async with web(tmp_path) as client:
        answer = await client.upload(fields)
        assert (answer.code, json.loads(answer.body)["code"]) == (status, code), answer.body
        assert stored(client) == {}


async def test_a_name_that_would_climb_out_is_refused(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        answer = await client.upload([("file", ("../../x.gcode", GCODE))])
        assert answer.code == 400
        assert "leads out of the files" in json.loads(answer.body)["error"]
        assert not (tmp_path / "x.gcode").exists()
        assert stored(client) == {}


@pytest.mark.parametrize("body", [b"", b"--b", b"garbage", b"--b\r\n\r\n--b--", b"--b\r\nX" * 99])
async def test_a_malformed_body_is_refused(tmp_path: Path, body: bytes) -> None:
    async with web(tmp_path) as client:
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        answer = await client.request("POST", "/api/files/local", body, headers)
        assert answer.code == 400
        assert stored(client) == {}


@pytest.mark.parametrize(
    ("content_type", "status"),
    [("multipart/form-data", 400), ("text/plain", 415), ("multipart/mixed", 415)],
)
async def test_an_upload_must_say_that_it_is_one(
    tmp_path: Path, content_type: str, status: int
) -> None:
    async with web(tmp_path) as client:
        headers = {"Content-Type": content_type}
        answer = await client.request("POST", "/api/files/local", b"--b--", headers)
        assert answer.code == status


async def test_a_body_cut_short_by_its_own_length_is_refused(tmp_path: Path) -> None:
    body, content_type = multipart([FILE])
    async with web(tmp_path) as client:
        answer = await client.request(
            "POST", "/api/files/local", body[:-8], {"Content-Type": content_type}
        )
        assert answer.code == 400
        assert stored(client) == {}


async def test_a_client_that_vanishes_leaves_nothing(tmp_path: Path) -> None:
    body, content_type = multipart([("file", ("a.gcode", GCODE * 5000))])
    async with web(tmp_path) as client:
        raw = await client.raw()
        headers = {"Content-Type": content_type, "Content-Length": str(len(body))}
        await raw.send(
            request("POST", "/api/files/local", headers=headers) + body[: len(body) // 2]
        )
        await eventually(lambda: stored(client), what="the upload has begun")
        await raw.close()
        await eventually(lambda: not stored(client), what="its temporary file is gone")
        assert (await client.get("/api/files"))["files"] == []


async def test_a_large_file_is_never_held_in_memory(tmp_path: Path) -> None:
    """The host takes less memory for it than the file has bytes, by far."""
    import tracemalloc

    size = 24 * 1024 * 1024
    line = b"G1 X10.000 Y10.000 E0.1234 F3000\n"
    head, content_type = multipart([("file", ("a.gcode", b""))])
    cut = head.index(b"\r\n\r\n") + 4
    before, after = head[:cut], head[cut:]
    block = line * (65536 // len(line))
    blocks = size // len(block)
    length = len(before) + blocks * len(block) + len(after)
    async with web(tmp_path) as client:
        raw = await client.raw()
        headers = {"Content-Type": content_type, "Content-Length": str(length)}
        tracemalloc.start()
        try:
            await raw.send(request("POST", "/api/files/local", headers=headers) + before)
            for _ in range(blocks):
                await raw.send(block)
            await raw.send(after)
            answer = await raw.answer()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert answer.status == 201, answer.body
        assert (client.host.library.root / "a.gcode").stat().st_size == blocks * len(block)
        assert peak < 8 * 1024 * 1024


async def test_too_long_a_body_is_refused_before_it_is_read(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        client.host.store.set({"server.upload_limit": 1024 * 1024})
        raw = await client.raw()
        _, content_type = multipart([])
        headers = {"Content-Type": content_type, "Content-Length": str(2 * 1024 * 1024)}
        await raw.send(request("POST", "/api/files/local", headers=headers))
        answer = await raw.answer()
        assert answer.status == 413
        assert answer.headers["connection"] == "close"
        assert json.loads(answer.body)["code"] == "too_large"
        await raw.send(b"x" * 2 * 1024 * 1024)
        assert await raw.rest() == b""


async def test_too_long_a_body_without_a_length_is_refused_on_the_way(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        client.host.store.set({"server.upload_limit": 1024 * 1024})
        raw = await client.raw()
        body, content_type = multipart([("file", ("a.gcode", GCODE * 40_000))])
        headers = {"Content-Type": content_type, "Transfer-Encoding": "chunked"}
        await raw.send(request("POST", "/api/files/local", headers=headers))
        for start in range(0, len(body), 50_000):
            piece = body[start : start + 50_000]
            await raw.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        answer = await raw.answer()
        assert answer.status == 413
        await raw.close()
        await eventually(lambda: not stored(client))


async def test_a_client_that_asks_first_gets_its_answer_first(tmp_path: Path) -> None:
    body, content_type = multipart([FILE])
    async with web(tmp_path) as client:
        raw = await client.raw()
        headers = {
            "Content-Type": content_type,
            "Content-Length": str(len(body)),
            "Expect": "100-continue",
        }
        await raw.send(request("POST", "/api/files/local", headers=headers))
        assert (await raw.head())[0] == 100
        await raw.send(body)
        assert (await raw.answer()).status == 201


async def test_a_client_that_asks_first_with_too_much_never_sends_it(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        raw = await client.raw()
        headers = {
            "Content-Type": "multipart/form-data; boundary=b",
            "Content-Length": str(1 << 40),
            "Expect": "100-continue",
        }
        await raw.send(request("POST", "/api/files/local", headers=headers))
        assert (await raw.answer()).status == 413
        assert await raw.rest() == b""


async def test_a_full_disk_is_told_and_what_was_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with web(tmp_path) as client:
        assert (await client.upload([FILE])).code == 201

        def full(self: upload_module.Upload, chunk: bytes) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(upload_module.Upload, "_append", full)
        answer = await client.upload([("file", ("a.gcode", OTHER))])
        assert (answer.code, json.loads(answer.body)["code"]) == (507, "storage_full")
        assert stored(client) == {"a.gcode": GCODE}


async def test_a_file_larger_than_the_disk_is_refused_at_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with web(tmp_path) as client:
        monkeypatch.setattr(client.host.library, "free_space", lambda: (1024 * 1024, 1 << 30))
        raw = await client.raw()
        body, content_type = multipart([("file", ("a.gcode", GCODE * 40_000))])
        headers = {"Content-Type": content_type, "Content-Length": str(len(body))}
        await raw.send(request("POST", "/api/files/local", headers=headers))
        await raw.send(body[:200_000])
        assert stored(client) == {}
        await raw.send(body[200_000:])
        answer = await raw.answer()
        assert (answer.status, json.loads(answer.body)["code"]) == (507, "storage_full")


async def test_an_existing_file_is_replaced_unless_that_is_not_wanted(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        assert (await client.upload([FILE])).code == 201
        again = ("file", ("a.gcode", OTHER))
        for fields in ([("noOverwrite", "true"), again], [again, ("noOverwrite", "true")]):
            assert (await client.upload(fields)).code == 409
            assert stored(client) == {"a.gcode": GCODE}
        assert (await client.upload([again])).code == 201
        assert stored(client) == {"a.gcode": OTHER}


async def test_the_file_that_is_being_printed_is_not_replaced(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        assert (await client.upload([FILE])).code == 201
        client.printer.run_job("a.gcode")
        assert (await client.upload([("file", ("a.gcode", OTHER))])).code == 409
        assert (await client.upload([("file", ("a.gcode", OTHER)), ("path", "x")])).code == 201
        assert stored(client) == {"a.gcode": GCODE, "x/a.gcode": OTHER}


@pytest.mark.parametrize("value", ["true", "TRUE", "yes", "y", "1"])
async def test_printing_begins_once_the_file_is_there(tmp_path: Path, value: str) -> None:
    async with web(tmp_path) as client:
        client.printer.become(ConnectionState.OPERATIONAL)
        answer = await client.upload([("print", value), FILE])
        document = json.loads(answer.body)
        assert (document["effectivePrint"], document["effectiveSelect"]) == (True, False)
        assert ("start", "a.gcode") in client.printer.told
        assert stored(client) == {"a.gcode": GCODE}


async def test_a_file_can_be_selected_with_its_upload(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        client.printer.become(ConnectionState.OPERATIONAL)
        document = json.loads((await client.upload([("select", "true"), FILE])).body)
        assert (document["effectivePrint"], document["effectiveSelect"]) == (False, True)
        assert client.printer.told == [("select", "a.gcode")]
        client.printer.told.clear()
        longer = ("file", ("a.gcode", GCODE + OTHER))
        document = json.loads((await client.upload([longer])).body)
        assert document["effectiveSelect"] is False
        assert client.printer.selected is not None
        assert client.printer.selected.size == len(GCODE + OTHER)


@pytest.mark.parametrize("busy", [False, True])
async def test_an_upload_counts_even_if_it_can_not_be_printed(tmp_path: Path, busy: bool) -> None:
    async with web(tmp_path) as client:
        if busy:
            client.printer.run_job("other.gcode")
        document = json.loads((await client.upload([("print", "true"), FILE])).body)
        assert document["effectivePrint"] is False
        assert client.printer.told == []
        assert "a.gcode" in stored(client)


async def test_folders_are_made_by_forms_and_by_json(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        first = await client.upload([("foldername", "one"), ("path", "")])
        second = await client.post("/api/files/local", {"foldername": "two", "path": "one"})
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        third = await client.request("POST", "/api/files/local", b"foldername=three", form)
        again = await client.upload([("foldername", "one")])
        assert [answer.code for answer in (first, second, third, again)] == [201] * 4
        folder = json.loads(second.body)["folder"]
        assert (folder["name"], folder["path"]) == ("two", "one/two")
        assert second.headers["Location"] == folder["refs"]["resource"]
        assert (client.host.library.root / "one" / "two").is_dir()


async def test_the_printers_own_card_takes_no_uploads(tmp_path: Path) -> None:
    body, content_type = multipart([FILE])
    async with web(tmp_path) as client:
        headers = {"Content-Type": content_type}
        answer = await client.request("POST", "/api/files/sdcard", body, headers)
        assert answer.code == 404
