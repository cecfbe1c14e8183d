"""`python -m tests.harness.emulator_process`: the emulator, which also answers several AWS requests in one.

Every test creates a dozen tables and queues of its own, for which the HTTP requests take longer than the creation.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from local.emulator.settings import configure_ministack, parse_arguments

BATCH_PATH: Final = "/_tests/requests"
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class RequestBatches:
    """An ASGI application in front of the emulator's own.

    `POST /_tests/requests`, body `[[target, parameters], …]`: runs the requests one after the other, and answers the
    list `[[status, response], …]`. A target is the header `x-amz-target` of the JSON protocol.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a batch, pass on everything else."""
        if scope["type"] != "http" or scope["path"] != BATCH_PATH:
            await self._application(scope, receive, send)
            return
        requests = json.loads(await _read(receive))
        answers = [await self._run(scope, target, json.dumps(parameters).encode()) for target, parameters in requests]
        body = json.dumps(answers).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _run(self, scope: Scope, target: str, body: bytes) -> tuple[int, Any]:
        kept = [each for each in scope["headers"] if each[0] in (b"host", b"authorization")]
        headers = [
            *kept,
            (b"x-amz-target", target.encode()),
            (b"content-type", b"application/x-amz-json-1.0"),
            (b"content-length", str(len(body)).encode()),
        ]
        answered: dict[str, Any] = {"body": b""}

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def collect(message: MutableMapping[str, Any]) -> None:
            answered["status"] = message.get("status", answered.get("status"))
            answered["body"] += message.get("body", b"")

        inner = {**scope, "path": "/", "raw_path": b"/", "query_string": b"", "headers": headers}
        await self._application(inner, receive, collect)
        return answered["status"], json.loads(answered["body"] or b"null")


async def _read(receive: Receive) -> bytes:
    content, more = b"", True
    while more:
        message = await receive()
        content += message.get("body", b"")
        more = message.get("more_body", False)
    return content


def main() -> None:
    """Start the emulator as `python -m local.emulator` does."""
    settings = parse_arguments()
    configure_ministack(settings)
    from local.emulator.launch import build, serve

    serve(settings, RequestBatches(build(settings)))


if __name__ == "__main__":
    main()
