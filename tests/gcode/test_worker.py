"""The analysis as a process of its own."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from bedplate.gcode.analysis import Analysis, analyse

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "core" / "bedplate" / "samples" / "nut-cura.gcode"


def worker(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "core")}
    return subprocess.run(
        [sys.executable, "-m", "bedplate.gcode.worker", *arguments],
        capture_output=True,
        timeout=60,
        env=environment,
        check=False,
    )


def test_it_prints_the_analysis_as_one_document() -> None:
    done = worker(str(SAMPLE))
    assert (done.returncode, done.stderr) == (0, b"")
    answer = json.loads(done.stdout)
    assert answer["ok"] is True
    assert msgspec.convert(answer["analysis"], Analysis, strict=False) == analyse(SAMPLE).analysis


def test_pictures_come_in_base64(tmp_path: Path) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(40)
    text = base64.b64encode(picture).decode()
    path = tmp_path / "file.gcode"
    path.write_text(f"; thumbnail begin 8x4 {len(text)}\n; {text}\n; thumbnail end\nG28\n")
    [thumbnail] = json.loads(worker(str(path)).stdout)["thumbnails"]
    assert thumbnail == {"width": 8, "height": 4, "media_type": "image/png", "data": text}


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [(b"\x89PNG\r\n\x1a\n", "not_gcode", "PNG"), (None, "file_unreadable", "No such file")],
)
def test_a_file_that_it_can_not_read_is_an_answer_too(
    tmp_path: Path, content: bytes | None, code: str, words: str
) -> None:
    path = tmp_path / "file.gcode"
    if content is not None:
        path.write_bytes(content)
    done = worker(str(path))
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    assert (answer["ok"], answer["code"]) == (False, code)
    assert words in answer["message"]


def test_progress_goes_to_standard_error(tmp_path: Path) -> None:
    path = tmp_path / "file.gcode"
    path.write_bytes(b"G1 X1\n" * 100_000)
    done = worker("--progress", str(path))
    fractions = [float(line) for line in done.stderr.split()]
    assert fractions == sorted(fractions)
    assert len(fractions) > 3
    assert json.loads(done.stdout)["ok"] is True


def test_it_is_small_and_of_the_lowest_priority(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from bedplate.gcode.worker import main\n"
        "main(sys.argv[1:])\n"
        "heavy = {'tornado', 'pluggy', 'yaml', 'asyncio', 'bedplate.web'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
        "assert os.nice(0) == 19\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "core")}
    subprocess.run(
        [sys.executable, "-c", script, str(SAMPLE)],
        check=True,
        timeout=60,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
