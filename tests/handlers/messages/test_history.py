"""History: full pages, and recovery that is never partial (promise P4)."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from contract.limits import GAP_CHANGES_MAX, GAP_MESSAGES_MAX
from handlers.adapters.dynamodb.codec import to_item
from handlers.core.shared.timestamps import from_iso, to_iso
from tests.harness.handlers.cloud import World
from tests.harness.handlers.functions import Backend
from tests.harness.handlers.seeds import block, put, seed_conversation, unblock, user_ids

START = from_iso("2026-02-01T00:00:00.000Z")


@pytest.fixture
def backend(world: World) -> Backend:
    """The functions on this test's tables."""
    return Backend(world)


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


def store(world: World, messages: list[dict[str, Any]]) -> None:
    """Store many messages."""
    table = world.variables["MESSAGES_TABLE"]
    for start in range(0, len(messages), 25):
        batch = [{"PutRequest": {"Item": to_item(message)}} for message in messages[start : start + 25]]
        world.dynamodb.batch_write_item(RequestItems={table: batch})


def conversation_with(world: World, count: int) -> tuple[str, str, str]:
    """Return a direct conversation of two with that many messages of the first."""
    ana, ben = user_ids(2)
    conversation = seed_conversation(world, [ana, ben], latestSeq=count)
    store(world, [stored_message(conversation, ana, seq, seq) for seq in range(1, count + 1)])
    return conversation, ana, ben


def seqs(answer: Any) -> list[int]:
    """Return the numbers of an answer's messages."""
    return [message["seq"] for message in answer.body["messages"]]


def test_pages_follow_one_another_without_overlap_or_gap_until_the_last(backend: Backend) -> None:
    conversation, ana, _ = conversation_with(backend.world, 25)
    seen: list[int] = []
    query: dict[str, Any] = {"limit": 10}
    for _ in range(3):
        answer = backend.history(ana, conversation, **query)
        assert answer.body["latestSeq"] == 25
        seen += seqs(answer)
        query["cursor"] = answer.body["nextCursor"]
    assert seen == list(range(25, 0, -1))
    assert answer.body["nextCursor"] is None


def test_a_page_that_ends_exactly_with_the_first_message_has_no_successor(backend: Backend) -> None:
    conversation, ana, _ = conversation_with(backend.world, 10)
    answer = backend.history(ana, conversation, limit=10)
    assert seqs(answer) == list(range(10, 0, -1))
    assert answer.body["nextCursor"] is None


def test_before_takes_a_date_in_any_zone_and_means_older_than(backend: Backend) -> None:
    conversation, ana, _ = conversation_with(backend.world, 5)
    third = to_iso(START + 3000)
    assert seqs(backend.history(ana, conversation, before=third)) == [2, 1]
    assert seqs(backend.history(ana, conversation, before="2026-02-01T01:00:03+01:00")) == [2, 1]


def test_a_page_is_full_however_many_messages_are_hidden_in_between(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben], latestSeq=60)
    hidden = {"hiddenFrom": {ben}}
    rows = [stored_message(conversation, ana, n, n, **(hidden if n % 6 else {})) for n in range(1, 61)]
    store(backend.world, rows)
    first = backend.history(ben, conversation, limit=4)
    assert seqs(first) == [60, 54, 48, 42]
    second = backend.history(ben, conversation, limit=6, cursor=first.body["nextCursor"])
    assert seqs(second) == [36, 30, 24, 18, 12, 6]
    assert second.body["nextCursor"] is None
    assert len(seqs(backend.history(ana, conversation, limit=60))) == 60


def test_messages_of_the_old_application_come_after_the_numbered_ones(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben], latestSeq=2)
    old = [stored_message(conversation, ana, None, n) for n in (1, 2, 3)]
    old[0] |= {"deleted": True}
    store(backend.world, [*old, *(stored_message(conversation, ana, n, 3 + n) for n in (1, 2))])
    answer = backend.history(ben, conversation)
    assert seqs(answer) == [2, 1, None, None, None]
    assert answer.body["messages"][-1]["content"] is None
    assert answer.body["nextCursor"] is None


def test_a_gap_is_filled_oldest_first_with_exactly_what_was_missed(backend: Backend) -> None:
    conversation, ana, _ = conversation_with(backend.world, 12)
    assert seqs(backend.history(ana, conversation, afterSeq=9)) == [10, 11, 12]
    assert seqs(backend.history(ana, conversation, afterSeq=4, beforeSeq=8)) == [5, 6, 7]
    assert seqs(backend.history(ana, conversation, afterSeq=12)) == []
    assert seqs(backend.history(ana, conversation, afterSeq=0)) == list(range(1, 13))
    assert seqs(backend.history(ana, conversation, afterSeq=10, beforeSeq=999)) == [11, 12]


def test_a_gap_too_wide_says_reload_and_shows_nothing_that_looks_complete(backend: Backend) -> None:
    conversation, ana, _ = conversation_with(backend.world, GAP_MESSAGES_MAX + 1)
    full = backend.history(ana, conversation, afterSeq=1)
    assert seqs(full) == list(range(2, GAP_MESSAGES_MAX + 2))
    assert full.body["reload"] is False
    wide = backend.history(ana, conversation, afterSeq=0)
    assert (wide.body["reload"], wide.body["messages"], wide.body["changed"]) == (True, [], [])


def test_a_client_ahead_of_the_server_is_told_to_reload(backend: Backend) -> None:
    conversation, ana, _ = conversation_with(backend.world, 3)
    assert backend.history(ana, conversation, afterSeq=4).body["reload"] is True
    assert backend.history(ana, conversation, afterChange=1).body["reload"] is True


