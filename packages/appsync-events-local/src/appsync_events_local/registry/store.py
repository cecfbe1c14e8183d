"""Stores the registrations in one JSON file, replaced atomically, so that a crash leaves the old or the new version."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any, Final

VERSION: Final = 1
FILE_NAME: Final = "event-apis.json"


class RegistryError(Exception):
    """The registry file cannot be used; the message contains the remedy."""


class InUseError(Exception):
    """A data source cannot be deleted because a namespace uses it."""


class UnknownError(Exception):
    """The API of a registration is not registered."""


class Registry:
    """The registrations as received, by API id.

    Each entry holds `definition` (the body of the API), `dataSources`, `namespaces` and `keys` (bodies by name).

    Args:
        folder: folder of the file, created if it does not exist; `None` stores nothing on disk.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / FILE_NAME
        self.apis: dict[str, dict[str, Any]] = {}

    def load(self) -> None:
        """Read the registrations of an earlier process.

        Raises:
            RegistryError: the file cannot be read, or has another version.
        """
        if self._path is None:
            return
        try:
            document = json.loads(self._path.read_text())
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            raise RegistryError(f"{self._path} cannot be read ({error}); delete it and deploy again") from error
        if not isinstance(document, dict) or document.get("version") != VERSION:
            raise RegistryError(f"{self._path} does not have version {VERSION}; delete it and deploy again")
        self.apis = document["apis"]

    async def replace(self, apis: dict[str, dict[str, Any]]) -> None:
        """Replace the registrations; they are on disk when this returns.

        Raises:
            OSError: the file cannot be written; the earlier registrations stay.
        """
        if self._path is not None:
            await asyncio.to_thread(_write, self._path, apis)
        self.apis = apis


def stamped(earlier: dict[str, Any] | None, body: dict[str, Any], now: float) -> dict[str, Any]:
    """Return the body with the times (seconds since the epoch) of its first and its last registration."""
    created = (earlier or {}).get("created", now)
    return {**body, "created": created, "lastModified": now}


def _write(path: Path, apis: dict[str, dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    content = json.dumps({"version": VERSION, "apis": apis}, indent=1)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
