"""Processes of functions stand still between invocations, and die at once.

AWS Lambda developer guide, "Understanding the Lambda execution environment lifecycle": Lambda freezes the environment
when the runtime has completed; background processes resume with the next invocation.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime

from local.emulator.strict.rules.functions import FunctionSwitches


def install(rules: Callable[[], FunctionSwitches]) -> None:
    """Wrap the processes of ministack's functions.

    Args:
        rules: returns the present rules.
    """
    invoke, spawn_early = lambda_runtime.Worker.invoke, lambda_runtime.ensure_spawned

    def invoke_thawed(worker: Any, event: Any, request_id: str, **options: Any) -> dict[str, Any]:
        _send(worker, signal.SIGCONT)
        try:
            result: dict[str, Any] = invoke(worker, event, request_id, **options)
            return result
        finally:
            freeze(worker)

    def spawn_frozen(worker: Any) -> None:
        _send(worker, signal.SIGCONT)
        spawn_early(worker)
        freeze(worker)

    def freeze(worker: Any) -> None:
        if rules().frozen_processes:
            _send(worker, signal.SIGSTOP)

    lambda_runtime.Worker.invoke = invoke_thawed
    lambda_runtime.ensure_spawned = spawn_frozen
    lambda_runtime._signal = _kill
    lambda_runtime.subprocess = _ProcessGroups()


class _ProcessGroups:
    """`subprocess` for the processes of functions: each leads a process group of its own.

    The kernel ends a stopped process whose group has lost its parent (SIGHUP and SIGCONT; POSIX, `_exit`), so none
    outlives an emulator that was killed. A stopped process of the emulator's own group would stay for ever.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    def Popen(self, *arguments: Any, **options: Any) -> subprocess.Popen[Any]:  # noqa: N802 - the module's own name
        return subprocess.Popen(*arguments, **{"process_group": 0, **options})


def _send(worker: Any, number: int) -> None:
    process = worker._proc
    if process is not None and process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


def _kill(process: Any) -> None:
    """End a process as Lambda does: without warning. A stopped process would also not hear one."""
    if process is not None and process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
