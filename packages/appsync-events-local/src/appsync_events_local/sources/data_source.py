"""The interface of data sources, and the error that a handler sees as `ctx.error`."""

from __future__ import annotations

from typing import Any, Protocol


class DataSource(Protocol):
    """Executes the request objects that a handler's ``request`` function returns."""

    async def execute(self, request: dict[str, Any]) -> Any:
        """Execute one request and return ``ctx.result``.

        Raises:
            DataSourceError: the data source refused the request, or failed.
        """


class DataSourceError(Exception):
    """A data source refused a request or failed; the handler's ``response`` sees it as ``ctx.error``.

    Attributes:
        type: for example ``DynamoDB:ConditionalCheckFailedException``.
        message: text of the failure.
        result: ``ctx.result`` in addition to the error, for example the reasons of a cancelled transaction.
    """

    def __init__(self, type: str, message: str, result: Any = None) -> None:
        super().__init__(message)
        self.type = type
        self.message = message
        self.result = result
