"""The time a data source may take, and how a handler is told that it took longer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from appsync_events_local.sources.data_source import DataSourceError

DATA_SOURCE_SECONDS: Final = 28.0
"""Longest time a data source may take, in seconds: below the limit of the whole request, so that `response` decides."""


@asynccontextmanager
async def deadline(service: str) -> AsyncIterator[None]:
    """Limit what is done inside.

    Args:
        service: first part of the error's type, such as `Lambda`.

    Raises:
        DataSourceError: it took too long; type and text are those seen of resolvers.
    """
    try:
        async with asyncio.timeout(DATA_SOURCE_SECONDS):
            yield
    except TimeoutError as error:
        raise DataSourceError(f"{service}:ExecutionTimeoutException", "Execution timed out.") from error
