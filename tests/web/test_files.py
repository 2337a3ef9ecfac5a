"""Print files over HTTP: listing, choosing, copying, moving, deleting, downloading."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.web.client import GCODE, Web, validate, web

from bedplate.files.entries import FileEntry, PrintHistory, PrintResult, ThumbnailFile
from bedplate.gcode.records import Analysis, Box, Filament, Warn
from bedplate.gcode.worker import Picture
from bedplate.messages.states import ConnectionState
from bedplate.web.documents import plain
from bedplate.web.file_documents import Addresses, file_document
from bedplate.web.sending import content_disposition, parse_range

ENTRY = FileEntry(
    name="wuerfel.gcode",
    display="Würfel.gcode",
    path="dir/wuerfel.gcode",
    size=1177,
    modified=1795356645.9,
    hash="825ada26" * 5,
    analysis=Analysis(
        sha1="825ada26" * 5,
        size=1177,
        lines=50,
        commands=40,
        layers=[],
        height=3.0,
        printing_area=Box(min_x=10, min_y=10, min_z=0, max_x=24, max_y=30, max_z=3),
        travel_area=Box(min_x=0, min_y=0, min_z=0, max_x=24, max_y=30, max_z=3),
        filament={1: Filament(length=2.0, volume=0.1), 0: Filament(length=1.45, volume=0.0)},
        filament_source="computed",
        computed_filament={},
        estimated_time=13.86,
        estimated_time_source="computed",
        computed_time=13.86,
        slicer=None,
        slicer_version=None,
        filament_types=[],
        filament_diameter=1.75,
        layer_height=None,
        first_layer_temperatures={},
        temperatures={},
        thumbnails=[],
        longest_command=None,
        warnings=[Warn(message="Careful.", line=3)],
    ),
    layers=15,
    analysis_error=None,
    thumbnails=[
        ThumbnailFile(name="s.png", width=16, height=16, media_type="image/png"),
        ThumbnailFile(name="l.png", width=300, height=300, media_type="image/png"),
    ],
    prints=PrintHistory(
        success=1,
        failure=0,
        last=PrintResult(time=1795356652.57, duration=1.18, outcome="done", printer="default"),
        average_duration=1.18,
    ),
    user="joe",
    userdata={"spool": 3},
)

HERE = Addresses("http://host", "http://host/api")


def test_a_file_is_told_as_clients_know_it() -> None:
    document = plain(file_document(ENTRY, HERE))
    validate({"$ref": "#/components/schemas/FileDocument"}, document)
    assert document["type"] == "machinecode"
    assert document["typePath"] == ["machinecode", "gcode"]
    assert (document["size"], document["date"]) == (1177, 1795356645)
    assert document["refs"] == {
        "resource": "http://host/api/files/local/dir/wuerfel.gcode",
        "download": "http://host/downloads/files/local/dir/wuerfel.gcode",
        "thumbnail": "http://host/downloads/thumbnails/l.png",
    }
    assert document["gcodeAnalysis"] == {
        "estimatedPrintTime": 13.86,
        "filament": {
            "tool0": {"length": 1.45, "volume": 0.0},
            "tool1": {"length": 2.0, "volume": 0.1},
        },
        "dimensions": {"width": 14.0, "depth": 20.0, "height": 3.0},
        "printingArea": {"minX": 10, "minY": 10, "minZ": 0, "maxX": 24, "maxY": 30, "maxZ": 3},
        "travelArea": {"minX": 0, "minY": 0, "minZ": 0, "maxX": 24, "maxY": 30, "maxZ": 3},
        "travelDimensions": {"width": 24.0, "depth": 30.0, "height": 3.0},
    }
    assert document["prints"] == {
        "success": 1,
        "failure": 0,
        "last": {"date": 1795356652.57, "printTime": 1.18, "success": True},
    }
    assert document["statistics"] == {
        "averagePrintTime": {"_default": 1.18},
        "lastPrintTime": {"_default": 1.18},
    }
    assert document["thumbnail"] == "downloads/thumbnails/l.png"
    assert document["thumbnail_src"] == "bedplate"
    assert (document["layers"], document["user"], document["userdata"]) == (15, "joe", {"spool": 3})
    assert document["warnings"] == [{"message": "Careful.", "line": 3}]


@pytest.mark.parametrize(("error", "analysis"), [(None, None), ("No G-code.", {"_empty": True})])
def test_what_is_not_known_is_not_told(error: str | None, analysis: Any) -> None:
    entry = FileEntry(
        **{
            **{name: getattr(ENTRY, name) for name in ENTRY.__struct_fields__},
            "hash": None, "analysis": None, "analysis_error": error, "prints": None, "user": None,
            "userdata": None, "thumbnails": [], "layers": None,
        }
    )  # fmt: skip
    document = plain(file_document(entry, HERE))
    left_out = {"hash", "prints", "statistics", "user", "userdata", "thumbnail", "thumbnail_src"}
    assert not left_out & set(document)
    assert document.get("gcodeAnalysis") == analysis
    assert "thumbnail" not in document["refs"]


async def fill(client: Web) -> None:
    for path in ("", "one", "one/two", "one/two/three"):
        answer = await client.upload([("path", path), ("file", ("a.gcode", GCODE))])
        assert answer.code == 201


async def test_a_listing_has_folders_with_what_is_in_them(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        await fill(client)
        listing = await client.get("/api/files")
        assert isinstance(listing["free"], int)
        assert isinstance(listing["total"], int)
        folder, file = listing["files"]
        assert (folder["type"], folder["typePath"]) == ("folder", ["folder"])
        assert folder["size"] == 3 * len(GCODE)
        assert [child["path"] for child in folder["children"]] == ["one/two", "one/a.gcode"]
        assert folder["children"][0]["children"] == []
        assert file["path"] == "a.gcode"
        whole = await client.get("/api/files/local?recursive=true")
        three = whole["files"][0]["children"][0]["children"][0]
        assert [child["path"] for child in three["children"]] == ["one/two/three/a.gcode"]
        models = await client.get("/api/files?filter=model")
        assert [entry["type"] for entry in models["files"]] == ["folder"]


async def test_a_folder_can_be_asked_for(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        await fill(client)
        folder = await client.get("/api/files/local/one/two")
        assert [child["name"] for child in folder["children"]] == ["three", "a.gcode"]
        entry = await client.get("/api/files/local/one/two/a.gcode")
        assert (await client.get(entry["refs"]["resource"].removeprefix(client.base))) == entry


async def command(client: Web, path: str, **body: Any) -> int:
    return (await client.post(f"/api/files/local/{path}", body)).code


async def test_a_file_is_selected_and_printed(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        await fill(client)
        assert await command(client, "none.gcode", command="select") == 404
        assert await command(client, "one", command="select") == 404
        assert await command(client, "a.gcode", command="select") == 204
        assert client.printer.selected is not None
        assert await command(client, "a.gcode", command="select", print=True) == 409
        client.printer.become(ConnectionState.OPERATIONAL)
        assert await command(client, "one/a.gcode", command="select", print=True) == 204
        assert client.printer.told[-2:] == [("start", "one/a.gcode"), ("select", "one/a.gcode")]
        assert await command(client, "a.gcode", command="select") == 409
        assert await command(client, "one/a.gcode", command="unselect") == 409


async def test_a_file_is_unselected(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        await fill(client)
        assert await command(client, "current", command="unselect") == 204
        client.printer.select("a.gcode")
        assert await command(client, "one/a.gcode", command="unselect") == 400
        assert await command(client, "a.gcode", command="unselect") == 204
        assert client.printer.selected is None


async def test_files_are_copied_and_moved(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        await fill(client)
        body = {"command": "copy", "destination": "one/b.gcode"}
        answer = await client.post("/api/files/local/a.gcode", body)
        assert answer.code == 201
        document = json.loads(answer.body)
        assert (document["name"], document["path"]) == ("b.gcode", "one/b.gcode")
        assert answer.headers["Location"] == document["refs"]["resource"]
        assert (await client.post("/api/files/local/a.gcode", body)).code == 409
        client.printer.select("one/b.gcode")
        assert await command(client, "one", command="move", destination="other") == 201
        assert client.printer.selected is not None
        assert client.printer.selected.path == "other/b.gcode"
        assert await command(client, "none.gcode", command="move", destination="x") == 404
        assert await command(client, "a.gcode", command="move", destination="../x") == 400


async def test_what_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        await fill(client)
        assert await command(client, "a.gcode", command="slice") == 415
        assert await command(client, "a.gcode", command="uploadSd") == 404
        assert await command(client, "a.gcode", command="analyse") == 204
        assert client.host.analysis.paths == ["a.gcode"]
        assert await command(client, "a.gcode", command="fly") == 400


async def test_files_and_folders_are_deleted(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        await fill(client)
        client.printer.select("one/two/a.gcode")
        assert (await client.request("DELETE", "/api/files/local/one")).code == 204
        assert client.printer.selected is None
        assert [entry["path"] for entry in (await client.get("/api/files"))["files"]] == ["a.gcode"]
        assert (await client.request("DELETE", "/api/files/local/one")).code == 404
        client.printer.run_job("a.gcode")
        assert (await client.request("DELETE", "/api/files/local/a.gcode")).code == 409
        assert (await client.request("DELETE", "/api/files/sdcard/a.gcode")).code == 404


async def test_names_can_be_asked_about(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        await fill(client)

        async def ask(**body: Any) -> Any:
            answer = await client.post("/api/files/test", {"storage": "local", **body})
            assert answer.code == 200, answer.body
            return json.loads(answer.body)

        assert await ask(command="sanitize", path="one", filename=" b:c.gcode") == {
            "sanitized": "one/bc.gcode"
        }
        assert await ask(command="exists", filename="b.gcode") == {"exists": False}
        found = await ask(command="exists", path="one", filename="a.gcode")
        assert (found["exists"], found["suggestion"], found["size"]) == (
            True, "a_1.gcode", len(GCODE)
        )  # fmt: skip


# -- downloads -------------------------------------------------------------------------------------


async def test_a_download_is_always_to_be_saved(tmp_path: Path) -> None:
    html = b"<script>alert(1)</script>\n" + GCODE
    async with web(tmp_path) as client:
        (client.host.library.root / 'ä "b".gcode').write_bytes(html)
        client.host.library.refresh()
        answer = await client.request("GET", "/downloads/files/local/%C3%A4%20%22b%22.gcode")
        assert answer.body == html
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Disposition"] == (
            "attachment; filename=\"_ _b_.gcode\"; filename*=UTF-8''%C3%A4%20%22b%22.gcode"
        )


@pytest.mark.parametrize(
    ("range_", "status", "body"),
    [
        ("bytes=0-3", 206, GCODE[:4]),
        ("bytes=2-", 206, GCODE[2:]),
        ("bytes=-5", 206, GCODE[-5:]),
        ("bytes=0-99999", 206, GCODE),
        ("bytes=99999-", 416, b""),
        ("bytes=-0", 416, b""),
        ("bytes=0-1,3-4", 200, GCODE),
        ("lines=0-1", 200, GCODE),
        ("bytes=5-2", 200, GCODE),
        ("bytes=-", 200, GCODE),
    ],
)
async def test_a_part_of_a_file_can_be_asked_for(
    tmp_path: Path, range_: str, status: int, body: bytes
) -> None:
    async with web(tmp_path) as client:
        await client.upload([("file", ("a.gcode", GCODE))])
        path = "/downloads/files/local/a.gcode"
        answer = await client.request("GET", path, headers={"Range": range_})
        assert (answer.code, answer.body) == (status, body)
        etag = answer.headers["ETag"]
        stale = {"Range": "bytes=0-3", "If-Range": '"other"'}
        assert (await client.request("GET", path, headers=stale)).code == 200
        same = await client.request("GET", path, headers={"If-None-Match": etag})
        assert (same.code, same.body) == (304, b"")


@pytest.mark.parametrize("path", ["none.gcode", "dir", "..%2f..%2fconfig.yaml", ".hidden"])
async def test_only_print_files_are_downloaded(tmp_path: Path, path: str) -> None:
    async with web(tmp_path) as client:
        await client.upload([("path", "dir"), ("file", ("a.gcode", GCODE))])
        assert (await client.request("GET", f"/downloads/files/local/{path}")).code == 404


async def test_thumbnails_are_pictures(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        picture = Picture(width=1, height=1, media_type="image/png", data=b"picture")
        name = client.host.metadata.write_thumbnails("0" * 40, [picture])[0].name
        answer = await client.request("GET", f"/downloads/thumbnails/{name}")
        assert (answer.body, answer.headers["Content-Type"]) == (b"picture", "image/png")
        assert "immutable" in answer.headers["Cache-Control"]
        for name in ("none.png", "..%2flibrary.sqlite"):
            assert (await client.request("GET", f"/downloads/thumbnails/{name}")).code == 404


def test_names_in_headers_are_harmless() -> None:
    value = content_disposition('a"\r\nSet-Cookie: x=1\\.gcode')
    assert "\r" not in value
    assert "\n" not in value


def test_ranges_beyond_the_file_are_errors() -> None:
    assert parse_range("bytes=0-0", 1) == (0, 0)
    with pytest.raises(ValueError, match="bytes=1-1"):
        parse_range("bytes=1-1", 1)
