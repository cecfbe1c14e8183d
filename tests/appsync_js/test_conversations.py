"""Direct channel messaging on a DynamoDB emulator: stored items, broadcast events and refusals."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from appsync_events_local.handlers.namespace_handlers import (
    HandlerFailed,
    HandlerRefused,
    Incoming,
    Invocation,
    NamespaceHandlers,
    Outgoing,
)
from appsync_events_local.sources.attributes import item_to_plain, to_wire
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from appsync_js.render import placeholders, render
from contract import limits, tables
from contract.events import MessageSent
from contract.requests import SendMessage
from handlers.core.messages.rules import StoredMessage, check
from handlers.core.shared.errors import InvalidRequestError
from handlers.core.shared.timestamps import from_iso
from tests.harness import vectors

ENVIRONMENT = "test"
VECTORS = vectors.load("text")
LONG = limits.CONTENT_CHARACTERS


def typed(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": value}
        case list():
            return {"L": [typed(item) for item in value]}
        case _:
            return {"S": value}


@dataclass
class Group:
    """A group in the tables, with its handlers."""

    dynamodb: Any
    handlers: NamespaceHandlers
    id: str
    member: str
    epoch: str = "epoch-1"

    def put(self, table: tables.Table, item: dict[str, Any]) -> None:
        wire = {name: to_wire(typed(value)) for name, value in item.items()}
        self.dynamodb.put_item(TableName=table.name(ENVIRONMENT), Item=wire)

    def get(self, table: tables.Table, **key: str) -> dict[str, Any] | None:
        wire = {name: {"S": value} for name, value in key.items()}
        answer = self.dynamodb.get_item(TableName=table.name(ENVIRONMENT), Key=wire, ConsistentRead=True)
        return item_to_plain(answer["Item"]) if "Item" in answer else None

    def count(self, latest_seq: int, last_timestamp: int = 0) -> None:
        numbers = {"version": 7, "latestSeq": latest_seq, "lastTimestampMs": last_timestamp}
        counter = {"conversationId": self.id, **numbers, "channelEpoch": "epoch-1"}
        self.put(tables.CONVERSATION_COUNTERS, counter)

    @property
    def channel(self) -> str:
        return f"/conversations/{self.id}/{self.epoch}"

    def counter(self) -> dict[str, Any]:
        found = self.get(tables.CONVERSATION_COUNTERS, conversationId=self.id)
        assert found is not None
        return found

    def messages(self) -> list[dict[str, Any]]:
        answer = self.dynamodb.query(
            TableName=tables.MESSAGES.name(ENVIRONMENT),
            KeyConditionExpression="conversationId = :id",
            ExpressionAttributeValues={":id": {"S": self.id}},
            ConsistentRead=True,
        )
        return [item_to_plain(item) for item in answer["Items"]]

    async def publish(
        self, *data: dict[str, Any], sender: str | None = None, type: str = "MESSAGE_SENT"
    ) -> list[Outgoing]:
        events = [Incoming(f"e{at}", {"type": type, "data": one}) for at, one in enumerate(data)]
        identity = {"sub": sender or self.member, "username": "u", "defaultAuthStrategy": "ALLOW"}
        return await self.handlers.publish(Invocation(identity, self.channel, "conversations"), events)


@pytest.fixture
def group(dynamodb: Any, handlers_of: Callable[[str], NamespaceHandlers]) -> Group:
    made = Group(dynamodb, handlers_of("conversations"), str(uuid.uuid4()), str(uuid.uuid4()))
    made.count(0)
    made.put(tables.CONVERSATION_MEMBERS, {"userId": made.member, "conversationId": made.id, "type": "GROUP"})
    return made


@pytest.fixture
def direct(load: Callable[..., NamespaceHandlers]) -> NamespaceHandlers:
    """The handlers on a data source that accepts every write."""
    code = render("conversations", dict.fromkeys(placeholders("conversations"), "T"))
    return load(code, on_publish=Accepting(), on_subscribe=Accepting())


def text(seq: int, **more: Any) -> dict[str, Any]:
    return {"tempId": f"temp-{seq}", "seq": seq, "content": f"message {seq}", **more}


async def refusal(group: Group, *data: dict[str, Any], **options: Any) -> HandlerRefused:
    with pytest.raises(HandlerRefused) as refused:
        await group.publish(*data, **options)
    return refused.value


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
async def test_every_message_of_a_batch_is_stored_and_then_broadcast(group: Group, count: int) -> None:
    returned = await group.publish(*(text(seq) for seq in range(1, count + 1)))
    stored = group.messages()
    assert [message["seq"] for message in stored] == list(range(1, count + 1))
    assert [message["content"] for message in stored] == [f"message {seq}" for seq in range(1, count + 1)]
    assert {message["senderId"] for message in stored} == {group.member}
    assert [outgoing.payload["data"] for outgoing in returned] == stored, "broadcast is what is stored"
    assert len({outgoing.payload["eventId"] for outgoing in returned}) == count
    for outgoing, message in zip(returned, stored, strict=True):
        event = msgspec.convert(outgoing.payload, type=MessageSent)
        assert event.data.tempId == message["tempId"]
        assert outgoing.payload["timestamp"] == message["timestamp"]
        assert outgoing.payload["serverTimestamp"].endswith("Z")


async def test_conversation_and_sender_are_updated_as_by_the_send_route(group: Group) -> None:
    await group.publish(text(1), text(2))
    counter, newest = group.counter(), group.messages()[-1]
    assert counter["latestSeq"] == 2
    assert counter["lastMessageAt"] == newest["timestamp"]
    assert counter["lastTimestampMs"] == from_iso(newest["timestamp"])
    assert counter["version"] == 7
    assert StoredMessage.of(newest).message.seq == 2
    member = group.get(tables.CONVERSATION_MEMBERS, userId=group.member, conversationId=group.id)
    assert member is not None
    assert member["lastReadSeq"] == 2
    record = group.get(tables.IDEMPOTENCY, id=f"{group.member}#{group.id}#temp-1")
    assert record is not None
    assert (record["conversationId"], record["timestamp"]) == (group.id, group.messages()[0]["timestamp"])
    assert isinstance(record["expiresAt"], int)


async def test_sequence_numbers_and_timestamps_increase_over_batches(group: Group) -> None:
    await group.publish(text(1))
    await group.publish(text(2), text(3))
    stamps = [message["timestamp"] for message in group.messages()]
    assert stamps == sorted(set(stamps))
    assert group.counter()["latestSeq"] == 3


async def test_user_who_is_not_a_member_is_refused_and_nothing_is_stored(group: Group) -> None:
    error = await refusal(group, text(1), sender=str(uuid.uuid4()))
    assert (error.error_type, error.message) == ("FORBIDDEN", "You are not a member of this group")
    assert group.messages() == []


async def test_claim_of_any_but_the_next_sequence_number_is_refused(group: Group) -> None:
    await group.publish(text(1))
    for late in (text(1, tempId="again"), text(3, tempId="ahead")):
        error = await refusal(group, late)
        assert error.error_type == "CONFLICT"
        assert "moved on" in error.message
    assert len(group.messages()) == 1


async def test_a_repeated_temp_id_is_refused_as_a_duplicate(group: Group) -> None:
    await group.publish(text(1))
    error = await refusal(group, text(2), text(3, tempId="temp-1"))
    assert (error.error_type, error.message) == ("CONFLICT", "Event 1: this tempId is already stored")
    assert (await refusal(group, text(1))).message == "Event 0: this tempId is already stored"
    assert len(group.messages()) == 1
    assert group.counter()["latestSeq"] == 1


async def test_rate_limit_is_shared_with_the_send_route_and_exact(group: Group) -> None:
    rate, now = limits.SEND_RATE, int(time.time())
    windows = [f"{group.member}#{rate.action}#{rate.window(now + later)}" for later in range(0, 60, rate.seconds)]
    for window in windows:
        group.put(tables.RATE_LIMITS, {"id": window, "count": rate.count - 2})
    error = await refusal(group, *(text(seq) for seq in (1, 2, 3)))
    assert error.error_type == "TOO_MANY_REQUESTS"
    assert group.messages() == []
    await group.publish(text(1), text(2))
    used = [row for window in windows if (row := group.get(tables.RATE_LIMITS, id=window)) and "expiresAt" in row]
    assert [row["count"] for row in used] == [rate.count]
    for window in windows:
        group.put(tables.RATE_LIMITS, {"id": window, "count": rate.count})
    assert (await refusal(group, text(3))).error_type == "TOO_MANY_REQUESTS"
    assert len(group.messages()) == 2


async def test_one_refused_message_refuses_the_whole_batch(group: Group) -> None:
    batch = [text(seq) for seq in range(1, 6)]
    group.put(tables.IDEMPOTENCY, {"id": f"{group.member}#{group.id}#temp-5", "conversationId": group.id})
    assert "Event 4" in (await refusal(group, *batch)).message
    assert group.messages() == []
    assert group.get(tables.IDEMPOTENCY, id=f"{group.member}#{group.id}#temp-1") is None


async def test_one_of_several_claims_of_a_sequence_number_succeeds(group: Group) -> None:
    other = str(uuid.uuid4())
    group.put(tables.CONVERSATION_MEMBERS, {"userId": other, "conversationId": group.id, "type": "GROUP"})
    results = await asyncio.gather(
        *(group.publish(text(1, tempId=f"t{at}"), sender=who) for at, who in enumerate([group.member, other] * 4)),
        return_exceptions=True,
    )
    won = [result for result in results if not isinstance(result, BaseException)]
    lost = [result for result in results if isinstance(result, HandlerRefused)]
    assert (len(won), len(lost)) == (1, 7)
    assert {error.error_type for error in lost} == {"CONFLICT"}
    assert len(group.messages()) == 1


async def test_message_older_than_the_latest_one_is_refused(group: Group) -> None:
    group.count(4, from_iso("2999-01-01T00:00:00.000Z"))
    assert "moved on" in (await refusal(group, text(5))).message
    assert group.messages() == []


@pytest.mark.parametrize("missing", ["conversation", "direct"])
async def test_only_groups_accept_direct_channel_messages(group: Group, missing: str) -> None:
    if missing == "conversation":  # a direct conversation has no counter either
        key = {"conversationId": {"S": group.id}}
        group.dynamodb.delete_item(TableName=tables.CONVERSATION_COUNTERS.name(ENVIRONMENT), Key=key)
    else:
        member = {"userId": group.member, "conversationId": group.id, "type": "DM"}
        group.put(tables.CONVERSATION_MEMBERS, member)
    expected = "CONFLICT" if missing == "conversation" else "FORBIDDEN"
    assert (await refusal(group, text(1))).error_type == expected
    assert group.messages() == []


VALID = [
    {"type": "TEXT", "content": "x", "replyTo": "some-id"},
    {"type": "AUDIO", "mediaUrl": "https://a.example/x", "duration": 2.5, "content": "caption"},
    {"type": "IMAGE", "mediaUrl": "https://a.example/x", "fileName": "x.png", "fileSize": 3},
    {"type": "VIDEO", "mediaUrl": "https://a.example/x"},
    {"type": "FILE", "mediaUrl": "https://a.example/x", "fileName": "x.pdf", "fileSize": 3},
]


@pytest.mark.parametrize("data", VALID, ids=lambda data: data["type"])
async def test_every_message_type_is_stored_with_its_fields(group: Group, data: dict[str, Any]) -> None:
    await group.publish({"tempId": "t", "seq": 1, "senderId": group.member, **data})
    (stored,) = group.messages()
    assert {name: stored[name] for name in data} == data


async def test_null_field_counts_as_absent(group: Group) -> None:
    nothing = {"mediaUrl": None, "replyTo": None, "senderId": None, "colour": None}
    await group.publish(text(1, **nothing))
    (stored,) = group.messages()
    assert stored["type"] == "TEXT"
    assert not set(nothing) & set(stored) - {"senderId"}


class Accepting:
    """A data source that accepts every write and counts them."""

    def __init__(self) -> None:
        self.writes = 0

    async def execute(self, request: dict[str, Any]) -> Any:
        self.writes += 1
        return {"keys": []}


_PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f\x85\xa0"), max_size=6)
_ODD: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers(-2, 2) | st.just([]) | st.just({})


def _field(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values) | _PLAIN | _ODD


@given(
    data=st.fixed_dictionaries(
        {"tempId": _field("t-1.x:y", "a" * 64, "a" * 65)},
        optional={
            "type": _field("TEXT", "AUDIO", "IMAGE", "VIDEO", "FILE"),
            "content": _field("hello", " ", "x" * LONG, "x" * (LONG + 1)),
            "mediaUrl": _field("https://a.example/x", "http://a.example", "https://a b"),
            "fileName": _field("x.png", "x" * 255, "x" * 256),
            "fileSize": st.sampled_from([1, 0, -1, limits.FILE_SIZE_BYTES, limits.FILE_SIZE_BYTES + 1]) | _ODD,
            "duration": st.sampled_from(
                [
                    0.5,
                    0,
                    limits.DURATION_SECONDS_MIN,
                    1e-200,
                    5e-324,
                    limits.DURATION_SECONDS,
                    limits.DURATION_SECONDS + 0.5,
                ]
            )
            | _ODD,
            "replyTo": _field("some-id", "a" * 64, "a" * 65, "a/b"),
            "colour": _PLAIN,
        },
    )
)
@example({"tempId": "t", "content": "hello", "type": None})
@example({"tempId": "t", "content": "hello", "mediaUrl": None})
@example({"tempId": "t", "content": None, "type": "IMAGE", "mediaUrl": "https://a.example/x"})
@example({"tempId": None, "content": "hello"})
@example({"tempId": "t", "content": " ", "type": "IMAGE", "mediaUrl": "https://a.example/x"})
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_handler_and_the_send_route_accept_the_same_messages(direct: NamespaceHandlers, data: Any) -> None:
    try:
        request = msgspec.convert({"conversationId": "c", **data}, type=SendMessage)
        check(request)
        accepted_by_route = request.tempId is not None
    except (msgspec.ValidationError, InvalidRequestError):
        accepted_by_route = False
    assert await _accepts(direct, {"seq": 1, **data}) == accepted_by_route


INVALID: list[tuple[dict[str, Any], str]] = [
    ({"content": ""}, "data.content is blank"),
    ({"content": " \n"}, "data.content is blank"),
    ({"content": "x" * (LONG + 1)}, "data.content is not valid"),
    ({"content": 5}, "data.content is not valid"),
    ({"content": None}, "data.content is missing"),
    ({"seq": None}, "data.seq is missing"),
    ({"type": None}, "data.type must be one of TEXT"),
    ({"type": False}, "data.type must be one of TEXT"),
    ({"tempId": ""}, "data.tempId is not valid"),
    ({"tempId": "a b"}, "data.tempId is not valid"),
    ({"tempId": "a\n"}, "data.tempId is not valid"),
    ({"tempId": "a#b"}, "data.tempId is not valid"),
    ({"tempId": "x" * 65}, "data.tempId is not valid"),
    ({"seq": 0}, "data.seq is not valid"),
    ({"seq": 1.5}, "data.seq is not valid"),
    ({"seq": "1"}, "data.seq is not valid"),
    ({"type": "POEM"}, "data.type must be one of TEXT"),
    ({"type": ["TEXT"]}, "data.type must be one of TEXT"),
    ({"senderId": "another-user"}, "data.senderId is not the signed-in user"),
    ({"mediaUrl": "https://a.example/x"}, "data.mediaUrl is unknown or does not belong"),
    ({"colour": "red"}, "data.colour is unknown or does not belong"),
    ({"replyTo": "a/b"}, "data.replyTo is not valid"),
    ({"type": "IMAGE"}, "data.mediaUrl is missing"),
    ({"type": "IMAGE", "mediaUrl": "http://a.example/x"}, "data.mediaUrl is not valid"),
    ({"type": "IMAGE", "mediaUrl": "https://a.example/x y"}, "data.mediaUrl is not valid"),
    ({"type": "FILE", "mediaUrl": "https://a.example/x", "fileName": "x"}, "data.fileSize is missing"),
    (
        {"type": "FILE", "mediaUrl": "https://a.example/x", "fileName": "x", "fileSize": 0},
        "data.fileSize is not valid",
    ),
    ({"type": "AUDIO", "mediaUrl": "https://a.example/x", "duration": 0}, "data.duration is not valid"),
    ({"type": "AUDIO", "mediaUrl": "https://a.example/x", "duration": 5e-324}, "data.duration is not valid"),
    ({"seq": 1e200}, "data.seq is not valid"),
    ({"seq": limits.SEQUENCE_NUMBER_MAX + 1}, "data.seq is not valid"),
]


@pytest.mark.parametrize(("change", "words"), INVALID, ids=[f"{row[0]}"[:60] for row in INVALID])
async def test_an_invalid_event_fails_the_batch_before_anything_is_written(
    group: Group, change: dict[str, Any], words: str
) -> None:
    error = await refusal(group, text(1), text(2) | change)
    assert error.error_type == "INVALID_REQUEST"
    assert error.message.startswith("Event 1: ")
    assert words in error.message
    assert group.messages() == []


async def test_longest_content_is_stored_unchanged(group: Group) -> None:
    contents = ["x" * LONG, "x" * (limits.PREVIEW_CHARACTERS - 1) + "😀"]
    for seq, content in enumerate(contents, start=1):
        await group.publish(text(seq, content=content))
    assert [message["content"] for message in group.messages()] == contents


async def test_number_reserved_by_the_send_route_cannot_be_claimed(group: Group) -> None:
    """A reserved number is above latestSeq as the claim knows it, although its message is not stored yet."""
    await group.publish(text(1))
    group.count(2, 1)
    assert (await refusal(group, text(2, tempId="late"))).error_type == "CONFLICT"
    await group.publish(text(3))
    assert [message["seq"] for message in group.messages()] == [1, 3]


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        ([text(1), text(3)], "Event 1: seq must follow"),
        ([text(1), text(1, tempId="other")], "Event 1: seq must follow"),
        ([text(1), text(2, tempId="temp-1")], "Event 1: tempId occurs twice"),
        ([{"seq": 1, "content": "x"}], "data.tempId is missing"),
        ([{"tempId": "t", "content": "x"}], "data.seq is missing"),
    ],
)
async def test_a_batch_must_be_consistent_in_itself(group: Group, batch: list[dict[str, Any]], words: str) -> None:
    assert words in (await refusal(group, *batch)).message


@pytest.mark.parametrize(
    "payload", [None, 1, "MESSAGE_SENT", [], {}, {"type": "MESSAGE_SENT"}, {"type": "USER_TYPING"}]
)
async def test_event_that_is_not_a_message_is_refused(group: Group, payload: Any) -> None:
    identity = {"sub": group.member}
    with pytest.raises(HandlerRefused, match=r"Event 0: (the type must be MESSAGE_SENT|data must be an object)"):
        await group.handlers.publish(Invocation(identity, group.channel, "conversations"), [Incoming("e", payload)])


async def test_data_that_is_a_list_is_refused(group: Group) -> None:
    with pytest.raises((HandlerRefused, HandlerFailed)):
        await group.publish([])  # type: ignore[arg-type]
    assert group.messages() == []


async def _accepts(handlers: NamespaceHandlers, data: dict[str, Any]) -> bool:
    event = Incoming("e", {"type": "MESSAGE_SENT", "data": data})
    try:
        await handlers.publish(Invocation({"sub": "u"}, "/conversations/c/e", "conversations"), [event])
    except HandlerRefused as refused:
        if refused.error_type != "INVALID_REQUEST":
            raise
        return False
    return True


@pytest.mark.parametrize("case", VECTORS["limits"], ids=lambda case: case["name"])
@pytest.mark.parametrize(
    ("field", "most"), [("content", limits.CONTENT_CHARACTERS), ("fileName", limits.FILE_NAME_CHARACTERS)]
)
async def test_limits_of_text_count_code_points(
    direct: NamespaceHandlers, case: dict[str, str], field: str, most: int
) -> None:
    file = {"type": "FILE", "mediaUrl": "https://example.org/file", "fileName": "file", "fileSize": 1}
    assert await _accepts(direct, text(1, **file | {field: case["character"] * most}))
    assert not await _accepts(direct, text(1, **file | {field: case["character"] * (most + 1)}))


@pytest.mark.parametrize("case", VECTORS["blank"], ids=lambda case: ascii(case["text"][0]))
async def test_blank_content_is_refused(direct: NamespaceHandlers, case: dict[str, Any]) -> None:
    assert await _accepts(direct, text(1, content=vectors.text_of(case["text"]))) is not case["blank"]
