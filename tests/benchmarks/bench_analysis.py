"""How fast and in how much memory a file is analysed: `python tests/benchmarks/bench_analysis.py`.

Makes a file of 50 MB by repeating a real one, analyses it several times in a worker process of its
own, and prints the median of megabytes per second (CPU time and wall time) and the largest resident
size. Figures of a shared machine vary; only those of one run compare.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "core" / "bedplate" / "samples" / "nut.gcode"

MEASURED = """
import resource, sys
from bedplate.gcode.worker import main
main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""
"""Runs the worker and tells its own peak: the parent sees only the largest of all children."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, default=SAMPLE, help="file to repeat")
    parser.add_argument("--size", type=int, default=50, help="megabytes")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.gcode"
        size = repeat(options.file, path, options.size * 1_000_000)
        runs = [run(path) for _ in range(options.runs)]
    megabytes = size / 1_000_000
    cpu, wall, memory = zip(*runs, strict=True)
    print(f"{megabytes:.1f} MB of {options.file.name}, median of {options.runs} runs")
    print(f"CPU time   {megabytes / statistics.median(cpu):6.1f} MB/s")
    print(f"wall time  {megabytes / statistics.median(wall):6.1f} MB/s")
    print(f"peak RSS   {max(memory) / 1024:6.1f} MB")


def repeat(source: Path, target: Path, size: int) -> int:
    """Write copies of a file one after another up to `size` bytes; returns the bytes written."""
    data = source.read_bytes()
    with target.open("wb") as stream:
        while stream.tell() < size:
            stream.write(data)
        return stream.tell()


def run(path: Path) -> tuple[float, float, int]:
    """Analyse once; returns CPU seconds, wall seconds, and the peak of resident memory in KiB."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "core")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path)],
        capture_output=True,
        check=True,
        env=environment,
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not json.loads(done.stdout)["ok"]:
        sys.exit(f"the worker refused the file: {done.stdout.decode()}")
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return cpu, wall, int(done.stderr)


if __name__ == "__main__":
    main()
