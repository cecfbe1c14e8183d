"""All functions that an instance of the service can invoke: those of its templates, then those behind an endpoint."""

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
    """A `FunctionInvoker` over everything there is.

    Args:
        aws_endpoint: emulated AWS services, which functions that run here get as `AWS_ENDPOINT_URL`; `None`: none.
        lambda_endpoint: address of a Lambda API for functions that do not run here; `None` takes `aws_endpoint`.

    Attributes:
        runner: runs the functions of templates; tell it which there are with `runner.replace`.
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
        """End the processes that run here, and the connections."""
        await self.runner.close()
        if self._endpoint is not None:
            await asyncio.to_thread(self._endpoint.close)
