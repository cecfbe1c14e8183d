"""History: full pages and complete recovery (promise P4)."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from contract import tables
from contract.limits import GAP_CHANGES_MAX, GAP_MESSAGES_MAX
from handlers.adapters.dynamodb.codec import to_item
from handlers.core.shared.timestamps import from_iso, to_iso
from tests.harness.emulator import AwsResources
from tests.harness.functions import FunctionHarness
from tests.harness.seeds import block, seed_conversation, unblock, user_ids

START = from_iso("2026-02-01T00:00:00.000Z")


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    """The functions on this test's tables."""
    return FunctionHarness(aws)


def stored_message(conversation: str, sender: str, seq: int | None, at: int, **fields: Any) -> dict[str, Any]:
    """Return a message as the table holds it."""
    timestamp = to_iso(START + at * 1000)
    return {
        "conversationId": conversation,
        "timestamp": timestamp,
        "messageId": f"m-{at}",
        "senderId": sender,
        "type": "TEXT",
        "content": f"text {at}",
        "readBy": [],
        "reactions": {},
        "deleted": False,
        "createdAt": timestamp,
        "seq": seq,
        **fields,
    }


def store(aws: AwsResources, messages: list[dict[str, Any]]) -> None:
    """Store many messages."""
    table = aws.table(tables.MESSAGES)
    for start in range(0, len(messages), 25):
        batch = [{"PutRequest": {"Item": to_item(message)}} for message in messages[start : start + 25]]
        aws.dynamodb.batch_write_item(RequestItems={table: batch})


def conversation_with(aws: AwsResources, count: int) -> tuple[str, str, str]:
    """Return a direct conversation of two with that many messages of the first."""
    ana, ben = user_ids(2)
    conversation = seed_conversation(aws, [ana, ben], latestSeq=count)
    store(aws, [stored_message(conversation, ana, seq, seq) for seq in range(1, count + 1)])
    return conversation, ana, ben


def seqs(answer: Any) -> list[int]:
    """Return the numbers of an answer's messages."""
    return [message["seq"] for message in answer.body["messages"]]


def test_pages_are_consecutive_without_overlap_or_gap(harness: FunctionHarness) -> None:
    conversation, ana, _ = conversation_with(harness.aws, 25)
    seen: list[int] = []
    query: dict[str, Any] = {"limit": 10}
    for _ in range(3):
        answer = harness.history(ana, conversation, **query)
        assert answer.body["latestSeq"] == 25
        seen += seqs(answer)
        query["cursor"] = answer.body["nextCursor"]
    assert seen == list(range(25, 0, -1))
    assert answer.body["nextCursor"] is None


def test_page_that_ends_with_the_first_message_has_no_cursor(harness: FunctionHarness) -> None:
    conversation, ana, _ = conversation_with(harness.aws, 10)
    answer = harness.history(ana, conversation, limit=10)
    assert seqs(answer) == list(range(10, 0, -1))
    assert answer.body["nextCursor"] is None


def test_before_accepts_a_date_in_any_time_zone_and_is_exclusive(harness: FunctionHarness) -> None:
    conversation, ana, _ = conversation_with(harness.aws, 5)
    third = to_iso(START + 3000)
    assert seqs(harness.history(ana, conversation, before=third)) == [2, 1]
    assert seqs(harness.history(ana, conversation, before="2026-02-01T01:00:03+01:00")) == [2, 1]


def test_page_is_full_even_if_many_messages_are_hidden(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben], latestSeq=60)
    hidden = {"hiddenFrom": {ben}}
    rows = [stored_message(conversation, ana, n, n, **(hidden if n % 6 else {})) for n in range(1, 61)]
    store(harness.aws, rows)
    first = harness.history(ben, conversation, limit=4)
    assert seqs(first) == [60, 54, 48, 42]
    second = harness.history(ben, conversation, limit=6, cursor=first.body["nextCursor"])
    assert seqs(second) == [36, 30, 24, 18, 12, 6]
    assert second.body["nextCursor"] is None
    assert len(seqs(harness.history(ana, conversation, limit=60))) == 60


def test_messages_of_the_old_application_follow_those_with_sequence_numbers(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben], latestSeq=2)
    old = [stored_message(conversation, ana, None, n) for n in (1, 2, 3)]
    old[0] |= {"deleted": True}
    store(harness.aws, [*old, *(stored_message(conversation, ana, n, 3 + n) for n in (1, 2))])
    answer = harness.history(ben, conversation)
    assert seqs(answer) == [2, 1, None, None, None]
    assert answer.body["messages"][-1]["content"] is None
    assert answer.body["nextCursor"] is None


