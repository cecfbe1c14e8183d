"""What is registered, on disk: one JSON file, replaced as a whole, so that a crash leaves the old or the new one."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any, Final

VERSION: Final = 1
FILE_NAME: Final = "event-apis.json"


class RegistryError(Exception):
    """The registry file cannot be used; the message says what to do."""


class InUseError(Exception):
    """Something cannot be deleted because something else needs it."""


class UnknownError(Exception):
    """A registration belongs to an API that is not registered."""


class Registry:
    """The registrations as they were received, by API id.

    Each entry holds `definition` (the body of the API), `dataSources`, `namespaces` and `keys` (bodies by name).

    Args:
        folder: where the file is kept, made if it does not exist; `None` keeps nothing on disk.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / FILE_NAME
        self.apis: dict[str, dict[str, Any]] = {}

    def load(self) -> None:
        """Read what an earlier process left.

        Raises:
            RegistryError: the file is not ours, or not of this version.
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
            raise RegistryError(f"{self._path} is not of version {VERSION}; delete it and deploy again")
        self.apis = document["apis"]

    async def replace(self, apis: dict[str, dict[str, Any]]) -> None:
        """Make `apis` what is registered; it is on disk when this returns.

        Raises:
            OSError: it cannot be written; what was registered before still is.
        """
        if self._path is not None:
            await asyncio.to_thread(_write, self._path, apis)
        self.apis = apis


def stamped(earlier: dict[str, Any] | None, body: dict[str, Any], now: float) -> dict[str, Any]:
    """The body with the times (seconds since the epoch) at which it was registered first and last."""
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
