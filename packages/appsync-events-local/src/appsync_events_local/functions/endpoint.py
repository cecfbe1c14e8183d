"""Invokes functions through a Lambda API: that of an emulator (SAM, LocalStack, ministack) or of AWS."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from appsync_events_local.aws_clients import Credentials, aws_client
from appsync_events_local.functions.invoker import (
    FunctionTimeoutError,
    FunctionUnavailableError,
    InvocationResult,
    UnknownFunctionError,
)

READ_SECONDS: Final = 30
"""Equal to the time limit of one request of the service; a later answer would not be used."""
ATTEMPTS: Final = 1
"""Calls are not repeated, because the function may have had its effects when the response is lost."""
THREADS: Final = 16


class LambdaEndpoint:
    """A `FunctionInvoker` over one endpoint.

    Args:
        endpoint_url: address of the Lambda API.
        region: AWS region of functions that are named without an ARN.
        credentials: used to sign calls.
    """

    def __init__(self, endpoint_url: str, *, region: str, credentials: Credentials) -> None:
        self._endpoint_url = endpoint_url
        self._region = region
        self._credentials = credentials
        self._clients: dict[str, Any] = {}
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="lambda-endpoint")

    async def invoke(self, function: str, payload: bytes, *, asynchronous: bool) -> InvocationResult:
        """See `FunctionInvoker.invoke`."""
        client = self._client_for(function)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _invoke, client, function, payload, asynchronous)

    def close(self) -> None:
        """Close the threads and connections; blocks until calls in progress have ended."""
        self._threads.shutdown(wait=True)
        for client in self._clients.values():
            client.close()

    def _client_for(self, function: str) -> Any:
        parts = function.split(":")
        region = parts[3] if parts[0] == "arn" and len(parts) > 3 else self._region
        if region not in self._clients:
            self._clients[region] = aws_client(
                "lambda",
                region=region,
                endpoint_url=self._endpoint_url,
                credentials=self._credentials,
                connections=THREADS,
                read_seconds=READ_SECONDS,
                attempts=ATTEMPTS,
            )
        return self._clients[region]


def _invoke(client: Any, function: str, payload: bytes, asynchronous: bool) -> InvocationResult:
    kind = "Event" if asynchronous else "RequestResponse"
    try:
        answer: dict[str, Any] = client.invoke(FunctionName=function, Payload=payload, InvocationType=kind)
        return InvocationResult(answer["Payload"].read(), answer.get("FunctionError"))
    except ReadTimeoutError as error:
        raise FunctionTimeoutError(function, f"no answer within {READ_SECONDS} s") from error
    except ClientError as error:
        code = error.response["Error"]["Code"]
        message = error.response["Error"].get("Message", code)
        if code == "ResourceNotFoundException":
            raise UnknownFunctionError(function, message) from error
        raise FunctionUnavailableError(function, f"{code}: {message}") from error
    except BotoCoreError as error:
        raise FunctionUnavailableError(function, f"the Lambda endpoint cannot be reached: {error}") from error
