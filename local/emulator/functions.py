"""Processes of Lambda functions: their credentials, which process made which call, and faults of invocations."""

from __future__ import annotations

import logging
import secrets
import threading
import time
import weakref
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.emulator.credentials import CredentialStore
from local.emulator.faults import Call, FaultSwitches

_LOGGER = logging.getLogger("local.functions")

_PROCESS_VARIABLE = "AWS_SDK_UA_APP_ID"
"""An SDK setting whose value every AWS SDK puts into its User-Agent as `app/VALUE`: it names the process."""


class FunctionProcesses:
    """Gives every function process its keys and a name, and finds it again by that name."""

    def __init__(self, store: CredentialStore, faults: FaultSwitches) -> None:
        self._store = store
        self._faults = faults
        self._spawning = threading.local()
        self._workers: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()

    def install(self) -> None:
        """Wrap the spawning of processes and the calls of functions."""
        spawn, invoke = lambda_runtime.Worker._spawn, lambda_runtime.Worker.invoke
        processes = self

        def spawn_with_name(worker: Any) -> None:
            processes._spawning.worker = worker
            try:
                spawn(worker)
            finally:
                processes._spawning.worker = None

        def invoke_with_faults(worker: Any, event: Any, request_id: str, **options: Any) -> dict[str, Any]:
            return processes._invoke(invoke, worker, event, request_id, options)

        lambda_runtime.Worker._spawn = spawn_with_name
        lambda_runtime.Worker.invoke = invoke_with_faults
        lambda_runtime.execution_credentials = self._variables
        lambda_svc.execution_credentials = self._variables

    def function_of(self, access_key_id: str) -> str | None:
        """Name of the function that holds an access key, or None."""
        return self._store.function_of(access_key_id)

    def kill(self, user_agent: str) -> bool:
        """End the process that sent a request with this User-Agent.

        Returns:
            Whether such a process was found.
        """
        for part in user_agent.split():
            if part.startswith("app/"):
                worker = self._workers.get(part.removeprefix("app/"))
                if worker is not None:
                    return _kill(worker)
        return False

    def _variables(self, config: dict[str, Any]) -> dict[str, str]:
        """What a function's process finds in its environment besides its own variables."""
        arn = config.get("FunctionArn", "")
        variables = self._store.for_function(arn, config.get("Role", "")).environment()
        worker = getattr(self._spawning, "worker", None)
        if worker is not None:
            name = f"process-{secrets.token_hex(8)}"
            self._workers[name] = worker
            variables[_PROCESS_VARIABLE] = name
        return variables

    def _invoke(self, invoke: Any, worker: Any, event: Any, request_id: str, options: dict[str, Any]) -> dict[str, Any]:
        call = Call("lambda", "Invoke", worker.config.get("FunctionName"))
        rule = self._faults.strike(call) if self._faults.active else None
        if rule is None:
            result: dict[str, Any] = invoke(worker, event, request_id, **options)
            return result
        _LOGGER.warning("fault: %s %s of %s", rule.effect, rule.when, call.function)
        if rule.effect == "delay":
            time.sleep(rule.delay_ms / 1000)
            delayed: dict[str, Any] = invoke(worker, event, request_id, **options)
            return delayed
        if rule.when == "after":
            invoke(worker, event, request_id, **options)
        if rule.effect == "kill":
            _kill(worker)
            return {"status": "error", "error": "Worker process died", "log": "", "cold_start": False}
        return {"status": "error", "error": rule.error("lambda")[1], "log": "", "cold_start": False}


def _kill(worker: Any) -> bool:
    process = worker._proc
    if process is None or process.poll() is not None:
        return False
    process.kill()
    # Reaped at once: the next call of this function must see that it is gone, not write to a dying pipe.
    process.wait()
    return True
