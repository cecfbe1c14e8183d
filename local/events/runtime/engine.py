"""The JavaScript engine of one namespace: quickjs-ng with limits, on a thread of its own.

A quickjs context belongs to the thread that made it, so each engine owns one worker thread. Code is checked and
rewritten by :mod:`local.events.runtime.compiler` first; here it only runs. The module body runs anew for every call, so
handlers cannot keep state between invocations, as on AWS where an invocation may run on any host.
"""

from __future__ import annotations

import enum
import json
import logging
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import quickjs

from local.events.runtime.compiler import LIBRARY, Compiled, compile_module, javascript
from local.events.runtime.errors import CodeRefused, Problem
from local.events.runtime.worker import Worker
from local.events.runtime.zones import answer

_LOG = logging.getLogger("local.events.handlers")

_MAX_QUESTIONS = 64
_SETUP_SECONDS = 5.0


class Shape(enum.Enum):
    """The two forms an exported handler may have."""

    FUNCTION = "function"
    PAIR = "pair"


@dataclass(frozen=True)
class Limits:
    """What a handler may use.

    Attributes:
        seconds: CPU time of one call.
        memory_bytes: heap of the namespace's context.
        stack_bytes: stack of one call.
        loop_iterations: iterations of one loop. AppSync states that there is a cap; 1,000 is the number it states
            for GraphQL.
    """

    seconds: float = 1.0
    memory_bytes: int = 64 * 1024 * 1024
    stack_bytes: int = 256 * 1024
    loop_iterations: int = 1000


@dataclass(frozen=True)
class Returned:
    """The handler function returned; ``stash`` is ``ctx.stash`` afterwards."""

    value: Any
    stash: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EarlyReturn:
    """The handler function called ``runtime.earlyReturn``."""

    value: Any


@dataclass(frozen=True)
class Refused:
    """The handler function called ``util.error`` or ``util.unauthorized``."""

    error_type: str
    message: str
    unauthorized: bool
    data: Any
    info: Any


@dataclass(frozen=True)
class Crashed:
    """The handler function failed in a way it did not choose."""

    message: str


Outcome = Returned | EarlyReturn | Refused | Crashed


@dataclass(frozen=True)
class LogEntry:
    """One line of ``console`` or of ``util.appendError``, and where in the code it was written (lines from 1)."""

    level: str
    text: str
    line: int | None
    column: int | None


@dataclass(frozen=True)
class Run:
    """One call of a handler function and what it left behind.

    Attributes:
        outcome: how it ended.
        logs: what it wrote, in order.
        stash: ``ctx.stash`` at the end.
        appended: ``{message, type, data, info}`` of each ``util.appendError``.
    """

    outcome: Outcome
    logs: Sequence[LogEntry] = ()
    stash: Mapping[str, Any] = field(default_factory=dict)
    appended: Sequence[Mapping[str, Any]] = ()


class Engine:
    """Runs the exported functions of one module."""

    def __init__(self, compiled: Compiled, limits: Limits) -> None:
        self._compiled = compiled
        self._limits = limits
        self._worker = Worker("appsync-js")
        self._invoke: Any = None
        self._context: Any = None
        self.shapes: Mapping[str, Shape] = {name: Shape(kind) for name, kind in compiled.exports.items()}

    @classmethod
    def load(cls, code: str, limits: Limits) -> Engine:
        """Check the code and prepare a context for it.

        Raises:
            CodeRefused: with every problem found.
        """
        engine = cls(compile_module(code), limits)
        try:
            engine._worker.run_at_once(engine._start)
        except quickjs.JSException as error:
            engine.close()
            raise CodeRefused([Problem(f"the code cannot be loaded: {str(error).strip()}")]) from error
        return engine

    async def call(self, handler: str, phase: str | None, context: Mapping[str, Any]) -> Outcome:
        """Call one exported function.

        Args:
            handler: ``onPublish`` or ``onSubscribe``.
            phase: ``request`` or ``response`` of a pair, ``None`` for a plain function.
            context: the JSON form of ``ctx``.
        """
        done = await self.run(handler, phase, context)
        for entry in done.logs:
            _log_entry(_namespace(context), _name(handler, phase), entry)
        return done.outcome

    async def run(self, handler: str, phase: str | None, context: Mapping[str, Any]) -> Run:
        """Do what `call` does, and report all of it instead of logging."""
        return await self._worker.run(self._run, handler, phase, context)

    def close(self) -> None:
        """Let what already runs finish, free the context and end the thread."""
        self._worker.close(self._drop)

    def _drop(self) -> None:
        self._invoke = self._context = None

    def _start(self) -> None:
        self._drop()
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

    def _run(self, handler: str, phase: str | None, context: Mapping[str, Any]) -> Run:
        answers: dict[str, Any] = {}
        host = {"now": int(time.time() * 1000), "seed": os.urandom(16).hex(), "answers": answers}
        try:
            text = json.dumps(context)
        except RecursionError:
            return Run(Crashed(f"{_name(handler, phase)} cannot run: an event is nested too deeply"))
        for _ in range(_MAX_QUESTIONS):
            done = self._evaluate(handler, phase, text, json.dumps(host))
            if not isinstance(done, str):
                return done
            # The engine cannot call into Python while a time limit is set. A handler is a pure function of its
            # context, clock and seed, so it is run again with the answer it asked for.
            answers[done] = answer(done)
        return Run(Crashed("the handler used too many different times with a named time zone"))

    def _evaluate(self, handler: str, phase: str | None, context: str, host: str) -> Run | str:
        """One attempt; text is a question that the host must answer first."""
        try:
            result = json.loads(self._invoke(handler, phase or "", context, host))
        except RecursionError:
            return Run(Crashed(f"{_name(handler, phase)} returned a value that is nested too deeply"))
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
                return Crashed(f"{_name(handler, phase)} failed: {result['message']}")

    def _limited(self, handler: str, phase: str | None, text: str) -> Crashed:
        # After a limit the heap may be full and built-in state half changed: go on with a fresh context.
        self._start()
        if "interrupted" in text:
            return Crashed(f"{_name(handler, phase)} ran longer than {self._limits.seconds:g} s")
        if "out of memory" in text:
            return Crashed(f"{_name(handler, phase)} used more than {self._limits.memory_bytes} bytes of memory")
        if "Maximum call stack" in text:
            return Crashed(f"{_name(handler, phase)} used too much stack (recursion, or a value nested too deeply)")
        return Crashed(f"{_name(handler, phase)} failed: {text.strip()}")


def _name(handler: str, phase: str | None) -> str:
    return handler if phase is None else f"{handler}.{phase}"


def _namespace(context: Mapping[str, Any]) -> str:
    """The namespace whose handler runs, for the log."""
    return str(context.get("info", {}).get("channelNamespace", {}).get("name", "?"))


def _log_entry(namespace: str, handler: str, entry: LogEntry) -> None:
    about = {"operation": "console", "namespace": namespace, "handler": handler}
    number = logging.getLevelNamesMapping().get(entry.level, logging.INFO)
    _LOG.log(number, "%s of namespace %s: %s", handler, namespace, entry.text, extra={"about": about})
