"""What is installed: a wheel made of the repository holds everything that a host needs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.processes import ROOT


@pytest.mark.slow
def test_a_wheel_carries_the_page_the_samples_and_the_bundled_plugins(tmp_path: Path) -> None:
    source = tmp_path / "source"
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", tmp_path, source],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "bedplate/www/index.html" in names
    assert any(name.startswith("bedplate/www/assets/") and name.endswith(".js") for name in names)
    assert "bedplate/samples/bunny-small.gcode" in names
    assert "bedplate/py.typed" in names
    assert "bedplate/link/__main__.py" in names
    assert "bedplate_virtual_printer/plugin.py" in names
    assert not [name for name in names if "tests/" in name or "node_modules" in name]
