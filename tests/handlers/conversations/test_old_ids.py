"""Conversations of the old application stay addressable: their ids are longer than those of the backend."""

from __future__ import annotations

from typing import Any

import pytest

from contract import tables
from contract.limits import CONVERSATION_ID_CHARACTERS
from handlers.core.conversations.ids import old_direct_id
from tests.harness.emulator import AwsResources
from tests.harness.functions import FunctionHarness


@pytest.fixture
def functions(aws: AwsResources) -> FunctionHarness:
    """The route functions."""
    return FunctionHarness(aws)


def _store_old(aws: AwsResources, *participants: str) -> dict[str, Any]:
    """Store a direct conversation as the old application did: no version, no numbers, no memberships."""
    created = "2025-12-02T10:00:00.000Z"
    conversation = {
        "conversationId": old_direct_id(*participants),
        "type": "DM",
        "name": "anon",
        "participants": list(participants),
        "admins": [],
        "createdBy": participants[0],
        "createdAt": created,
        "updatedAt": created,
        "lastMessageAt": created,
    }
    aws.put(tables.CONVERSATIONS, conversation)
    return conversation


def test_old_direct_conversation_accepts_sends_and_shows_its_history(
    aws: AwsResources, functions: FunctionHarness
) -> None:
    ada, grace = functions.users(2)
    conversation_id = _store_old(aws, ada, grace)["conversationId"]
    assert len(conversation_id) == 76
    sent = functions.send_ok(ada, conversation_id, "hello")
    page = functions.history(grace, conversation_id)
    assert page.status == 200
    assert [each["messageId"] for each in page.body["messages"]] == [sent["messageId"]]


def test_opening_a_direct_conversation_finds_the_one_of_the_old_application(
    aws: AwsResources, functions: FunctionHarness
) -> None:
    ada, grace = functions.users(2)
    stored = _store_old(aws, ada, grace)
    opened = functions.call_ok(grace, "openDirect", {"userId": ada})
    assert opened["conversation"]["conversationId"] == stored["conversationId"]
    assert opened["created"] is False


def test_conversation_id_at_the_limit_is_looked_up_and_a_longer_one_is_refused(functions: FunctionHarness) -> None:
    ada = functions.user()
    assert functions.send(ada, "x" * CONVERSATION_ID_CHARACTERS).status == 404
    assert functions.send(ada, "x" * (CONVERSATION_ID_CHARACTERS + 1)).status == 400
    assert functions.history(ada, "x" * CONVERSATION_ID_CHARACTERS).status == 404
    refused = functions.history(ada, "x" * (CONVERSATION_ID_CHARACTERS + 1))
    assert refused.status == 400
    assert str(CONVERSATION_ID_CHARACTERS) in refused.body["error"]["message"]
