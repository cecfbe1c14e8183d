"""One quickjs-ng context with the code of one namespace and the limits of a call.

A quickjs context belongs to the thread that created it. The code has been checked and rewritten by
:mod:`appsync_events_local.runtime.compiler`. The module body runs again for every call, so that handlers cannot keep
state between invocations, as on AWS, where an invocation may run on any host.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any, Final

import quickjs

from appsync_events_local.runtime.compiler import LIBRARY, Compiled, javascript
from appsync_events_local.runtime.outcomes import (
    Crashed,
    EarlyReturn,
    Limits,
    LogEntry,
    Outcome,
    OutOfTime,
    Refused,
    Returned,
    Run,
)
from appsync_events_local.runtime.zones import zone_answer

_MAX_QUESTIONS: Final = 64
_SETUP_SECONDS: Final = 5.0


class Sandbox:
    """Runs the exported functions of one module, on one thread."""

    def __init__(self, compiled: Compiled, limits: Limits) -> None:
        self._compiled = compiled
        self._limits = limits
        self._invoke: Any = None
        self._context: Any = None

    def drop(self) -> None:
        """Free the context."""
        self._invoke = self._context = None

    def start(self) -> None:
        """Create the context. It belongs to the calling thread; only that thread may use and drop it.

        Raises:
            quickjs.JSException: the module cannot be loaded.
        """
        self.drop()
        context = quickjs.Context()
        context.set_time_limit(_SETUP_SECONDS)
        for name in (*LIBRARY, "runtime"):
            context.eval(javascript(name))
        context.set("__source", self._compiled.script)
        context.eval(f"__appsync.load(__source, {self._limits.loop_iterations}); __source = undefined;")
        self._invoke = context.eval("__appsync.invoke")
        context.set_memory_limit(self._limits.memory_bytes)
        context.set_max_stack_size(self._limits.stack_bytes)
        context.set_time_limit(self._limits.seconds)
        self._context = context

    def run(self, handler: str, phase: str | None, context: Mapping[str, Any]) -> Run:
        """Call one exported function; see `appsync_events_local.runtime.engine.Engine.call`."""
        answers: dict[str, Any] = {}
        host = {"now": int(time.time() * 1000), "seed": os.urandom(16).hex(), "answers": answers}
        try:
            text = json.dumps(context)
        except RecursionError:
            return Run(Crashed(f"{name_of(handler, phase)} cannot run: an event is nested too deeply"))
        for _ in range(_MAX_QUESTIONS):
            done = self._evaluate(handler, phase, text, json.dumps(host))
            if not isinstance(done, str):
                return done
            # The engine cannot call into Python while a time limit is set. A handler is a pure function of its
            # context, clock and seed, so it is run again with the answer to its question.
            answers[done] = zone_answer(done)
        return Run(Crashed("the handler used too many different times with a named time zone"))

    def _evaluate(self, handler: str, phase: str | None, context: str, host: str) -> Run | str:
        """Run the function once; a result of type `str` is a question that the host must answer first."""
        try:
            result = json.loads(self._invoke(handler, phase or "", context, host))
        except RecursionError:
            return Run(Crashed(f"{name_of(handler, phase)} returned a value that is nested too deeply"))
        except quickjs.JSException as error:
            return Run(self._limited(handler, phase, str(error)))
        if result["kind"] == "question":
            return str(result["question"])
        logs = [LogEntry(e["level"], e["text"], e.get("line"), e.get("column")) for e in result["logs"]]
        outcome = self._outcome(handler, phase, result)
        return Run(outcome, logs, result.get("stash") or {}, result["appended"])

    def _outcome(self, handler: str, phase: str | None, result: Mapping[str, Any]) -> Outcome:
        match result["kind"]:
            case "returned":
                return Returned(result.get("value"), result.get("stash") or {})
            case "early":
                return EarlyReturn(result.get("value"))
            case "refused":
                return Refused(
                    result["type"], result["message"], result["unauthorized"], result.get("data"), result.get("info")
                )
            case _ if result["limit"]:
                return self._limited(handler, phase, result["message"])
            case _:
                return Crashed(f"{name_of(handler, phase)} failed: {result['message']}")

    def _limited(self, handler: str, phase: str | None, text: str) -> Crashed:
        # After a limit the heap may be full and built-in state half changed: continue with a new context.
        self.start()
        if "interrupted" in text:
            return OutOfTime(f"{name_of(handler, phase)} ran longer than {self._limits.seconds:g} s")
        if "out of memory" in text:
            return Crashed(f"{name_of(handler, phase)} used more than {self._limits.memory_bytes} bytes of memory")
        if "Maximum call stack" in text:
            return Crashed(f"{name_of(handler, phase)} used too much stack (recursion, or a value nested too deeply)")
        return Crashed(f"{name_of(handler, phase)} failed: {text.strip()}")


def name_of(handler: str, phase: str | None) -> str:
    """Return a handler function's name, e.g. `onPublish.request`."""
    return handler if phase is None else f"{handler}.{phase}"
