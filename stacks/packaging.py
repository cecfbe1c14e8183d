"""Builds the Lambda package: the sources and the wheels of handlers/requirements.lock, reproducible on every machine.

`python -m stacks.packaging prepare [--platform arm64|host]` downloads the wheels into `.build/`; only this step needs a
network. The synthesis copies wheels and sources into one directory and needs neither network nor Docker.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

Platform = Literal["arm64", "host"]

ROOT: Final = Path(__file__).resolve().parent.parent
PYTHON: Final = "3.13"
"""Python version of the Lambda runtime."""
ASSET_BYTES_MAX: Final = 8_000_000
"""Largest unzipped package; the cold start of a function takes longer with every byte that it loads."""
_DOWNLOAD_SECONDS: Final = 300
_DIGEST_FILE: Final = ".lock-digest"


class PackagingError(Exception):
    """The wheels are missing, stale or cannot be downloaded, or the package is too large; the message gives the fix."""


@dataclass(frozen=True)
class Asset:
    """A directory that Lambda can run, and the digest of its content."""

    path: Path
    digest: str


def prepare(platform: Platform, root: Path = ROOT) -> Path:
    """Install the locked wheels of one platform into `.build/wheels-{platform}`, replacing the existing ones.

    Raises:
        PackagingError: pip cannot install them; the message ends with the last lines of pip.
    """
    target = _wheels(platform, root)
    target.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        fresh = Path(scratch) / "wheels"
        _install(platform, root, fresh)
        (fresh / _DIGEST_FILE).write_text(_lock_digest(platform, root), encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        fresh.replace(target)
    return target


def build(platform: Platform, root: Path = ROOT) -> Asset:
    """Copy sources and wheels into `.build/asset-{platform}-{digest}`, unless that directory exists.

    Names, order, modes and contents do not depend on machine, directory, time or umask.

    Raises:
        PackagingError: the wheels are missing or do not match the lock file, or the package is too large.
    """
    wheels = _wheels(platform, root)
    _check_wheels(platform, root, wheels)
    contents = dict(sorted([*_sources(root), *_wheel_files(wheels)]))
    if (size := sum(len(data) for data in contents.values())) > ASSET_BYTES_MAX:
        raise PackagingError(
            f"The Lambda package has {size:,} bytes; at most {ASSET_BYTES_MAX:,} are allowed, because larger functions "
            "start too slowly. Remove a dependency from handlers/requirements.txt."
        )
    digest = _digest(contents)
    target = root / ".build" / f"asset-{platform}-{digest[:16]}"
    if not target.exists():
        _write(contents, target)
    return Asset(target, digest)


def _install(platform: Platform, root: Path, target: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-compile", "--no-deps", "--only-binary=:all:", "--require-hashes", "--target", str(target)]
    if platform == "arm64":
        command += ["--platform", "manylinux2014_aarch64", "--platform", "manylinux_2_28_aarch64"]
        command += ["--implementation", "cp", "--python-version", PYTHON]
    command += ["--requirement", str(_lock(root))]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_DOWNLOAD_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise PackagingError(
            f"pip did not finish within {_DOWNLOAD_SECONDS} s. Check the network and the package index, then repeat."
        ) from error
    except subprocess.CalledProcessError as error:
        tail = "\n".join(error.stderr.strip().splitlines()[-8:])
        raise PackagingError(f"pip could not install {_lock(root).name} for {platform}:\n{tail}") from error


def _check_wheels(platform: Platform, root: Path, wheels: Path) -> None:
    digest_file = wheels / _DIGEST_FILE
    remedy = f"Run: python -m stacks.packaging prepare --platform {platform}"
    if not digest_file.is_file():
        raise PackagingError(f"The wheels of the Lambda functions for {platform} are missing. {remedy}")
    if digest_file.read_text(encoding="utf-8") != _lock_digest(platform, root):
        raise PackagingError(f"The wheels for {platform} do not match handlers/requirements.lock. {remedy}")


def _sources(root: Path) -> Iterator[tuple[str, bytes]]:
    for directory in ("contract", "handlers"):
        for path in (root / directory).rglob("*.py"):
            yield path.relative_to(root).as_posix(), path.read_bytes()


def _wheel_files(wheels: Path) -> Iterator[tuple[str, bytes]]:
    for path in wheels.rglob("*"):
        relative = path.relative_to(wheels)
        is_excluded = (
            relative.parts[0] == "bin"
            or relative.parts[0].endswith(".dist-info")
            or not {"__pycache__", "tests"}.isdisjoint(relative.parts)
        )
        if path.is_file() and not is_excluded and path.suffix != ".pyi" and path.name != _DIGEST_FILE:
            yield relative.as_posix(), path.read_bytes()


def _write(contents: dict[str, bytes], target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        directory = Path(scratch) / "asset"
        for name, data in contents.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(0o644)
        for path in [directory, *directory.rglob("*/")]:
            path.chmod(0o755)
        try:
            directory.replace(target)
        except OSError:
            if not target.is_dir():  # otherwise another process wrote the same bytes first
                raise


def _digest(contents: dict[str, bytes]) -> str:
    total = hashlib.sha256()
    for name, data in contents.items():
        total.update(f"{name}\0{len(data)}\0".encode())
        total.update(data)
    return total.hexdigest()


def _lock(root: Path) -> Path:
    return root / "handlers" / "requirements.lock"


def _wheels(platform: Platform, root: Path) -> Path:
    return root / ".build" / f"wheels-{platform}"


def _lock_digest(platform: Platform, root: Path) -> str:
    interpreter = (
        PYTHON if platform == "arm64" else f"{sys.implementation.cache_tag}-{sys.platform}-{os.uname().machine}"
    )
    return hashlib.sha256(_lock(root).read_bytes() + interpreter.encode()).hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; print the error and return 1 if it failed."""
    parser = argparse.ArgumentParser(prog="python -m stacks.packaging", description=__doc__)
    command = parser.add_subparsers(dest="command", required=True).add_parser("prepare", help="download the wheels")
    command.add_argument("--platform", choices=get_args(Platform), default="arm64")
    chosen = parser.parse_args(arguments)
    try:
        print(f"wheels: {prepare(chosen.platform).relative_to(ROOT)}")
    except PackagingError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
