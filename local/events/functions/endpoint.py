"""Invokes functions through a Lambda API: that of an emulator (SAM, LocalStack, ministack) or of AWS."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from local.events.functions.invoker import (
    FunctionTimeoutError,
    FunctionUnavailableError,
    Invocation,
    UnknownFunctionError,
)
from local.events.runtime.dynamodb import Credentials

CONNECT_SECONDS: Final = 2
READ_SECONDS: Final = 60
"""Longer than the service waits for any handler, so that its own limit is what a caller sees."""
ATTEMPTS: Final = 1
"""A function may have had its effects when an answer is lost, so a call is never repeated here."""
THREADS: Final = 16


class LambdaEndpoint:
    """A `FunctionInvoker` over one endpoint.

    Args:
        endpoint_url: address of the Lambda API.
        region: AWS region of the functions.
        credentials: with which calls are signed.
    """

    def __init__(self, endpoint_url: str, *, region: str, credentials: Credentials) -> None:
        self._client = botocore.session.Session().create_client(
            "lambda",
            region_name=region,
            endpoint_url=endpoint_url,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
                max_pool_connections=THREADS,
            ),
        )
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="lambda-endpoint")

    async def invoke(self, function: str, payload: bytes, *, asynchronous: bool) -> Invocation:
        """See `FunctionInvoker.invoke`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._invoke, function, payload, asynchronous)

    def close(self) -> None:
        """End the threads and connections; blocks until calls under way have ended."""
        self._threads.shutdown(wait=True)
        self._client.close()

    def _invoke(self, function: str, payload: bytes, asynchronous: bool) -> Invocation:
        kind = "Event" if asynchronous else "RequestResponse"
        try:
            answer: dict[str, Any] = self._client.invoke(FunctionName=function, Payload=payload, InvocationType=kind)
            return Invocation(answer["Payload"].read(), answer.get("FunctionError"))
        except ReadTimeoutError as error:
            raise FunctionTimeoutError(function, f"no answer within {READ_SECONDS} s") from error
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ResourceNotFoundException":
                raise UnknownFunctionError(function, error.response["Error"].get("Message", code)) from error
            raise FunctionUnavailableError(function, f"{code}: {error.response['Error'].get('Message', '')}") from error
        except BotoCoreError as error:
            raise FunctionUnavailableError(function, f"the Lambda endpoint cannot be reached: {error}") from error
