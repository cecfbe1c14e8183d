"""Any answer of a direct handler's function gives a valid result or a handler error, never another exception."""

import asyncio
import json

from appsync_events_local.functions.invoker import InvocationResult as Answer
from appsync_events_local.handlers.direct import DirectHandler
from appsync_events_local.handlers.namespace_handlers import (
    HandlerFailed,
    HandlerRefused,
    Incoming,
    Invocation,
    Outgoing,
)
from appsync_events_local.model.api import InvokeType
from hypothesis import given, settings
from hypothesis import strategies as st

HERE = Invocation(None, "/team/a", "team")
EVENTS = [Incoming("1", {"n": 1}), Incoming("2", [2])]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
EVENT = JSON | st.fixed_dictionaries(
    {"id": st.sampled_from(["1", "2"]) | JSON}, optional={"payload": JSON, "error": st.text(max_size=5) | JSON}
)
ANSWER = JSON | st.fixed_dictionaries({}, optional={"events": st.lists(EVENT, max_size=3) | JSON, "error": JSON})
BYTES = ANSWER.map(lambda answer: json.dumps(answer).encode()) | st.binary(max_size=20)


class Fixed:
    """An invoker whose function always gives the same answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    async def invoke(self, function: str, payload: bytes, *, asynchronous: bool) -> Answer:
        assert set(json.loads(payload)) == {
            "identity", "result", "request", "info", "error", "prev", "stash", "outErrors", "events",
        }  # fmt: skip
        return self.answer


def handler(payload: bytes, error: str | None) -> DirectHandler:
    return DirectHandler("f", Fixed(Answer(payload, error)), InvokeType.REQUEST_RESPONSE)


async def published(payload: bytes, error: str | None) -> list[Outgoing] | None:
    try:
        return await handler(payload, error).publish(HERE, EVENTS)
    except HandlerFailed:
        return None


async def subscribed(payload: bytes, error: str | None) -> bool:
    try:
        await handler(payload, error).subscribe(HERE)
    except (HandlerFailed, HandlerRefused):
        return False
    return True


@given(payload=BYTES, error=st.sampled_from([None, None, "Unhandled", "Handled"]))
@settings(max_examples=300, deadline=None)
def test_any_answer_gives_known_unique_event_ids_or_fails_the_publish(payload: bytes, error: str | None) -> None:
    outgoing = asyncio.run(published(payload, error))
    if outgoing is None:
        return
    assert error is None
    ids = [item.id for item in outgoing]
    assert set(ids) <= {"1", "2"}
    assert len(ids) == len(set(ids))


@given(payload=BYTES, error=st.sampled_from([None, None, "Unhandled", "Handled"]))
@settings(max_examples=300, deadline=None)
def test_only_an_answer_without_error_allows_a_subscription(payload: bytes, error: str | None) -> None:
    if not asyncio.run(subscribed(payload, error)):
        return
    answer = json.loads(payload) if payload else None
    assert error is None
    assert answer is None or answer.get("error") is None