def test_missed_messages_are_returned_completely_and_oldest_first(harness: FunctionHarness) -> None:
    """Promise P4."""
    conversation, ana, _ = conversation_with(harness.aws, 12)
    assert seqs(harness.history(ana, conversation, afterSeq=9)) == [10, 11, 12]
    assert seqs(harness.history(ana, conversation, afterSeq=4, beforeSeq=8)) == [5, 6, 7]
    assert seqs(harness.history(ana, conversation, afterSeq=12)) == []
    assert seqs(harness.history(ana, conversation, afterSeq=0)) == list(range(1, 13))
    assert seqs(harness.history(ana, conversation, afterSeq=10, beforeSeq=999)) == [11, 12]


def test_too_many_missed_messages_return_reload_and_no_messages(harness: FunctionHarness) -> None:
    """Promise P4."""
    conversation, ana, _ = conversation_with(harness.aws, GAP_MESSAGES_MAX + 1)
    full = harness.history(ana, conversation, afterSeq=1)
    assert seqs(full) == list(range(2, GAP_MESSAGES_MAX + 2))
    assert full.body["reload"] is False
    wide = harness.history(ana, conversation, afterSeq=0)
    assert (wide.body["reload"], wide.body["messages"], wide.body["changed"]) == (True, [], [])


def test_reload_is_returned_to_a_client_ahead_of_the_server(harness: FunctionHarness) -> None:
    conversation, ana, _ = conversation_with(harness.aws, 3)
    assert harness.history(ana, conversation, afterSeq=4).body["reload"] is True
    assert harness.history(ana, conversation, afterChange=1).body["reload"] is True


@pytest.mark.server_errors("a stored message is deleted")
def test_history_with_a_missing_sequence_number_is_never_returned(harness: FunctionHarness) -> None:
    """The conversation's latest number is 5, and the query misses one message of a transaction in progress."""
    for missing in (5, 3, 1):
        ana, ben = user_ids(2)
        conversation = seed_conversation(harness.aws, [ana, ben], latestSeq=5)
        store(harness.aws, [stored_message(conversation, ana, n, n) for n in range(1, 6) if n != missing])
        for query in ({}, {"afterSeq": 0}, {"limit": 3} if missing > 2 else {}):
            answer = harness.history(ana, conversation, **query)
            assert answer.status == 503, (missing, query)
        harness.aws.put(tables.MESSAGES, stored_message(conversation, ana, missing, missing))
        assert seqs(harness.history(ana, conversation, afterSeq=0)) == [1, 2, 3, 4, 5]


def test_messages_that_arrive_during_a_read_of_history_leave_no_gap(harness: FunctionHarness) -> None:
    """The conversation was read with latest number 3; at the time of the query there are 6 messages."""
    conversation, ana, _ = conversation_with(harness.aws, 6)
    harness.aws.dynamodb.update_item(
        TableName=harness.aws.table(tables.CONVERSATIONS),
        Key=to_item({"conversationId": conversation}),
        UpdateExpression="SET latestSeq = :three",
        ExpressionAttributeValues=to_item({":three": 3}),
    )
    assert seqs(harness.history(ana, conversation, afterSeq=0)) == [1, 2, 3]
    page = harness.history(ana, conversation, limit=2)
    assert (seqs(page), page.body["latestSeq"]) == ([6, 5], 6)


