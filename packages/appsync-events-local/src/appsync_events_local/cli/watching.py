"""`--watch`: when a file changes, what it holds is served; sockets and subscriptions stay."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Final

from watchfiles import awatch

from appsync_events_local.template import Templates

SETTLING_MS: Final = 300
"""An editor or `cdk synth` writes several files; this long after the first one they are looked at together."""
LOOK_BACK_MS: Final = 500
_IGNORED: Final = frozenset({"node_modules", "__pycache__", ".git", ".venv"})

logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it tells of every file, whether we read it or not

Reload = Callable[[frozenset[Path]], Awaitable[Templates]]


async def watch(templates: Templates, given: Iterable[Path], reload: Reload, stop: asyncio.Event) -> None:
    """Call `reload` with the files that changed, until `stop`.

    Args:
        templates: what is served; its files are watched.
        given: the paths of the command line, watched even while they cannot be read.
        reload: serves what is there now, and gives it.
        stop: ends the watch.
    """
    always = {path.resolve() for path in given}
    while not stop.is_set():
        folders = _folders(templates, always)
        missed = True
        async for changes in awatch(
            *folders, stop_event=stop, recursive=False, debounce=SETTLING_MS, step=50,
            rust_timeout=LOOK_BACK_MS, yield_on_timeout=True,
        ):  # fmt: skip
            changed = frozenset(path for path in (Path(text) for _, text in changes) if path.name not in _IGNORED)
            if missed or _concerned(changed, templates, always):
                # What changed between the reading of the files and the first turn here raised no event.
                missed = False
                templates = await reload(changed)
                if _folders(templates, always) != folders or changed & folders:
                    break  # a folder that was made anew is no longer the one that is watched


def _folders(templates: Templates, always: set[Path]) -> set[Path]:
    files = {file.resolve() for file in templates.files}
    folders = {path.parent for path in (*files, *always)} | always
    for code in code_folders(templates):
        folders |= {code, *(path for path in code.rglob("*") if not _IGNORED & set(path.parts))}
    return {folder for folder in folders if folder.is_dir()}


def code_folders(templates: Templates) -> list[Path]:
    """Where the functions' code lies, as far as it is in folders."""
    models = [function.model for function in templates.functions.values() if function.model is not None]
    return [model.code.resolve() for model in models if isinstance(model.code, Path) and model.code.is_dir()]


def _concerned(changed: Iterable[Path], templates: Templates, always: Iterable[Path]) -> bool:
    files = {file.resolve() for file in templates.files} | set(always)
    folders = [*(path for path in always if path.is_dir()), *code_folders(templates)]
    return any(path in files or any(path.is_relative_to(folder) for folder in folders) for path in changed)
