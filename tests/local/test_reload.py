"""Saved files are deployed or built while the local cloud runs."""

from __future__ import annotations

import io
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.reload import Reloader
from local.steps import StepError, Steps


class Deployments:
    """Counts deployments, and fails on request."""

    def __init__(self) -> None:
        self.count = 0
        self.failure: StepError | None = None
        self.done = threading.Event()

    def __call__(self) -> None:
        self.count += 1
        self.done.set()
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def deployments() -> Deployments:
    return Deployments()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in ("handlers/entry", "appsync_js", "web/src", "local"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def reloader(project: Path, deployments: Deployments, log: io.StringIO) -> Iterator[Reloader]:
    made = Reloader(project, Steps(log), deployments, page=False)
    yield made
    made.stop()


@pytest.mark.parametrize("name", ["handlers/entry/messages.py", "appsync_js/chats.js", "environments/local.toml"])
def test_a_saved_input_of_the_synthesis_is_deployed(
    name: str, project: Path, reloader: Reloader, deployments: Deployments, log: io.StringIO
) -> None:
    reloader.apply([project / name])
    assert deployments.count == 1
    assert f"changed: {name}\n" in log.getvalue()


@pytest.mark.parametrize(
    "name", ["handlers/entry/.messages.py.swp", "handlers/entry/4913", "handlers/__pycache__/x.py", "local/cloud.py"]
)
def test_other_files_are_not_deployed(
    name: str, project: Path, reloader: Reloader, deployments: Deployments, log: io.StringIO
) -> None:
    reloader.apply([project / name])
    assert (deployments.count, log.getvalue()) == (0, "")


def test_several_saved_files_are_one_deployment(project: Path, reloader: Reloader, deployments: Deployments) -> None:
    reloader.apply([project / "handlers" / f"{number}.py" for number in range(5)])
    assert deployments.count == 1


def test_a_failed_deployment_is_reported_and_the_next_one_is_tried(
    project: Path, reloader: Reloader, deployments: Deployments, log: io.StringIO
) -> None:
    deployments.failure = StepError("the template is refused", "fix the stack")
    reloader.apply([project / "handlers/entry/messages.py"])
    assert "the cloud runs on what was deployed before" in log.getvalue()
    assert "the template is refused\n→ fix the stack" in log.getvalue()
    deployments.failure = None
    reloader.apply([project / "handlers/entry/messages.py"])
    assert deployments.count == 2


def test_a_file_that_is_saved_while_it_watches_is_deployed(
    project: Path, reloader: Reloader, deployments: Deployments
) -> None:
    reloader.start()
    deadline = time.monotonic() + 20
    while not deployments.done.wait(0.5):  # the watch begins a moment after the thread
        assert time.monotonic() < deadline
        (project / "handlers/entry/messages.py").write_text(f"changed = {time.monotonic()}", encoding="utf-8")


@pytest.mark.parametrize(("exit_code", "said"), [(0, "✓ build the web page"), (1, "the page does not build")])
def test_a_saved_page_is_built_again(
    exit_code: int,
    said: str,
    project: Path,
    deployments: Deployments,
    log: io.StringIO,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\nexit {exit_code}\n', encoding="utf-8")
    npm.chmod(npm.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr("sys.executable", str(npm.with_name("python")))
    Reloader(project, Steps(log), deployments, page=True).apply([project / "web/src/main.ts"])
    assert said in log.getvalue()
    assert (tmp_path / "asked").read_text(encoding="utf-8") == "run --silent build:web\n"
    assert deployments.count == 0
