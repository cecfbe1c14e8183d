"""The cache of conversations: what fills it, what is dropped, and which reads it saves."""

from __future__ import annotations

from typing import Any

import pytest

from contract import tables
from handlers.adapters.dynamodb.conversations.reader import DynamoConversationReader
from handlers.core.messages.conversation_cache import ConversationCache
from tests.harness.emulator import AwsResources
from tests.harness.faults import FaultInjector, FaultyClient, request_lost
from tests.harness.functions import FunctionHarness
from tests.harness.seeds import seed_conversation, user_ids


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    """The functions on this test's tables."""
    return FunctionHarness(aws)


def test_cache_holds_the_last_conversations_up_to_its_capacity(aws: AwsResources) -> None:
    calls, cache = FaultInjector(), ConversationCache(capacity=2)
    reader = DynamoConversationReader(FaultyClient(aws.dynamodb, calls), aws.table(tables.CONVERSATIONS), cache)
    ids = [seed_conversation(aws, user_ids(2)) for _ in range(3)]
    for each in ids:
        assert reader.read(each) == cache.get(each)
    assert cache.get(ids[0]) is None
    assert cache.get(ids[2]) is not None
    assert reader.read("nowhere") is None
    assert calls.calls == ["get_item"] * 4


def test_storing_none_removes_a_conversation(aws: AwsResources) -> None:
    cache = ConversationCache()
    conversation = seed_conversation(aws, user_ids(2))
    DynamoConversationReader(aws.dynamodb, aws.table(tables.CONVERSATIONS), cache).read(conversation)
    assert cache.get(conversation) is not None
    cache.put(conversation, None)
    assert cache.get(conversation) is None


def test_conversation_read_by_another_operation_is_not_read_again_by_a_send(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    assert harness.call(ana, "setTyping", {"conversationId": conversation, "isTyping": True}).status == 200
    harness.faults.calls.clear()
    assert harness.send(ana, conversation).status == 200
    assert harness.faults.calls[0] == "transact_write_items"


class UnresponsiveClient:
    """A DynamoDB client whose transactions are not answered while `failing` is set; records the calls."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.failing = False
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        """Return an operation of the client."""
        self.calls.append(name)
        if self.failing and name == "transact_write_items":
            return lambda **parameters: request_lost(lambda: None)
        return getattr(self._client, name)


@pytest.mark.server_errors("a fault is injected")
def test_conversation_is_read_again_after_a_send_with_unknown_outcome(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    client = UnresponsiveClient(harness.aws.dynamodb)
    handlers = harness.functions(client)
    body = {"conversationId": seed_conversation(harness.aws, [ana, ben]), "content": "hello"}
    assert harness.call(ana, "sendMessage", body, handlers=handlers).status == 200
    client.failing = True
    assert harness.call(ana, "sendMessage", body, handlers=handlers).status == 503
    client.failing = False
    client.calls.clear()
    assert harness.call(ana, "sendMessage", body, handlers=handlers).status == 200
    assert client.calls[:2] == ["get_item", "transact_write_items"]
