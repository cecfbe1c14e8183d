"""The handlers of a namespace: called for every publish and every subscribe.

This module connects the service (protocol, authorisation, delivery) with the JavaScript engine of
:mod:`appsync_events_local.runtime`. It decides the order of the steps (request, data source, response), how a handler's
result is interpreted, and which failures the caller sees.

Sources: AppSync Events: "Channel namespace handlers", "Context reference" and "Data source integrations".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from appsync_events_local.handlers.direct import DirectHandler
from appsync_events_local.handlers.invocations import (
    HandlerFailed,
    HandlerRefused,
    Incoming,
    Invocation,
    Outgoing,
    context_of,
    outgoing_from,
)
from appsync_events_local.runtime.engine import Engine
from appsync_events_local.runtime.errors import CodeRefused, Problem
from appsync_events_local.runtime.outcomes import Crashed, EarlyReturn, Limits, Refused, Returned, Shape
from appsync_events_local.sources.data_source import DataSource, DataSourceError

__all__ = [
    "CodeRefused",
    "DataSource",
    "DataSourceError",
    "HandlerFailed",
    "HandlerRefused",
    "Incoming",
    "Invocation",
    "Limits",
    "NamespaceHandlers",
    "Outgoing",
    "Problem",
]

_LOG = logging.getLogger(__name__)

T = TypeVar("T")

Implementation = DataSource | DirectHandler
"""What a handler's configuration names: the data source of its code, or the direct handler instead of code."""


