"""`--watch`: applies changed files; connections and subscriptions stay."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Final

from watchfiles import awatch

from appsync_events_local.template import Templates

SETTLING_MS: Final = 300
"""Changes within this time are applied together, because an editor or `cdk synth` writes several files."""
LOOK_BACK_MS: Final = 500
_IGNORED: Final = frozenset({"node_modules", "__pycache__", ".git", ".venv"})

logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it logs every changed file, also unrelated ones

Reload = Callable[[frozenset[Path]], Awaitable[Templates]]


async def watch(templates: Templates, given: Iterable[Path], reload: Reload, stop: asyncio.Event) -> None:
    """Call `reload` with the files that changed, until `stop`.

    Args:
        templates: the served templates; their files are watched.
        given: the paths of the command line, watched even while they cannot be read.
        reload: applies the changed files, and returns the templates.
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
            if missed or _affects(changed, templates, always):
                # Changes between the reading of the files and the first iteration caused no event.
                missed = False
                templates = await reload(changed)
                if _folders(templates, always) != folders or changed & folders:
                    break  # a folder that was created again is not watched any more


def _folders(templates: Templates, always: set[Path]) -> set[Path]:
    files = {file.resolve() for file in templates.files}
    folders = {path.parent for path in (*files, *always)} | always
    for code in code_folders(templates):
        folders |= {code, *(path for path in code.rglob("*") if not _IGNORED & set(path.parts))}
    return {folder for folder in folders if folder.is_dir()}


def code_folders(templates: Templates) -> list[Path]:
    """Return the folders of the functions' code."""
    models = [function.model for function in templates.functions.values() if function.model is not None]
    return [model.code.resolve() for model in models if isinstance(model.code, Path) and model.code.is_dir()]


def _affects(changed: Iterable[Path], templates: Templates, always: Iterable[Path]) -> bool:
    files = {file.resolve() for file in templates.files} | set(always)
    folders = [*(path for path in always if path.is_dir()), *code_folders(templates)]
    return any(path in files or any(path.is_relative_to(folder) for folder in folders) for path in changed)
