"""Why did Ana not get it? Each test is one story; `docs/how-to/help-a-user.md` shows them."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from contract import tables
from ops.explain.recipient import CODES
from tests.harness.emulator import AwsResources
from tests.harness.log_lines import LogLines
from tests.ops.explain.campus import Campus, assert_on_page


@pytest.fixture
def ana(campus: Campus) -> str:
    return campus.user("Ana", "Silva")


@pytest.fixture
def ben(campus: Campus) -> str:
    return campus.user("Ben", "Okafor")


def test_ana_was_not_connected_when_the_event_was_published(campus: Campus, ana: str, ben: str) -> None:
    sent = campus.send_id(ben, campus.direct(ben, ana))
    code, text = campus.why(sent, ana)
    assert code == "published"
    assert f"published to the channel /chats/{ana} at 20" in text
    assert "reads it from the history when it connects" in text


def test_ana_has_read_it(campus: Campus, ana: str, ben: str) -> None:
    conversation = campus.direct(ben, ana)
    sent = campus.send_id(ben, conversation)
    campus.call_ok(ana, "markRead", {"conversationId": conversation, "seq": 1})
    code, text = campus.why(sent, ana)
    assert code == "read"
    assert "read mark is 1" in text


def test_ana_had_blocked_the_sender(campus: Campus, ana: str, ben: str) -> None:
    conversation = campus.direct(ben, ana)
    campus.call_ok(ana, "blockUser", userId=ben)
    sent = campus.send_id(ben, conversation)
    campus.call_ok(ana, "unblockUser", userId=ben)
    assert campus.why(sent, ana)[0] == "blocked_sender"
    assert "hidden from the user for good" in campus.why(sent, ana)[1]


def test_ana_was_never_in_the_group(campus: Campus, ana: str, ben: str) -> None:
    sent = campus.send_id(ben, campus.group(ben, campus.user()))
    code, text = campus.why(sent, ana)
    assert code == "not_a_member"
    assert "logs do not show" in text


@pytest.mark.parametrize("by", ["leaveGroup", "removeMember"])
def test_ana_left_the_group_or_was_removed_from_it(campus: Campus, ana: str, ben: str, by: str) -> None:
    group = campus.group(ben, ana, campus.user())
    campus.deliver()
    if by == "leaveGroup":
        campus.call_ok(ana, "leaveGroup", conversationId=group)
    else:
        campus.call_ok(ben, "removeMember", conversationId=group, userId=ana)
    campus.ship("conversations")
    campus.advance(60)
    sent = campus.send_id(ben, group)
    code, text = campus.why(sent, ana)
    assert code == "removed"
    assert "before the message was sent" in text


def test_ana_was_added_to_the_group_later(campus: Campus, ana: str, ben: str) -> None:
    group = campus.group(ben, campus.user())
    sent = campus.send_id(ben, group)
    campus.advance(5)
    campus.call_ok(ben, "addMembers", {"userIds": [ana]}, conversationId=group)
    code, text = campus.why(sent, ana)
    assert code == "joined_later"
    assert "after the message was sent" in text


def test_ana_had_blocked_the_member_who_added_her(campus: Campus, ana: str, ben: str) -> None:
    campus.call_ok(ana, "blockUser", userId=ben)
    group = campus.group(ben, ana, campus.user())
    sent = campus.send_id(ben, group)
    code, text = campus.why(sent, ana)
    assert code == "hidden_member"
    assert "had blocked the member who added" in text


def test_anas_account_is_disabled(campus: Campus, ana: str, ben: str) -> None:
    conversation = campus.direct(ben, ana)
    campus.disable(ana)
    sent = campus.send_id(ben, conversation)
    code, text = campus.why(sent, ana)
    assert code == "disabled"
    assert "disabled since 2026-11-01" in text


def test_publish_to_ana_failed_and_is_repeated(campus: Campus, ana: str, ben: str) -> None:
    group = campus.group(ben, ana)
    campus.unreachable(ana)
    sent = campus.send_id(ben, group)
    code, text = campus.why(sent, ana)
    assert code == "pending"
    assert "The publish to the user failed at 20" in text
    assert campus.why(sent, ben)[0] == "sender"


def test_publish_to_ana_failed_once_and_succeeded_later(campus: Campus, ana: str, ben: str) -> None:
    group = campus.group(ben, ana)
    campus.unreachable(ana)
    sent = campus.send_id(ben, group)
    campus.unreachable()
    campus.advance(6)
    campus.relay(*(each["eventId"] for each in campus.aws.scan(tables.OUTBOX)))
    campus.deliver()
    campus.ship("deliver")
    code, text = campus.why(sent, ana)
    assert code == "published"
    assert "failed at" in text
    assert "A later attempt succeeded" in text


def test_delivery_to_ana_is_a_dead_letter(campus: Campus, ana: str, ben: str) -> None:
    group = campus.group(ben, ana)
    campus.unreachable(ana)
    sent = campus.send_id(ben, group)
    campus.advance(6)
    campus.relay(*(each["eventId"] for each in campus.aws.scan(tables.OUTBOX)))
    campus.bury()
    story = campus.explain(sent, ana)
    assert story.answer is not None
    assert story.answer.code == "dead_letter"
    assert "python -m ops redrive" in story.answer.text
    assert any(step.source == "DeliveryDeadLetters" for step in story.steps)
    assert campus.why(sent, ana)[0] == "dead_letter", "a look takes no dead letter away"


def test_delivery_to_ana_was_given_up(campus: Campus, ana: str, ben: str) -> None:
    group = campus.group(ben, ana)
    campus.unreachable(ana)
    sent = campus.send_id(ben, group)
    campus.exhaust_sweeps()
    code, text = campus.why(sent, ana)
    assert code == "given_up"
    assert "after 10 sweeps" in text


def test_function_was_killed_before_it_published_to_ana(campus: Campus, ana: str, ben: str) -> None:
    group = campus.group(ben, ana)
    campus.publisher.before_publish = _killed
    with pytest.raises(Killed):
        campus.send(ben, group)
    campus.lines.clear()
    (record,) = campus.aws.scan(tables.OUTBOX)
    sent = json.loads(record["event"])["data"]["messageId"]
    code, text = campus.why(sent, ana)
    assert code == "pending"
    assert "failed at" not in text


def test_anas_slice_of_a_large_group_is_pending(aws: AwsResources, lines: LogLines) -> None:
    campus = Campus(aws, lines, fanout_limit=2)
    ana, ben, *others = campus.users(30)
    group = campus.group(ben, ana, *others)
    campus.deliver()
    sent = campus.send_id(ben, group)
    code, text = campus.why(sent, ana)
    assert code == "pending"
    assert "The user is in slice" in text
    campus.unreachable(ana)
    assert campus.deliver()
    campus.ship("deliver")
    assert campus.why(sent, ana)[0] == "pending"
    others_of_the_slice = [each for each in others if campus.why(sent, each)[0] != "published"]
    assert others_of_the_slice == [], "only Ana is left in her slice"


def test_message_was_deleted_before_ana_read_it(campus: Campus, ana: str, ben: str) -> None:
    conversation = campus.direct(ben, ana)
    sent = campus.send_ok(ben, conversation)["message"]
    assert campus.delete(ben, sent).status == 200
    assert campus.why(sent["messageId"], ana)[0] == "deleted"


def test_previous_application_stored_the_message(campus: Campus, ana: str, ben: str) -> None:
    conversation = campus.direct(ben, ana)
    item = {"conversationId": conversation, "timestamp": "2026-01-01T00:00:00.000Z", "messageId": "old-1"}
    campus.aws.put(tables.MESSAGES, {**item, "senderId": ben, "type": "TEXT", "content": "old", "deleted": False})
    assert campus.why("old-1", ana)[0] == "previous_application"


def test_message_is_so_old_that_its_delivery_record_has_expired(campus: Campus, ana: str, ben: str) -> None:
    sent = campus.send_ok(ben, campus.group(ben, ana))["message"]["messageId"]
    campus.advance(15 * 86_400)
    assert campus.why(sent, ana)[0] == "unknown"


def test_no_message_has_the_id(campus: Campus, ana: str) -> None:
    story = campus.explain("no-such-message", ana)
    assert story.answer is not None
    assert (story.found, story.answer.code) == (False, "unknown_message")
    assert_on_page(story.answer)


def test_no_user_has_the_id(campus: Campus, ana: str, ben: str) -> None:
    sent = campus.send_id(ben, campus.direct(ben, ana))
    assert campus.why(sent, str(uuid.uuid4()))[0] == "unknown_user"


def test_every_reason_but_the_expired_event_has_a_story() -> None:
    """Events of messages have no end of validity; only those of calls have."""
    text = Path(__file__).read_text(encoding="utf-8")
    assert [code for code in CODES if f'"{code}"' not in text and code != "expired"] == []


class Killed(BaseException):
    """The process of a function ends."""


def _killed(channel: str) -> None:
    raise Killed