def test_missed_edits_and_deletions_are_returned_with_the_present_messages(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    sent = [harness.send(ana, conversation, f"text {n}").body["message"] for n in range(4)]
    harness.edit(ana, sent[1], "first edit")
    harness.edit(ana, sent[1], "second edit")
    harness.delete(ana, sent[3])
    answer = harness.history(ben, conversation, afterSeq=4, afterChange=0)
    assert answer.body["latestChange"] == 3
    assert [message["content"] for message in answer.body["changed"]] == ["second edit", None]
    assert answer.body["changed"][1]["deleted"] is True
    later = harness.history(ben, conversation, afterChange=2)
    assert [message["messageId"] for message in later.body["changed"]] == [sent[3]["messageId"]]
    assert later.body["messages"] == []
    assert harness.history(ben, conversation, afterChange=3).body["changed"] == []


def test_changes_that_expired_or_are_too_many_return_reload(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    message = harness.send(ana, conversation).body["message"]
    for n in range(3):
        harness.edit(ana, message, f"edit {n}")
    key = to_item({"conversationId": conversation, "change": 2})
    harness.aws.dynamodb.delete_item(TableName=harness.aws.table(tables.MESSAGE_CHANGES), Key=key)
    assert harness.history(ben, conversation, afterChange=1).body["reload"] is True
    assert harness.history(ben, conversation, afterChange=2).body["reload"] is False
    far = seed_conversation(harness.aws, [ana, ben], latestChange=GAP_CHANGES_MAX + 1)
    assert harness.history(ben, far, afterChange=0).body["reload"] is True


def test_change_of_a_hidden_message_is_hidden(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    block(harness.aws, conversation, ben)
    message = harness.send(ana, conversation, "unseen").body["message"]
    harness.edit(ana, message, "still unseen")
    unblock(harness.aws, conversation, ben)
    answer = harness.history(ben, conversation, afterSeq=0, afterChange=0)
    assert (answer.body["reload"], answer.body["messages"], answer.body["changed"]) == (False, [], [])
    assert harness.publisher.events(ben) == []


def test_read_by_lists_the_participants_besides_the_sender_who_have_read_a_message(harness: FunctionHarness) -> None:
    ana, ben, eva = user_ids(3)
    conversation = seed_conversation(harness.aws, [ana, ben, eva])
    for sender in (ana, ana, ben):
        harness.send(sender, conversation)
    read = {"conversationId": conversation, "seq": 1}
    assert harness.call(eva, "markRead", read).status == 200
    messages = harness.history(ana, conversation, afterSeq=0).body["messages"]
    assert [sorted(message["readBy"]) for message in messages] == [sorted([ben, eva]), [ben], []]


def test_read_by_stays_empty_above_the_fan_out_limit(aws: AwsResources) -> None:
    ana, ben, eva = user_ids(3)
    harness = FunctionHarness(aws, fanout_limit=2)
    conversation = seed_conversation(aws, [ana, ben, eva])
    for sender in (ana, ben):
        harness.send(sender, conversation)
    assert [message["readBy"] for message in harness.history(eva, conversation).body["messages"]] == [[], []]


def test_history_is_refused_to_users_who_are_not_participants(harness: FunctionHarness) -> None:
    conversation, _, _ = conversation_with(harness.aws, 1)
    (eva,) = user_ids(1)
    assert harness.history(eva, conversation).status == 403
    assert harness.history(eva, "nowhere").status == 404


def cursor(content: Any) -> str:
    """Return a forged cursor."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    ({"before": "2026-01-01T00:00:00Z", "cursor": "x"}, "cursor"),
    ({"before": "2026-01-01T00:00:00Z", "afterSeq": 1}, "afterSeq"),
    ({"cursor": "x", "afterChange": 1}, "afterChange"),
    ({"beforeSeq": 4}, "beforeSeq"),
    ({"beforeSeq": 4, "afterChange": 1}, "beforeSeq"),
    ({"afterSeq": 4, "beforeSeq": 4}, "beforeSeq"),
    ({"before": "yesterday"}, "before"),
    ({"before": "2026-01-01T00:00:00"}, "before"),
    ({"before": "0001-01-01T00:00:00+14:00"}, "before"),
    ({"limit": 0}, "limit"),
    ({"limit": 101}, "limit"),
    ({"limit": "ten"}, "limit"),
    ({"afterSeq": -1}, "afterSeq"),
    ({"cursor": "%%%"}, "cursor"),
    ({"cursor": "ñ"}, "cursor"),
    ({"cursor": cursor([1])}, "cursor"),
    ({"cursor": cursor({"c": "nowhere", "t": "2026-01-01T00:00:00.000Z"})}, "cursor"),
    ({"cursor": cursor({"c": "HERE", "t": "soon"})}, "cursor"),
    ({"page": 2}, "page"),
]


def test_contradictory_and_malformed_parameters_are_refused_with_their_name(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    for query, field in CONTRADICTIONS:
        if query.get("cursor") == cursor({"c": "HERE", "t": "soon"}):
            query = {"cursor": cursor({"c": conversation, "t": "soon"})}
        answer = harness.history(ana, conversation, **query)
        assert (answer.status, answer.body.get("error", {}).get("field")) == (400, field), query
