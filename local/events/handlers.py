"""A namespace's handlers: what the Events service calls on every publish and every subscribe.

This module is the seam between the service (protocol, authorisation, delivery) and the JavaScript engine that runs
APPSYNC_JS. It decides the order of the steps (request, data source, response), what the result of a handler means and
which failure is told to whom; the engine itself is in :mod:`local.events.runtime`.

Behaviour follows "AppSync Events: Channel namespace handlers", "Context reference" and "Data source integrations".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from local.events.runtime.engine import Crashed, EarlyReturn, Engine, Limits, Refused, Returned, Shape
from local.events.runtime.errors import CodeRefused, DataSourceError, Problem

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

Operation = Literal["PUBLISH", "SUBSCRIBE"]

DATA_SOURCE_SECONDS = 30.0
"""Longest time a data source may take, in seconds (the service's request execution limit)."""


@dataclass(frozen=True)
class Incoming:
    """One published event as a handler receives it.

    Attributes:
        id: the event's identifier, unique in its batch.
        payload: the parsed JSON document that was published.
    """

    id: str
    payload: Any


@dataclass(frozen=True)
class Outgoing:
    """One event that a handler returned.

    Attributes:
        id: the identifier of the incoming event it stands for.
        payload: the JSON document to broadcast (``None`` is broadcast as ``null``).
        error: text when the handler failed this one event; it is then listed as failed and not broadcast.
    """

    id: str
    payload: Any
    error: str | None = None


@dataclass(frozen=True)
class Invocation:
    """What a handler may know about the operation besides its events.

    Attributes:
        identity: ``ctx.identity`` of the caller, ``None`` with an API key.
        channel: the channel with a leading slash and no trailing one; a wildcard stays literal (``/ns/*``).
        namespace: name of the channel namespace, the channel's first segment.
        request_headers: headers of the request; a repeated header is a list.
        domain_name: the custom domain that was called, ``None`` on the default host.
    """

    identity: Mapping[str, Any] | None
    channel: str
    namespace: str
    request_headers: Mapping[str, str | list[str]] = field(default_factory=dict)
    domain_name: str | None = None

    @property
    def segments(self) -> list[str]:
        """The channel's segments without empty ones, as ``ctx.info.channel.segments`` shows them."""
        return [segment for segment in self.channel.split("/") if segment]


class HandlerRefused(Exception):  # noqa: N818 - an answer of the handler, not a fault
    """The handler ended the operation by ``util.error`` or ``util.unauthorized``.

    Attributes:
        error_type: type for the answer; ``Unauthorized`` after ``util.unauthorized``, empty if ``util.error`` got none.
        message: text for the caller.
        unauthorized: whether it was ``util.unauthorized`` (publish answers 401 instead of 403).
        data: third argument of ``util.error``.
        info: fourth argument of ``util.error``.
    """

    def __init__(
        self, error_type: str, message: str, *, unauthorized: bool = False, data: Any = None, info: Any = None
    ) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.unauthorized = unauthorized
        self.data = data
        self.info = info


class HandlerFailed(Exception):  # noqa: N818 - pairs with HandlerRefused
    """The handler crashed, ran out of time or memory, or returned something that means nothing."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class DataSource(Protocol):
    """Something that executes the request object a handler's ``request`` function returned."""

    async def execute(self, request: dict[str, Any]) -> Any:
        """Execute one request and return ``ctx.result``.

        Raises:
            DataSourceError: the data source refused or failed it.
        """


class NamespaceHandlers:
    """The loaded handlers of one channel namespace.

    Instances are safe to use from many asyncio tasks at once; handler code itself runs on one thread of its own.
    """

    def __init__(self, engine: Engine | None, on_publish: DataSource | None, on_subscribe: DataSource | None) -> None:
        self._engine = engine
        self._sources: dict[str, DataSource | None] = {"onPublish": on_publish, "onSubscribe": on_subscribe}
        self._under_way = 0
        self._closed = False
        self._drained: asyncio.Event | None = None

    @classmethod
    def load(
        cls,
        code: str | None,
        *,
        on_publish: DataSource | None = None,
        on_subscribe: DataSource | None = None,
        limits: Limits | None = None,
    ) -> NamespaceHandlers:
        """Check and load the code of one namespace.

        Args:
            code: the module's text; ``None`` forwards every event and allows every subscription.
            on_publish: data source configured for ``onPublish``; the export must then be ``{request, response}``.
            on_subscribe: the same for ``onSubscribe``.
            limits: limits of the engine; the defaults are those of the service where they are known.

        Raises:
            CodeRefused: with every problem found.
        """
        sources = {"onPublish": on_publish, "onSubscribe": on_subscribe}
        if code is None:
            configured = [name for name, source in sources.items() if source is not None]
            if configured:
                raise CodeRefused(
                    [Problem(f"{name} has a data source, but the namespace has no code") for name in configured]
                )
            return cls(None, None, None)
        engine = Engine.load(code, limits or Limits())
        problems = _shape_problems(engine.shapes, sources)
        if problems:
            engine.close()
            raise CodeRefused(problems)
        return cls(engine, on_publish, on_subscribe)

    async def publish(self, invocation: Invocation, events: Sequence[Incoming]) -> list[Outgoing]:
        """Run ``onPublish`` over a batch.

        Args:
            invocation: who published where.
            events: the batch, at most five events.

        Returns:
            What the handler returned, in its order. Events that it left out are missing here: they are dropped.

        Raises:
            HandlerRefused: by ``util.error`` or ``util.unauthorized``.
            HandlerFailed: crash, limit, or a result that breaks the rules for returned events.
        """
        if self._engine is None or "onPublish" not in self._engine.shapes:
            return [Outgoing(event.id, event.payload) for event in events]
        context = _context(invocation, "PUBLISH")
        context["events"] = [{"id": event.id, "payload": event.payload} for event in events]
        return _outgoing(await self._run(self._engine, "onPublish", context), {event.id for event in events})

    async def subscribe(self, invocation: Invocation) -> None:
        """Run ``onSubscribe``; returning means that the subscription is allowed.

        Raises:
            HandlerRefused: by ``util.error`` or ``util.unauthorized``.
            HandlerFailed: crash or limit; the subscription must then be refused too.
        """
        if self._engine is None or "onSubscribe" not in self._engine.shapes:
            return
        context = _context(invocation, "SUBSCRIBE")
        context["events"] = None
        await self._run(self._engine, "onSubscribe", context)

    async def close(self) -> None:
        """Wait for the operations under way, then end the engine. Calling it again is harmless.

        An operation that starts afterwards fails with :class:`HandlerFailed`.
        """
        if self._engine is None or self._closed:
            return
        self._closed = True
        if self._under_way:
            self._drained = asyncio.Event()
            await self._drained.wait()
        await asyncio.to_thread(self._engine.close)

    async def _run(self, engine: Engine, handler: str, context: dict[str, Any]) -> Any:
        if self._closed:
            raise HandlerFailed("the handlers of this namespace were replaced or removed; try again")
        self._under_way += 1
        try:
            return await self._steps(engine, handler, context)
        finally:
            self._under_way -= 1
            if self._drained is not None and self._under_way == 0:
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
        source = self._sources[handler]
        assert source is not None, "load() pairs every {request, response} with a data source"
        if not isinstance(request, dict):
            raise HandlerFailed(f"{handler}.request must return a request object for its data source")
        try:
            async with asyncio.timeout(DATA_SOURCE_SECONDS):
                return await source.execute(request), None
        except DataSourceError as error:
            return error.result, {"message": error.message, "type": error.type}
        except TimeoutError:
            text = f"the data source did not answer within {DATA_SOURCE_SECONDS:g} s"
            return None, {"message": text, "type": "ExecutionTimeout"}
        except Exception as error:
            _LOG.exception("the data source of %s failed in a way it should not", handler)
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


def _context(invocation: Invocation, operation: Operation) -> dict[str, Any]:
    return {
        "identity": invocation.identity,
        "info": {
            "channel": {"path": invocation.channel, "segments": invocation.segments},
            "channelNamespace": {"name": invocation.namespace},
            "operation": operation,
        },
        "request": {"headers": dict(invocation.request_headers), "domainName": invocation.domain_name},
        "stash": {},
        "result": None,
        "error": None,
    }


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


def _outgoing(returned: Any, known: set[str]) -> list[Outgoing]:
    if returned is None:
        return []
    if not isinstance(returned, list):
        raise HandlerFailed("onPublish must return a list of events or null")
    result: list[Outgoing] = []
    seen: set[str] = set()
    for item in returned:
        if item is None:
            continue
        if not isinstance(item, dict) or not isinstance(item.get("id"), str):
            raise HandlerFailed("onPublish returned something that is not an event {id, payload}")
        identifier = item["id"]
        if identifier not in known:
            raise HandlerFailed(f"onPublish returned an event with an unknown id: {identifier}")
        if identifier in seen:
            raise HandlerFailed(f"onPublish returned two events with the same id: {identifier}")
        seen.add(identifier)
        error = item.get("error")
        result.append(Outgoing(identifier, item.get("payload"), None if error is None else str(error)))
    return result
