"""The examples of the README run as they are written, one after the other, on a free port."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

README: Final = Path(__file__).resolve().parents[2] / "README.md"
BLOCK: Final = re.compile(r"^```(\w+)( start)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED: Final = re.compile(r"^(?:#|//) (\S+\.\w+)\n")
DEFAULT_PORT: Final = "4570"
START_SECONDS: Final = 30


def _blocks() -> list[tuple[str, bool, str]]:
    """Return language, whether it starts the service, and text of the blocks that can run."""
    return [(kind, bool(start), text) for kind, start, text in BLOCK.findall(README.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the examples, with the files that the README names."""
    folder = tmp_path_factory.mktemp("readme")
    for kind, _, text in _blocks():
        if kind in ("yaml", "js") and (named := NAMED.match(text)):
            (folder / named[1]).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def service(folder: Path, port: str, environment: dict[str, str]) -> Iterator[None]:
    [command] = [text for kind, start, text in _blocks() if kind == "sh" and start]
    with (folder / "service.log").open("wb") as log:
        process = subprocess.Popen(
            [*command.split(), "--port", port], cwd=folder, env=environment, stdout=log, stderr=log
        )
    try:
        _await_healthy(f"http://127.0.0.1:{port}/_control/health", process, folder / "service.log")
        yield
    finally:
        process.terminate()
        process.wait(20)


def _await_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - loopback
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the service did not start:\n{log.read_text(errors='replace')[-2000:]}")


@pytest.mark.parametrize(
    "number", [number for number, (kind, start, _) in enumerate(_blocks()) if kind == "sh" and not start]
)
@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples use curl")
def test_a_shell_example_succeeds(
    number: int, service: None, folder: Path, port: str, environment: dict[str, str]
) -> None:
    script = _blocks()[number][2].replace(f"localhost:{DEFAULT_PORT}", f"localhost:{port}")
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("number", [number for number, (kind, _, _) in enumerate(_blocks()) if kind == "python"])
def test_a_python_example_succeeds(number: int, folder: Path, environment: dict[str, str]) -> None:
    program = [sys.executable, "-W", "error", "-c", _blocks()[number][2]]
    ran = subprocess.run(program, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr


def test_the_readme_has_examples_of_each_kind() -> None:
    kinds = [kind for kind, _, _ in _blocks()]
    assert (kinds.count("sh"), kinds.count("python"), kinds.count("yaml"), kinds.count("js")) >= (5, 1, 1, 1)
