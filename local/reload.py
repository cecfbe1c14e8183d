"""Watches the sources while the local cloud runs: a saved file is deployed, or the page is built again.

A change of the CDK app's inputs (handlers, contract, JavaScript handlers, stacks, environments) repeats the synthesis
and the deployment; functions run the new code from their next call on. A change of the page repeats its build; the
page's server forbids caching, so a reload in the browser shows it. A change that fails is reported, and the cloud goes
on with what it had.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from watchfiles import watch

from local.deploy import SOURCES, is_input
from local.steps import StepError, Steps

PAGE_SOURCES: Final = ("web/src", "web/index.html", "contract/generated/types.ts")
"""What the page is built from, below the project."""
_PAGE_SUFFIXES: Final = frozenset({".ts", ".tsx", ".css", ".html"})
SETTLING_MS: Final = 400
"""An editor or a checkout writes several files; changes within this time are handled together."""
_BUILD_SECONDS: Final = 60

logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it logs every file, watched or not


class Reloader:
    """Applies saved changes to a running local cloud, in a thread of its own.

    Args:
        project: folder of the CDK app and the page.
        steps: prints what happens.
        deploy: synthesises and deploys what changed; raises `StepError` where that fails.
        page: whether the page is served.
    """

    def __init__(self, project: Path, steps: Steps, deploy: Callable[[], None], *, page: bool) -> None:
        self._project = project
        self._steps = steps
        self._deploy = deploy
        self._page = page
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reload", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; a change that is being deployed is finished first."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def apply(self, changed: Iterable[Path]) -> None:
        """Deploy or build what some changed files belong to, and report what failed.

        Args:
            changed: absolute paths of files that were written or removed.
        """
        names = {path.relative_to(self._project).as_posix() for path in changed}
        for affected, action in ((_deployed, self._deploy), (_built if self._page else _never, self._build)):
            hit = sorted(name for name in names if affected(name))
            if hit:
                self._attempt(hit, action)

    def _attempt(self, names: list[str], action: Callable[[], None]) -> None:
        self._steps.say(f"changed: {', '.join(names[:3])}{' …' if len(names) > 3 else ''}")
        try:
            action()
        except StepError as error:
            self._steps.say(f"The change was not applied; the cloud runs on what was deployed before.\n{error}")

    def _build(self) -> None:
        with self._steps.step("build the web page"):
            built = subprocess.run(
                [str(Path(sys.executable).with_name("npm")), "run", "--silent", "build:web"],
                cwd=self._project,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=_BUILD_SECONDS,
                check=False,
            )
            if built.returncode != 0:
                raise StepError("the page does not build", "fix the file; saving it builds again", built.stdout)

    def _run(self) -> None:
        paths = list(_watched(self._project))
        for changes in watch(*paths, step=SETTLING_MS, stop_event=self._stop, yield_on_timeout=False):
            self.apply(Path(path) for _, path in changes)


def _watched(project: Path) -> Iterator[Path]:
    return (path for name in (*SOURCES, "web/src", "web/index.html") if (path := project / name).exists())


def _deployed(name: str) -> bool:
    return is_input(name)


def _built(name: str) -> bool:
    return name.startswith(PAGE_SOURCES) and PurePosixPath(name).suffix in _PAGE_SUFFIXES


def _never(name: str) -> bool:
    return False
