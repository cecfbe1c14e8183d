"""Runs the test suite of a package in an empty virtual environment, without this repository and without network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
COPIED: Final = ("README.md", "CHANGELOG.md", "pyproject.toml", "pytest.ini", "docs", "tests")
"""What is copied of a package, if it exists; `pytest.ini` or `pyproject.toml` holds the configuration of pytest."""
SUITE_SECONDS: Final = 540


@dataclass(frozen=True)
class StandaloneRun:
    """The result of a suite.

    Attributes:
        outcomes: the number of tests by outcome, as in pytest's last line, for example `{"passed": 167}`.
        output: everything that pytest printed.
    """

    outcomes: dict[str, int]
    output: str


def run_standalone(
    package: str, folder: Path, *, others: Sequence[str] = (), options: Sequence[str] = ()
) -> StandaloneRun:
    """Install a package from its wheel into an empty environment, and run its tests there.

    The wheel is built from the sources; dependencies, with those of the extra `test`, are the versions of
    `requirements.lock`, from uv's cache, which `make setup` fills. The tests see only copies of the package's tests,
    documents and `pyproject.toml`.

    Args:
        package: a directory below `packages/`.
        folder: an empty directory outside the repository.
        others: packages that the tests need as well, installed from their wheels.
        options: further ones of pytest.

    Raises:
        RuntimeError: the environment cannot be made, or contains something of this repository; with what was printed.
    """
    folder = folder.resolve()
    if folder.is_relative_to(ROOT):
        raise RuntimeError(f"{folder} is inside the repository")
    wheels = {name: build_wheel(name, folder / "wheels") for name in (package, *others)}
    python = _environment(folder, f"{wheels[package]}[test]", [wheels[name] for name in others])
    suite = folder / "suite"
    suite.mkdir()
    for name in COPIED:
        source = ROOT / "packages" / package / name
        if source.is_dir():
            shutil.copytree(source, suite / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, suite / name)
    environment = _variables(python)
    _require_no_repository(python, suite, environment)
    command = [str(python), "-m", "pytest", "-p", "no:cacheprovider", "-q", *options]
    ran = subprocess.run(
        command, cwd=suite, env=environment, timeout=SUITE_SECONDS, check=False, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace",
    )  # fmt: skip
    last = (ran.stdout.strip().splitlines() or [""])[-1]
    counted = {what: int(count) for count, what in re.findall(r"(\d+) ([a-z]+)", last)}
    return StandaloneRun(counted or {f"exit status {ran.returncode}": 1}, ran.stdout)


def build_wheel(package: str, folder: Path) -> Path:
    """Build the wheel of a package as `pip install packages/NAME` does, but without network.

    Args:
        package: a directory below `packages/`.
        folder: for the wheel and a copy of the sources; it may exist.
    """
    source = folder / "sources" / package
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "tests")
    shutil.copytree(ROOT / "packages" / package, source, ignore=ignored)
    build = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
    printed = _checked([sys.executable, "-c", build, str(folder)], cwd=source)
    return folder / printed.splitlines()[-1]


def _environment(folder: Path, package: str, others: Sequence[Path]) -> Path:
    """Make the environment; returns its Python."""
    uv = str(Path(sys.executable).parent / "uv")
    environment = folder / "environment"
    python = environment / "bin" / "python"
    base = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    versions = folder / "versions.txt"
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    versions.write_text("\n".join(re.findall(r"^[a-z][^\\\n]*", lock, flags=re.MULTILINE)) + "\n", encoding="utf-8")
    quiet = ("--quiet", "--offline")
    _checked([uv, "venv", *quiet, "--no-project", "--python", str(base), str(environment)], cwd=folder)
    pip = [uv, "pip", "install", *quiet, "--python", str(python), "--constraint", str(versions)]
    _checked([*pip, package, *map(str, others)], cwd=folder)
    return python


def _variables(python: Path) -> dict[str, str]:
    outside = [entry for entry in os.environ["PATH"].split(os.pathsep) if not Path(entry).is_relative_to(ROOT)]
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | {"PATH": os.pathsep.join([str(python.parent), *outside])}


def _require_no_repository(python: Path, suite: Path, environment: dict[str, str]) -> None:
    """Raise if the environment's Python finds modules in this repository."""
    program = "import sys; print('\\n'.join(path for path in sys.path if path))"
    paths = _checked([str(python), "-c", program], cwd=suite, env=environment).splitlines()
    found = [path for path in paths if Path(path).is_relative_to(ROOT)]
    if found:
        raise RuntimeError(f"the environment imports from the repository: {', '.join(found)}")


def _checked(command: list[str], *, cwd: Path, env: dict[str, str] | None = None) -> str:
    ran = subprocess.run(command, cwd=cwd, env=env, check=False, capture_output=True, text=True)
    if ran.returncode:
        remedy = "If a wheel is missing in uv's cache, `rm -r .venv && make setup` fetches it."
        raise RuntimeError(f"{' '.join(command)} failed:\n{ran.stdout}{ran.stderr}\n{remedy}")
    return ran.stdout
