"""The JavaScript engine of one namespace: where its functions run.

Short calls, which nearly all are, run where the publish is handled: handing them to another thread and back costs more
than they do, above all while both threads want the interpreter. What takes longer than `INLINE_SECONDS` is broken off and
run again on a thread of the engine's own, with its full time; a function that was too long once goes there at once.
Running again is safe: a handler is a pure function of its context, and what it writes counts only when it has ended.
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
"""Processor time of a call that may stop the event loop; a handler's usual call takes a hundredth of it."""

_LOG = logging.getLogger("appsync_events_local.handlers.namespace_handlers")


class Engine:
    """Runs the exported functions of one module."""

    def __init__(self, compiled: Compiled, limits: Limits) -> None:
        self._beside = Sandbox(compiled, limits)
        self._here = Sandbox(compiled, replace(limits, seconds=min(INLINE_SECONDS, limits.seconds)))
        self._here_thread: int | None = None
        self._long: set[tuple[str, str | None]] = set()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="appsync-js")
        self.shapes: Mapping[str, Shape] = {name: Shape(kind) for name, kind in compiled.exports.items()}

    @classmethod
    def load(cls, code: str, limits: Limits) -> Engine:
        """Check the code and prepare a context for it.

        Raises:
            CodeRefused: with every problem found.
        """
        engine = cls(compile_module(code), limits)
        try:
            engine._thread.submit(engine._beside.start).result()
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
        """Do what `call` does, and report all of it instead of logging."""
        if (handler, phase) not in self._long and self._is_here():
            done = self._here.run(handler, phase, context)
            if not isinstance(done.outcome, OutOfTime):
                return done
            self._long.add((handler, phase))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._beside.run, handler, phase, context)

    def leave(self) -> None:
        """Free the context of the calling thread; the last thing that this thread does with the engine."""
        if self._here_thread == threading.get_ident():
            self._here.drop()
            self._here_thread = None

    def close(self) -> None:
        """Let what already runs finish, free the context and end the thread."""
        self._thread.submit(self._beside.drop)
        self._thread.shutdown(wait=True)

    def _is_here(self) -> bool:
        """Whether short calls may run on this thread: the first one that asks has them."""
        if self._here_thread is None:
            self._here.start()
            self._here_thread = threading.get_ident()
        return self._here_thread == threading.get_ident()


def _namespace(context: Mapping[str, Any]) -> str:
    """The namespace whose handler runs, for the log."""
    return str(context.get("info", {}).get("channelNamespace", {}).get("name", "?"))


def _log_entry(namespace: str, handler: str, entry: LogEntry) -> None:
    about = {"operation": "console", "namespace": namespace, "handler": handler}
    number = logging.getLevelNamesMapping().get(entry.level, logging.INFO)
    _LOG.log(number, "%s of namespace %s: %s", handler, namespace, entry.text, extra={"about": about})
