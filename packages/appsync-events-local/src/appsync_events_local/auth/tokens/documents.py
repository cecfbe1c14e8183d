"""Reads the JSON documents of an issuer: its discovery document and its key set."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import aiohttp

from appsync_events_local.errors import internal_failure

FETCH_SECONDS: Final = 3.0
FETCH_ATTEMPTS: Final = 2
DOCUMENT_BYTES: Final = 1024 * 1024


class DocumentReader:
    """Reads documents from addresses and files.

    Args:
        session: returns the HTTP session.
    """

    def __init__(self, session: Callable[[], aiohttp.ClientSession]) -> None:
        self._session = session

    async def read(self, location: str, what: str) -> dict[str, Any]:
        """Return the JSON object at an http(s) address or in a file.

        Args:
            location: the address or path.
            what: name of the document for the log.

        Raises:
            Refusal: it cannot be read, or is not a JSON object; a server fault, so the client may retry.
        """
        problem: Exception | None = None
        for _ in range(FETCH_ATTEMPTS):
            try:
                text = await (
                    self._fetched(location) if "://" in location else asyncio.to_thread(Path(location).read_bytes)
                )
                document = json.loads(text)
                if not isinstance(document, dict):
                    raise ValueError("not a JSON object")
                return document
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                problem = error
        raise internal_failure(f"{what} cannot be fetched from {location}: {problem!r}")

    async def _fetched(self, address: str) -> bytes:
        timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
        async with self._session().get(address, timeout=timeout) as response:
            response.raise_for_status()
            text = await response.content.read(DOCUMENT_BYTES + 1)
            while len(text) <= DOCUMENT_BYTES and (more := await response.content.read(DOCUMENT_BYTES + 1)):
                text += more
        if len(text) > DOCUMENT_BYTES:
            raise ValueError(f"longer than {DOCUMENT_BYTES} bytes")
        return text
