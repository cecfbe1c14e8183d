"""An index that lags behind its table: a request finds messages as they are stored."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contract import tables
from tests.harness.emulator import AwsResources
from tests.harness.functions import FunctionHarness
from tests.harness.seeds import block, seed_conversation, user_ids

LAG = {"lagLeastMilliseconds": 10_000, "lagMostMilliseconds": 10_000}
"""Longer than a test takes."""


@pytest.fixture
def harness(aws: AwsResources) -> Iterator[FunctionHarness]:
    with aws.emulator.strict(LAG):
        yield FunctionHarness(aws)


@pytest.mark.parametrize("members", [2, 3])
def test_a_message_is_found_before_the_index_has_it(aws: AwsResources, harness: FunctionHarness, members: int) -> None:
    ana, ben, *others = user_ids(members)
    conversation = seed_conversation(aws, [ana, ben, *others])
    message = harness.send_ok(ana, conversation, "hello")["message"]
    read = harness.call(ben, "markRead", {"conversationId": conversation, "messageId": message["messageId"]})
    assert (read.status, read.body["lastReadSeq"]) == (200, 1)
    reply = harness.send(ben, conversation, "hi", replyTo=message["messageId"])
    assert (reply.status, reply.body["message"]["replyTo"]) == (200, message["messageId"])
    assert harness.edit(ana, message, "hello again").body["message"]["content"] == "hello again"
    assert harness.delete(ana, message).status == 200


def test_a_message_of_another_conversation_is_not_found(aws: AwsResources, harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    here, there = seed_conversation(aws, [ana, ben]), seed_conversation(aws, [ana, ben])
    message = harness.send_ok(ana, here, "hello")["message"]
    assert harness.send(ana, there, "hi", replyTo=message["messageId"]).status == 404


def test_a_deletion_is_not_published_to_a_user_from_whom_an_edit_has_hidden_the_message(
    aws: AwsResources, harness: FunctionHarness
) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(aws, [ana, ben])
    message = harness.send_ok(ana, conversation, "hello")["message"]
    with aws.emulator.strict(LAG):  # the index has the message, and lags from now on
        block(aws, conversation, ben)
        assert harness.edit(ana, message, "hello again").status == 200
        harness.publisher.published.clear()
        assert harness.delete(ana, message).status == 200
    assert [event["type"] for event in harness.publisher.events(ana)] == ["MESSAGE_DELETED"]
    assert harness.publisher.events(ben) == []


def test_a_deleted_message_cannot_be_edited_or_deleted_again(aws: AwsResources, harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(aws, [ana, ben])
    message = harness.send_ok(ana, conversation, "hello")["message"]
    with aws.emulator.strict(LAG):
        first = harness.delete(ana, message)
        assert harness.delete(ana, message).body == first.body
        assert harness.edit(ana, message, "again").status == 409
    assert len(aws.scan(tables.MESSAGE_CHANGES)) == 1
