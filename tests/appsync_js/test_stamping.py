"""onPublish of the namespaces that route functions publish to: known event types pass with a server timestamp."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from appsync_events_local.handlers.namespace_handlers import Incoming, Invocation, NamespaceHandlers

from contract.channels import NAMESPACES
from contract.events import event_types

ROLE = {"accountId": "000000000000", "userArn": "arn:aws:sts::000000000000:assumed-role/r/s", "username": "r"}
STAMPING = [namespace.name for namespace in NAMESPACES if not namespace.optional]
KNOWN = [(namespace, kind) for namespace in STAMPING for kind in event_types(namespace)]

HandlersOf = Callable[[str], NamespaceHandlers]


async def publish(handlers_of: HandlersOf, namespace: str, *payloads: Any) -> Any:
    events = [Incoming(str(at), payload) for at, payload in enumerate(payloads)]
    return await handlers_of(namespace).publish(Invocation(ROLE, f"/{namespace}/x", namespace), events)


@pytest.mark.parametrize(("namespace", "kind"), KNOWN)
async def test_a_known_event_passes_unchanged_but_for_the_timestamp(
    handlers_of: HandlersOf, namespace: str, kind: str
) -> None:
    payload = {"eventId": "e", "type": kind, "data": {"deep": [1, None, {"é": True}]}, "timestamp": "t"}
    (returned,) = await publish(handlers_of, namespace, payload)
    stamp = returned.payload.pop("serverTimestamp")
    assert returned.error is None
    assert returned.payload == payload
    assert datetime.fromisoformat(stamp).tzinfo is not None


@pytest.mark.parametrize("namespace", STAMPING)
@pytest.mark.parametrize(
    "payload",
    [
        None,
        0,
        "MESSAGE_SENT",
        True,
        [],
        ["MESSAGE_SENT"],
        {},
        {"data": 1},
        {"type": None},
        {"type": "message_sent"},
        {"type": ["MESSAGE_SENT"]},
        {"type": "UNKNOWN"},
        {"type": "constructor"},
        {"type": "CALL_FORGED"},
    ],
    ids=repr,
)
async def test_bad_payload_fails_and_is_neither_dropped_nor_broadcast(
    handlers_of: HandlersOf, namespace: str, payload: Any
) -> None:
    (returned,) = await publish(handlers_of, namespace, payload)
    assert returned.id == "0"
    assert returned.payload is None
    assert returned.error
    assert "type" in returned.error


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
async def test_in_a_mixed_batch_only_the_bad_events_fail(handlers_of: HandlersOf, count: int) -> None:
    good, bad = {"type": "MESSAGE_SENT"}, {"type": "UNKNOWN"}
    batch = [good if at % 2 == 0 else bad for at in range(count)]
    returned = await publish(handlers_of, "chats", *batch)
    assert [outgoing.id for outgoing in returned] == [str(at) for at in range(count)]
    assert [outgoing.error is None for outgoing in returned] == [at % 2 == 0 for at in range(count)]


async def test_a_publisher_cannot_set_the_server_timestamp(handlers_of: HandlersOf) -> None:
    (returned,) = await publish(handlers_of, "chats", {"type": "MESSAGE_SENT", "serverTimestamp": "forged"})
    assert returned.payload["serverTimestamp"] != "forged"
