"""The pipeline of authorised publishes, over HTTP and over sockets, and the handler call of subscriptions.

A publish: check the events, run onPublish, check sizes, broadcast, and report the result of every event.
Sources: AppSync Events: "Publish events via HTTP" and "Writing event handlers".
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from appsync_events_local import assumptions, limits
from appsync_events_local.errors import (
    EVENT_TOO_LARGE,
    INTERNAL_FAILURE,
    MESSAGE_PROCESSING,
    NOT_AUTHORIZED_MESSAGE,
    SUBSCRIPTION_PROCESSING,
    UNAUTHORIZED,
    UNAUTHORIZED_BY_HANDLER,
    Refusal,
    bad_request,
)
from appsync_events_local.handlers.namespace_handlers import (
    HandlerFailed,
    HandlerRefused,
    Incoming,
    Invocation,
    Outgoing,
)
from appsync_events_local.observability.activity import HTTP, Published
from appsync_events_local.observability.metrics import Metric
from appsync_events_local.protocol.channels import Channel
from appsync_events_local.protocol.frames import encode
from appsync_events_local.publish.broker import DeliveryInterceptor
from appsync_events_local.publish.served_api import ServedApi
from appsync_events_local.strict_json import parse

TOO_LARGE_MESSAGE = "Transformed event is larger than 240KB"


@dataclass(frozen=True)
class Caller:
    """The caller of an operation, as handlers see it.

    Attributes:
        identity: `ctx.identity`.
        headers: `ctx.request.headers`.
        source: the connection's name, or `HTTP`; the error type of a crash differs between the two.
    """

    identity: Mapping[str, Any] | None
    headers: Mapping[str, str | list[str]]
    source: str

    def invocation(self, channel: Channel) -> Invocation:
        return Invocation(self.identity, channel.path, channel.namespace, self.headers)


@dataclass(frozen=True)
class _Event:
    """A published event: its text, the size of the text in bytes, and the event as the handler receives it."""

    index: int
    text: str
    size: int
    incoming: Incoming

    def as_successful(self) -> dict[str, Any]:
        return {"identifier": self.incoming.id, "index": self.index}

    def as_failed(self, code: str, message: str) -> dict[str, Any]:
        return {"code": code, "identifier": self.incoming.id, "index": self.index, "message": message}


async def publish(
    served: ServedApi, channel: Channel, events: object, caller: Caller, intercept: DeliveryInterceptor | None = None
) -> dict[str, Any]:
    """Publish events to a channel and deliver those that its handler returns.

    Args:
        served: the API.
        channel: the channel.
        events: `events` of the request as received; must be 1 to 5 JSON texts.
        caller: the authorised caller.
        intercept: see `Broker.broadcast`.

    Returns:
        `{"failed": [{code, identifier, index, message}], "successful": [{identifier, index}]}`.

    Raises:
        Refusal: the publish is refused; nothing was broadcast.
    """
    batch = _checked(events)
    served.rates.count_events(len(batch))
    served.activity.arrived([event.size for event in batch])
    outgoing, handled = await _run_on_publish(served, channel, [event.incoming for event in batch], caller)
    by_id = {event.incoming.id: event for event in batch}
    texts: list[str] = []
    sizes: list[int] = []
    failed: list[dict[str, Any]] = []
    successful: list[dict[str, Any]] = []
    for item in outgoing:
        event = by_id[item.id]
        if item.error is not None:
            failed.append(event.as_failed(assumptions.HANDLER_ITEM_ERROR_CODE.value, item.error))
            continue
        text = event.text if item.payload is event.incoming.payload else _encoded(item.payload)
        size = event.size if text is event.text else _utf8_length(text)
        if size > limits.EVENT_BYTES:
            failed.append(event.as_failed(EVENT_TOO_LARGE, TOO_LARGE_MESSAGE))
            continue
        texts.append(text)
        sizes.append(size)
        successful.append(event.as_successful())
    receivers = served.broker.broadcast(channel, texts, intercept) // len(texts) if texts else 0
    served.activity.published(
        Published(
            channel=channel.path,
            namespace=channel.namespace,
            source=caller.source,
            identity=caller.identity,
            arrived=sum(event.size for event in batch),
            texts=texts,
            sizes=sizes,
            receivers=receivers,
            failed=[f"event {item['index']}: {item['message']}" for item in failed],
            dropped=len(batch) - len(outgoing),
            handled=handled,
        )
    )
    return {"failed": _by_index(failed), "successful": _by_index(successful)}


async def subscribe(served: ServedApi, channel: Channel, caller: Caller) -> bool:
    """Run the namespace's onSubscribe; return whether there is one.

    Raises:
        Refusal: the handler refused the subscription, or failed.
    """
    try:
        async with asyncio.timeout(limits.REQUEST_SECONDS), served.namespace_of(channel).handlers() as handlers:
            if handled := handlers.runs("onSubscribe"):
                served.activity.handler_called(Metric.SUBSCRIBE_HANDLER, channel.namespace)
            await handlers.subscribe(caller.invocation(channel))
            return handled
    except HandlerRefused as refused:
        if refused.unauthorized:
            message = refused.message or NOT_AUTHORIZED_MESSAGE
            raise Refusal(UNAUTHORIZED_BY_HANDLER, message, 401, "util.unauthorized() in onSubscribe") from refused
        raise _handler_error("onSubscribe", refused) from refused
    except (HandlerFailed, TimeoutError) as failure:
        message = "There was an error processing the operation"
        raise Refusal(SUBSCRIPTION_PROCESSING, message, 500, f"onSubscribe failed: {_cause(failure)}") from failure


async def _run_on_publish(
    served: ServedApi, channel: Channel, events: Sequence[Incoming], caller: Caller
) -> tuple[list[Outgoing], bool]:
    """Return the events that onPublish returned, and whether there is an onPublish."""
    try:
        async with asyncio.timeout(limits.REQUEST_SECONDS), served.namespace_of(channel).handlers() as handlers:
            if handled := handlers.runs("onPublish"):
                served.activity.handler_called(Metric.PUBLISH_HANDLER, channel.namespace)
            return await handlers.publish(caller.invocation(channel), events), handled
    except HandlerRefused as refused:
        served.activity.handler_failed(channel.namespace, len(events))
        if refused.unauthorized:
            raise Refusal(UNAUTHORIZED, NOT_AUTHORIZED_MESSAGE, 401, "util.unauthorized() in onPublish") from refused
        raise _handler_error("onPublish", refused) from refused
    except (HandlerFailed, TimeoutError) as failure:
        served.activity.handler_failed(channel.namespace, len(events))
        kind = MESSAGE_PROCESSING if caller.source != HTTP else INTERNAL_FAILURE
        message = "There was an error processing the message"
        status = assumptions.HANDLER_CRASH_STATUS.value
        raise Refusal(kind, message, status, f"onPublish failed: {_cause(failure)}") from failure


def _handler_error(handler: str, refused: HandlerRefused) -> Refusal:
    kind = refused.error_type or assumptions.HANDLER_ERROR_TYPE.value
    return Refusal(
        kind, refused.message, assumptions.HANDLER_ERROR_STATUS.value, f"util.error() in {handler}: {refused.message}"
    )


def _cause(failure: HandlerFailed | TimeoutError) -> str:
    if isinstance(failure, HandlerFailed):
        return failure.message
    return f"no result within {limits.REQUEST_SECONDS:g} s"


def _checked(events: object) -> list[_Event]:
    if not isinstance(events, list) or not 0 < len(events) <= limits.EVENTS_PER_PUBLISH:
        raise bad_request(f"events must be a list of 1 to {limits.EVENTS_PER_PUBLISH} JSON texts")
    batch = [_event(index, text) for index, text in enumerate(events)]
    if sum(event.size for event in batch) > limits.PUBLISH_REQUEST_BYTES:
        raise bad_request("The events of one request must not exceed 1.2 MB")
    return batch


def _event(index: int, text: object) -> _Event:
    if not isinstance(text, str):
        raise bad_request(f"events[{index}] is not text that holds JSON")
    try:
        payload = parse(text)
    except ValueError as error:
        raise bad_request(f"events[{index}] is not JSON: {error}") from error
    return _Event(index, text, _utf8_length(text), Incoming(str(uuid4()), payload))


def _encoded(payload: Any) -> str:
    try:
        return encode(payload)
    except (TypeError, ValueError, RecursionError) as error:
        reason = f"onPublish returned a payload that is not JSON: {error}"
        raise Refusal(INTERNAL_FAILURE, "There was an error processing the message", 500, reason) from error


def _utf8_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _by_index(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(entries, key=lambda entry: int(entry["index"]))