class NamespaceHandlers:
    """The loaded handlers of one channel namespace.

    Instances may be used by many asyncio tasks of one event loop concurrently.
    """

    def __init__(
        self, engine: Engine | None, on_publish: Implementation | None, on_subscribe: Implementation | None
    ) -> None:
        self._engine = engine
        self._configured: dict[str, Implementation | None] = {"onPublish": on_publish, "onSubscribe": on_subscribe}
        self._in_progress = 0
        self._closed = False
        self._drained: asyncio.Event | None = None

    @classmethod
    def load(
        cls,
        code: str | None,
        *,
        on_publish: Implementation | None = None,
        on_subscribe: Implementation | None = None,
        limits: Limits | None = None,
    ) -> NamespaceHandlers:
        """Check and load the code of one namespace.

        Args:
            code: the module's text; ``None`` forwards every event and allows every subscription.
            on_publish: data source configured for ``onPublish``, for which the export must be ``{request, response}``;
                or the direct handler that replaces the export.
            on_subscribe: the same for ``onSubscribe``.
            limits: limits of the engine; the defaults are AWS's where they are known.

        Raises:
            CodeRefused: the code is not valid; lists every problem.
        """
        configured = {"onPublish": on_publish, "onSubscribe": on_subscribe}
        sources = {n: None if isinstance(c, DirectHandler) else c for n, c in configured.items()}
        if code is None:
            lost = [name for name, source in sources.items() if source is not None]
            if lost:
                raise CodeRefused(
                    [Problem(f"{name} has a data source, but the namespace has no code") for name in lost]
                )
            return cls(None, on_publish, on_subscribe)
        engine = Engine.load(code, limits or Limits())
        direct = [name for name, item in configured.items() if isinstance(item, DirectHandler)]
        shapes = {name: shape for name, shape in engine.shapes.items() if name not in direct}
        for name in set(direct) & set(engine.shapes):
            _LOG.warning("the code exports %s, but its configuration is DIRECT: the function is invoked instead", name)
        problems = _shape_problems(shapes, sources)
        if problems:
            engine.close()
            raise CodeRefused(problems)
        return cls(engine, on_publish, on_subscribe)

    def runs(self, handler: str) -> bool:
        """Return whether `onPublish` or `onSubscribe` exists."""
        coded = self._engine is not None and handler in self._engine.shapes
        return coded or isinstance(self._configured[handler], DirectHandler)

    async def publish(self, invocation: Invocation, events: Sequence[Incoming]) -> list[Outgoing]:
        """Run ``onPublish`` for a batch of events.

        Args:
            invocation: the context: caller, channel, headers.
            events: the batch, at most five events.

        Returns:
            The events that the handler returned, in its order. Events that it left out are dropped.

        Raises:
            HandlerRefused: by ``util.error`` or ``util.unauthorized``.
            HandlerFailed: crash, limit, or a result that breaks the rules for returned events.
        """
        direct = self._configured["onPublish"]
        if isinstance(direct, DirectHandler):
            return await self._counted(direct.publish(invocation, events))
        if self._engine is None or "onPublish" not in self._engine.shapes:
            return [Outgoing(event.id, event.payload) for event in events]
        context = context_of(invocation, "PUBLISH")
        context["events"] = [{"id": event.id, "payload": event.payload} for event in events]
        return outgoing_from(await self._run(self._engine, "onPublish", context), {event.id for event in events})

    async def subscribe(self, invocation: Invocation) -> None:
        """Run ``onSubscribe``; returning means that the subscription is allowed.

        Raises:
            HandlerRefused: by ``util.error`` or ``util.unauthorized``.
            HandlerFailed: crash or limit; the subscription must then be refused too.
        """
        direct = self._configured["onSubscribe"]
        if isinstance(direct, DirectHandler):
            return await self._counted(direct.subscribe(invocation))
        if self._engine is None or "onSubscribe" not in self._engine.shapes:
            return None
        context = context_of(invocation, "SUBSCRIBE")
        context["events"] = None
        await self._run(self._engine, "onSubscribe", context)
        return None

    async def close(self) -> None:
        """Wait for the operations in progress, then close the engine. A second call has no effect.

        An operation that starts afterwards fails with :class:`HandlerFailed`.
        """
        if self._closed:
            return
        self._closed = True
        if self._in_progress:
            self._drained = asyncio.Event()
            await self._drained.wait()
        if self._engine is not None:
            self._engine.release_thread()
            await asyncio.to_thread(self._engine.close)

    async def _run(self, engine: Engine, handler: str, context: dict[str, Any]) -> Any:
        return await self._counted(self._steps(engine, handler, context))

    async def _counted(self, operation: Coroutine[Any, Any, T]) -> T:
        if self._closed:
            operation.close()
            raise HandlerFailed("the handlers of this namespace were replaced or removed; try again")
        self._in_progress += 1
        try:
            return await operation
        finally:
            self._in_progress -= 1
            if self._drained is not None and self._in_progress == 0:
                self._drained.set()

    async def _steps(self, engine: Engine, handler: str, context: dict[str, Any]) -> Any:
        if engine.shapes[handler] is Shape.FUNCTION:
            return _value(await engine.call(handler, None, context)).value
        outcome = await engine.call(handler, "request", context)
        if isinstance(outcome, EarlyReturn):
            return outcome.value
        requested = _value(outcome)
        context["stash"] = requested.stash
        context["result"], context["error"] = await self._execute(handler, requested.value)
        return _value(await engine.call(handler, "response", context)).value

    async def _execute(self, handler: str, request: Any) -> tuple[Any, dict[str, str] | None]:
        source = self._configured[handler]
        assert source is not None, "load() pairs every {request, response} with a data source"
        assert not isinstance(source, DirectHandler), "a direct handler runs no code"
        if not isinstance(request, dict):
            raise HandlerFailed(f"{handler}.request must return a request object for its data source")
        try:
            return await source.execute(request), None
        except DataSourceError as error:
            return error.result, {"message": error.message, "type": error.type}
        except Exception as error:
            _LOG.exception("the data source of %s raised an unexpected error", handler)
            raise HandlerFailed(f"the data source of {handler} failed: {type(error).__name__}: {error}") from error


def _shape_problems(shapes: Mapping[str, Shape], sources: Mapping[str, DataSource | None]) -> list[Problem]:
    problems = []
    for name, source in sources.items():
        shape = shapes.get(name)
        if source is not None and shape is None:
            problems.append(Problem(f"{name} has a data source, but the code does not export {name}"))
        elif source is not None and shape is Shape.FUNCTION:
            problems.append(
                Problem(f"{name} has a data source, so it must be an object {{request, response}}, not a function")
            )
        elif source is None and shape is Shape.PAIR:
            problems.append(
                Problem(f"{name} is an object {{request, response}}, but no data source is configured for it")
            )
    return problems


def _value(outcome: Returned | EarlyReturn | Refused | Crashed) -> Returned:
    match outcome:
        case Returned():
            return outcome
        case EarlyReturn():
            return Returned(outcome.value, {})
        case Refused():
            raise HandlerRefused(
                outcome.error_type,
                outcome.message,
                unauthorized=outcome.unauthorized,
                data=outcome.data,
                info=outcome.info,
            )
        case Crashed():
            raise HandlerFailed(outcome.message)
