from __future__ import annotations

from pathlib import Path

from tests.web.client import GCODE, web


async def test_first(tmp_path: Path) -> None:
    async with web(tmp_path) as client:
        print(await client.get("/api/version"))
        print(await client.get("/api/connection"))
        r = await client.upload([("path", ""), ("file", ("a.gcode", GCODE))])
        print(r.code, r.body)
        print(await client.get("//api//files/?recursive=true"))
        r = await client.post("/api/connection", {"command": "connect"})
        print(r.code)
        r = await client.upload([("file", ("a.gcode", GCODE)), ("path", "dir"), ("print", "true")])
        print(r.code, r.body)
        print(await client.get("/api/job"))
        print(await client.get("/api/printer?history=true"))
        print(await client.get("/api/files%2Flocal%2Fdir/a.gcode"))
        s = await client.socket()
        print(await s.receive())
        print(str(await s.receive())[:100])
        print(str(await s.receive())[:100])
        s.close()
