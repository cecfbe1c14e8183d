"""The fork server: a Python process that has imported the AWS SDK, and forks for every process of a function.

A new interpreter needs about 0.6 s of processor time for the SDK, which Lambda's runtime brings and no
function changes. Everything of the function itself is imported after the fork, so each process still initialises
itself as an execution environment does. Run by `local.emulator.workers.fork_server` with a Unix socket as its only
argument; it ends with the process at the other end.

A request is its length in four bytes, then JSON, with the file descriptors of stdin, stdout and stderr. Answers are
lines of JSON: `{"started": pid}`, later `{"ended": pid, "status": returncode}`.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any, Final

MODULES: Final = (
    "botocore.session",
    "botocore.handlers",
    "botocore.client",
    "botocore.config",
    "botocore.args",
    "botocore.auth",
    "botocore.credentials",
    "botocore.endpoint",
    "botocore.endpoint_provider",
    "botocore.httpsession",
    "botocore.paginate",
    "botocore.parsers",
    "botocore.regions",
    "botocore.retries.standard",
    "botocore.serialize",
    "botocore.signers",
    "botocore.waiter",
    "concurrent.futures.thread",
    "http.client",
    "ipaddress",
    "uuid",
)
"""What is imported before the fork: the SDK, and modules of the standard library."""
LENGTH_BYTES: Final = 4
_CHUNK_BYTES: Final = 64 * 1024
_PRELOADED_PACKAGES: Final = ("botocore", "urllib3", "jmespath", "dateutil", "six.py")


def main() -> None:
    """Serve until the other end of the socket is closed."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    for name in MODULES:
        importlib.import_module(name)
    gc.freeze()  # the collector must not write into the pages that all processes share
    wakeup_reader, wakeup_writer = os.pipe()
    os.set_blocking(wakeup_writer, False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(wakeup_writer, warn_on_full_buffer=False)
    selector = selectors.DefaultSelector()
    selector.register(connection, selectors.EVENT_READ)
    selector.register(wakeup_reader, selectors.EVENT_READ)
    while True:
        ready = {key.fd for key, _ in selector.select()}
        if wakeup_reader in ready:
            os.read(wakeup_reader, 4096)
            _report_ends(connection)
        if connection.fileno() in ready:
            request, descriptors = _receive(connection)
            if not request:
                return
            pid = os.fork()
            if pid == 0:
                selector.close()
                for descriptor in (wakeup_reader, wakeup_writer):
                    os.close(descriptor)
                connection.close()
                _become_function(json.loads(request), descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
            _answer(connection, {"started": pid})


def _receive(connection: socket.socket) -> tuple[bytes, list[int]]:
    """Return the next request; an empty one when the other end is closed."""
    content, descriptors, _, _ = socket.recv_fds(connection, _CHUNK_BYTES, 3)
    while content and len(content) < LENGTH_BYTES + int.from_bytes(content[:LENGTH_BYTES]):
        content += connection.recv(_CHUNK_BYTES)
    return content[LENGTH_BYTES:], descriptors


def _report_ends(connection: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _answer(connection, {"ended": pid, "status": os.waitstatus_to_exitcode(status)})


def _answer(connection: socket.socket, document: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(json.dumps(document).encode() + b"\n")


def _become_function(request: dict[str, Any], descriptors: list[int]) -> None:
    """Turn the forked process into a fresh interpreter that runs a script; never returns."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setpgid(0, 0)
        for target, descriptor in enumerate(descriptors):
            os.dup2(descriptor, target)
            os.close(descriptor)
        os.chdir(request["directory"])
        script = str(request["script"])
        if any((Path(request["directory"]) / name).exists() for name in _PRELOADED_PACKAGES):
            # The function brings its own SDK, which must be the one that it imports.
            os.execve(sys.executable, [sys.executable, script], request["environment"])  # noqa: S606
        os.environ.clear()
        os.environ.update(request["environment"])
        time.tzset()
        sys.dont_write_bytecode = False  # the next process of the function need not compile its modules
        sys.argv = [script]
        sys.path[0] = str(Path(script).parent)
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
        runpy.run_path(script, run_name="__main__")
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
