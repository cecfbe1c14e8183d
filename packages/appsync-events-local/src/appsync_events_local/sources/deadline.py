"""The time limit of data sources, and the error that a handler sees after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from appsync_events_local.sources.data_source import DataSourceError

DATA_SOURCE_SECONDS: Final = 28.0
"""Time limit of a data source, in seconds: below the limit of the request, so that `response` can still decide."""


@asynccontextmanager
async def deadline(service: str) -> AsyncIterator[None]:
    """Apply the time limit to the body of a `with` statement.

    Args:
        service: first part of the error's type, such as `Lambda`.

    Raises:
        DataSourceError: the time limit was exceeded; type and text are those observed for resolvers.
    """
    try:
        async with asyncio.timeout(DATA_SOURCE_SECONDS):
            yield
    except TimeoutError as error:
        raise DataSourceError(f"{service}:ExecutionTimeoutException", "Execution timed out.") from error
