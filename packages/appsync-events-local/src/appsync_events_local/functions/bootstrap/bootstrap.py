"""Main module of a function's process: loads one Python handler and calls it for one event after the other.

Usage: `python bootstrap.py DESCRIPTOR`, the file descriptor of a connected stream socket. Each message is a length in
four bytes, then JSON. The first message sent is `{"ready": true}` or `{"error": ...}`; then one `{"payload": text}` or
`{"error": ...}` for each received `{"event", "requestId", "deadline"}`. No module of the service is imported: the
handler sees only its own code, the installed packages, and its environment.
"""

import importlib
import json
import os
import queue
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any


class LambdaContext:
    """The second argument of a handler."""

    identity = None
    client_context = None

    def __init__(self, request_id: str, deadline: float) -> None:
        variables = os.environ
        self.aws_request_id = request_id
        self.function_name = variables["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = variables["AWS_LAMBDA_FUNCTION_VERSION"]
        self.invoked_function_arn = variables["LOCAL_FUNCTION_ARN"]
        self.memory_limit_in_mb = variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = variables["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = variables["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.time()) * 1000))


def main() -> None:
    connection = socket.socket(fileno=int(sys.argv[1]))
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(connection, requests), daemon=True).start()
    try:
        handler = _load(os.environ["_HANDLER"])
    except BaseException as error:
        kind = "Runtime.ImportModuleError" if isinstance(error, ImportError) else None
        _send(connection, {"error": _described(error, kind)})
        return
    _send(connection, {"ready": True})
    while True:
        _send(connection, _answer(handler, json.loads(requests.get())))


def _receive(connection: socket.socket, requests: queue.SimpleQueue[bytes]) -> None:
    """Queue received messages; end the process when the service has ended, even while a handler runs."""
    stream = connection.makefile("rb")
    while True:
        head = stream.read(4)
        if len(head) < 4:
            os._exit(0)
        requests.put(stream.read(struct.unpack(">I", head)[0]))


def _load(name: str) -> Callable[[Any, LambdaContext], Any]:
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    module_name, _, function = name.rpartition(".")
    if not module_name:
        raise ValueError(f"Bad handler '{name}': it must be module.function")
    module = importlib.import_module(module_name.replace("/", "."))
    if not hasattr(module, function):
        raise AttributeError(f"Handler '{function}' missing on module '{module_name}'")
    handler: Callable[[Any, LambdaContext], Any] = getattr(module, function)
    return handler


def _answer(handler: Callable[[Any, LambdaContext], Any], request: dict[str, Any]) -> dict[str, Any]:
    context = LambdaContext(request["requestId"], request["deadline"])
    try:
        result = handler(json.loads(request["event"]), context)
    except BaseException as error:
        return {"error": _described(error, None)}
    try:
        return {"payload": json.dumps(result, ensure_ascii=False)}
    except (TypeError, ValueError, RecursionError) as error:
        text = f"Unable to marshal response: {error}"
        return {"error": {"errorMessage": text, "errorType": "Runtime.MarshalError", "stackTrace": []}}


def _described(error: BaseException, kind: str | None) -> dict[str, Any]:
    traceback.print_exception(error)
    message = f"Unable to import module '{os.environ['_HANDLER'].rpartition('.')[0]}': {error}" if kind else str(error)
    return {
        "errorMessage": message,
        "errorType": kind or type(error).__name__,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def _send(connection: socket.socket, message: dict[str, Any]) -> None:
    sys.stdout.flush()
    data = json.dumps(message).encode()
    connection.sendall(struct.pack(">I", len(data)) + data)


main()
