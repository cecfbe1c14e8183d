"""Puts the fork server, the shared code and the order of calls into ministack."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from ministack.core import lambda_runtime

from local.emulator.workers.fork_server import ForkedProcess, ForkFailedError, ForkServer
from local.emulator.workers.shared_code import SharedCode
from local.emulator.workers.turns import Turns

_LOGGER = logging.getLogger("local.workers")


def install() -> ForkServer:
    """Start the fork server, and let the processes of Python functions come from it.

    Call it once TMPDIR is that of the state directory.
    """
    server = ForkServer()
    server.start()
    lambda_runtime.subprocess = _Subprocess(lambda_runtime.subprocess, server)
    lambda_runtime.zipfile = SharedCode()
    Turns().install()
    return server


class _Subprocess:
    """`subprocess` as ministack's Lambda sees it: a Python script is run by the fork server, all else as before."""

    def __init__(self, module: Any, server: ForkServer) -> None:
        self._module, self._server = module, server

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def Popen(self, command: Sequence[str], **options: Any) -> subprocess.Popen[Any] | ForkedProcess:  # noqa: N802
        """Start a process; the name is that of the module that this stands for."""
        if command[0] == sys.executable and len(command) == 2:
            try:
                return self._server.spawn(command[1], options["cwd"], options["env"])
            except ForkFailedError as error:
                _LOGGER.warning("%s; starting an interpreter in its place", error)
        process: subprocess.Popen[Any] = self._module.Popen(command, **options)
        return process
