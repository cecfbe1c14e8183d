"""The JavaScript engine of one namespace: runs short calls on the calling thread, long calls on a worker thread.

Nearly all calls are short, and handing one to another thread costs more than the call, because both threads compete for
the interpreter. A call that takes longer than `INLINE_SECONDS` is interrupted and repeated on the worker thread with
the full time limit; later calls of that function go there directly. Repeating is safe: a handler is a pure function of
its context, and its log entries are used only when it has ended.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final

import quickjs

from appsync_events_local.runtime.compiler import Compiled, compile_module
from appsync_events_local.runtime.errors import CodeRefused, Problem
from appsync_events_local.runtime.outcomes import Limits, LogEntry, Outcome, OutOfTime, Run, Shape
from appsync_events_local.runtime.sandbox import Sandbox, name_of

INLINE_SECONDS: Final = 0.005
"""CPU time for which a call may block the event loop; a typical call takes a hundredth of it."""

_LOG = logging.getLogger("appsync_events_local.handlers.namespace_handlers")


class Engine:
    """Runs the exported functions of one module."""

    def __init__(self, compiled: Compiled, limits: Limits) -> None:
        self._worker_sandbox = Sandbox(compiled, limits)
        self._inline_sandbox = Sandbox(compiled, replace(limits, seconds=min(INLINE_SECONDS, limits.seconds)))
        self._inline_thread: int | None = None
        self._long: set[tuple[str, str | None]] = set()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="appsync-js")
        self.shapes: Mapping[str, Shape] = {name: Shape(kind) for name, kind in compiled.exports.items()}

    @classmethod
    def load(cls, code: str, limits: Limits) -> Engine:
        """Check the code and prepare a context for it.

        Raises:
            CodeRefused: the code is not valid; lists every problem.
        """
        engine = cls(compile_module(code), limits)
        try:
            engine._thread.submit(engine._worker_sandbox.start).result()
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
            _log_entry(_namespace(context), name_of(handler, phase), entry)
        return done.outcome

    async def run(self, handler: str, phase: str | None, context: Mapping[str, Any]) -> Run:
        """Call one exported function, and return its log entries instead of logging them."""
        if (handler, phase) not in self._long and self._runs_inline():
            done = self._inline_sandbox.run(handler, phase, context)
            if not isinstance(done.outcome, OutOfTime):
                return done
            self._long.add((handler, phase))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._worker_sandbox.run, handler, phase, context)

    def release_thread(self) -> None:
        """Free the context of the calling thread; its last call of the engine, before `close`."""
        if self._inline_thread == threading.get_ident():
            self._inline_sandbox.drop()
            self._inline_thread = None

    def close(self) -> None:
        """Wait for the calls in progress, free the context and end the worker thread."""
        self._thread.submit(self._worker_sandbox.drop)
        self._thread.shutdown(wait=True)

    def _runs_inline(self) -> bool:
        """Return whether short calls may run on this thread: only on the first thread that calls the engine."""
        if self._inline_thread is None:
            self._inline_sandbox.start()
            self._inline_thread = threading.get_ident()
        return self._inline_thread == threading.get_ident()


def _namespace(context: Mapping[str, Any]) -> str:
    """Return the name of the namespace whose handler runs, for the log."""
    return str(context.get("info", {}).get("channelNamespace", {}).get("name", "?"))


def _log_entry(namespace: str, handler: str, entry: LogEntry) -> None:
    about = {"operation": "console", "namespace": namespace, "handler": handler}
    number = logging.getLevelNamesMapping().get(entry.level, logging.INFO)
    _LOG.log(number, "%s of namespace %s: %s", handler, namespace, entry.text, extra={"about": about})