def test_a_number_without_its_message_is_never_answered_as_complete(backend: Backend) -> None:
    """The conversation says 5, and the query does not see message 5 (or 3) yet: a transaction under way."""
    for missing in (5, 3, 1):
        ana, ben = user_ids(2)
        conversation = seed_conversation(backend.world, [ana, ben], latestSeq=5)
        store(backend.world, [stored_message(conversation, ana, n, n) for n in range(1, 6) if n != missing])
        for query in ({}, {"afterSeq": 0}, {"limit": 3} if missing > 2 else {}):
            answer = backend.history(ana, conversation, **query)
            assert answer.status == 503, (missing, query)
        put(backend.world, "MESSAGES_TABLE", stored_message(conversation, ana, missing, missing))
        assert seqs(backend.history(ana, conversation, afterSeq=0)) == [1, 2, 3, 4, 5]


def test_messages_that_arrive_while_history_is_read_do_not_tear_a_hole(backend: Backend) -> None:
    """The conversation was read at 3; by the time of the query there are 6."""
    conversation, ana, _ = conversation_with(backend.world, 6)
    backend.world.dynamodb.update_item(
        TableName=backend.world.variables["CONVERSATIONS_TABLE"],
        Key=to_item({"conversationId": conversation}),
        UpdateExpression="SET latestSeq = :three",
        ExpressionAttributeValues=to_item({":three": 3}),
    )
    assert seqs(backend.history(ana, conversation, afterSeq=0)) == [1, 2, 3]
    page = backend.history(ana, conversation, limit=2)
    assert (seqs(page), page.body["latestSeq"]) == ([6, 5], 6)


def test_edits_and_deletions_are_recovered_by_their_number_as_the_messages_are_now(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    sent = [backend.send(ana, conversation, f"text {n}").body["message"] for n in range(4)]
    backend.edit(ana, sent[1], "first edit")
    backend.edit(ana, sent[1], "second edit")
    backend.delete(ana, sent[3])
    answer = backend.history(ben, conversation, afterSeq=4, afterChange=0)
    assert answer.body["latestChange"] == 3
    assert [message["content"] for message in answer.body["changed"]] == ["second edit", None]
    assert answer.body["changed"][1]["deleted"] is True
    later = backend.history(ben, conversation, afterChange=2)
    assert [message["messageId"] for message in later.body["changed"]] == [sent[3]["messageId"]]
    assert later.body["messages"] == []
    assert backend.history(ben, conversation, afterChange=3).body["changed"] == []


def test_changes_no_longer_kept_or_too_many_say_reload(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    message = backend.send(ana, conversation).body["message"]
    for n in range(3):
        backend.edit(ana, message, f"edit {n}")
    key = to_item({"conversationId": conversation, "change": 2})
    backend.world.dynamodb.delete_item(TableName=backend.world.variables["MESSAGE_CHANGES_TABLE"], Key=key)
    assert backend.history(ben, conversation, afterChange=1).body["reload"] is True
    assert backend.history(ben, conversation, afterChange=2).body["reload"] is False
    far = seed_conversation(backend.world, [ana, ben], latestChange=GAP_CHANGES_MAX + 1)
    assert backend.history(ben, far, afterChange=0).body["reload"] is True


def test_a_change_of_a_hidden_message_stays_hidden(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    block(backend.world, conversation, ben)
    message = backend.send(ana, conversation, "unseen").body["message"]
    backend.edit(ana, message, "still unseen")
    unblock(backend.world, conversation, ben)
    answer = backend.history(ben, conversation, afterSeq=0, afterChange=0)
    assert (answer.body["reload"], answer.body["messages"], answer.body["changed"]) == (False, [], [])
    assert backend.devices.events(ben) == []


def test_read_by_lists_the_others_who_have_read_a_message(backend: Backend) -> None:
    ana, ben, eva = user_ids(3)
    conversation = seed_conversation(backend.world, [ana, ben, eva])
    for sender in (ana, ana, ben):
        backend.send(sender, conversation)
    read = {"conversationId": conversation, "seq": 1}
    assert backend.request("POST /api/messages/read", eva, read).status == 200
    messages = backend.history(ana, conversation, afterSeq=0).body["messages"]
    assert [sorted(message["readBy"]) for message in messages] == [sorted([ben, eva]), [ben], []]


def test_read_by_stays_empty_above_the_fan_out_limit(world: World) -> None:
    ana, ben, eva = user_ids(3)
    backend = Backend(world, fanout_limit=2)
    conversation = seed_conversation(world, [ana, ben, eva])
    for sender in (ana, ben):
        backend.send(sender, conversation)
    assert [message["readBy"] for message in backend.history(eva, conversation).body["messages"]] == [[], []]


def test_history_is_for_participants(backend: Backend) -> None:
    conversation, _, _ = conversation_with(backend.world, 1)
    (eva,) = user_ids(1)
    assert backend.history(eva, conversation).status == 403
    assert backend.history(eva, "nowhere").status == 404


def cursor(content: Any) -> str:
    """Return a cursor as a client could forge it."""
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


def test_contradictory_or_malformed_parameters_are_refused_by_name(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    for query, field in CONTRADICTIONS:
        if query.get("cursor") == cursor({"c": "HERE", "t": "soon"}):
            query = {"cursor": cursor({"c": conversation, "t": "soon"})}
        answer = backend.history(ana, conversation, **query)
        assert (answer.status, answer.body.get("error", {}).get("field")) == (400, field), query
