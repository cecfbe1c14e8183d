"""All functions that the service can invoke: those of its templates, then those behind a Lambda endpoint."""

from __future__ import annotations

import asyncio
from typing import Final

from appsync_events_local.aws_clients import LOCAL_CREDENTIALS
from appsync_events_local.functions.chain import InvokerChain
from appsync_events_local.functions.endpoint import LambdaEndpoint
from appsync_events_local.functions.invoker import InvocationResult
from appsync_events_local.functions.runner import FunctionRunner

DEFAULT_REGION: Final = "us-east-1"


class AvailableFunctions:
    """A `FunctionInvoker` for all available functions.

    Args:
        aws_endpoint: address of emulated AWS services, passed to local functions as `AWS_ENDPOINT_URL`; `None` if there
            are none.
        lambda_endpoint: address of a Lambda API for functions that do not run locally; `None` uses `aws_endpoint`.

    Attributes:
        runner: runs the functions of templates; set them with `runner.replace`.
    """

    def __init__(self, aws_endpoint: str | None, lambda_endpoint: str | None = None) -> None:
        environment = {} if aws_endpoint is None else {"AWS_ENDPOINT_URL": aws_endpoint}
        self.runner = FunctionRunner(environment=environment)
        address = lambda_endpoint or aws_endpoint
        self._endpoint = (
            None if address is None else LambdaEndpoint(address, region=DEFAULT_REGION, credentials=LOCAL_CREDENTIALS)
        )
        self._chain = InvokerChain([self.runner, *([] if self._endpoint is None else [self._endpoint])])

    async def invoke(self, function: str, payload: bytes, *, asynchronous: bool) -> InvocationResult:
        """See `FunctionInvoker.invoke`."""
        return await self._chain.invoke(function, payload, asynchronous=asynchronous)

    async def close(self) -> None:
        """End the local processes, and close the connections."""
        await self.runner.close()
        if self._endpoint is not None:
            await asyncio.to_thread(self._endpoint.close)
