"""Both sides on the same tables: the old server with its clients, the backend with its clients, and the bridge."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from client.state.conversation_log import ConversationLog
from contract import events, tables
from contract.responses import HistoryPage
from handlers.adapters.system import SystemClock
from handlers.core.conversations.ids import old_direct_id
from tests.harness.bridge import BridgeFunction, OldApplication
from tests.harness.emulator import AwsResources
from tests.harness.functions import FunctionHarness
from tests.ops.cutover.old_side import OldClient, OldServer

_PAGE = 100


class NewClient:
    """A client of the backend: the log of the Python client for each conversation, fed by events and by history."""

    def __init__(self, functions: FunctionHarness, user_id: str, conversations: list[str]) -> None:
        self._functions = functions
        self.user_id = user_id
        self.logs: dict[str, ConversationLog] = {}
        self._read = len(functions.publisher.published)
        for conversation_id in conversations:
            self.logs[conversation_id] = ConversationLog(conversation_id, seq=0, change=0)
            self.logs[conversation_id].restart(self._history(conversation_id, limit=_PAGE))

    def send(self, conversation_id: str, content: str) -> None:
        """Send a message; the own event shows it."""
        assert self._functions.send(self.user_id, conversation_id, content).status == 200

    def receive(self) -> None:
        """Take the events that were published since the last call, and read the gaps that they show."""
        published = self._functions.publisher.published
        for channel, event in published[self._read :]:
            if channel == f"/chats/{self.user_id}" and event["type"] == "MESSAGE_SENT":
                sent = msgspec.convert({**event, "type": "MESSAGE_SENT"}, type=events.MessageSent).data
                self.logs[sent.conversationId].add_message(sent)
        self._read = len(published)
        for log in self.logs.values():
            while (gap := log.gap) is not None:
                log.fill_gap(gap, self._history(log.conversation_id, afterSeq=gap.after_seq))

    def shown(self, conversation_id: str) -> list[str]:
        """Return the contents that are shown, oldest first."""
        return [str(each.content) for each in self.logs[conversation_id].messages]

    def _history(self, conversation_id: str, **query: Any) -> HistoryPage:
        answer = self._functions.history(self.user_id, conversation_id, **query)
        assert answer.status == 200, answer
        return msgspec.convert(answer.body, type=HistoryPage, strict=False)


@dataclass
class Campus:
    """Four users in an old direct conversation and an old group, both with messages of before.

    Attributes:
        ada, grace: the participants of the direct conversation.
    """

    aws: AwsResources
    bridge: BridgeFunction | None = None
    old: dict[str, OldClient] = field(default_factory=dict)
    new: dict[str, NewClient] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Store the users and what the old application has stored."""
        self.functions = FunctionHarness(self.aws, clock=SystemClock())
        self.server = OldServer(self.aws)
        self.users = self.functions.users(4)
        self.ada, self.grace = self.users[:2]
        before = OldApplication(self.aws)
        self.direct = before.conversation(self.ada, self.grace, conversation_id=old_direct_id(self.ada, self.grace))
        self.group = before.conversation(*self.users, kind="GROUP")
        before.send(self.ada, self.direct, "direct before", "2025-11-20T10:00:00.000Z")
        before.send(self.ada, self.group, "group before", "2025-11-20T10:00:00.000Z")

    @property
    def conversations(self) -> list[str]:
        """Both conversations."""
        return [self.direct, self.group]

    def of(self, user_id: str) -> list[str]:
        """Return the conversations of a user."""
        return [self.direct, self.group] if user_id in (self.ada, self.grace) else [self.group]

    def start_bridge(self) -> BridgeFunction:
        """Deploy the bridge, and restart the old server with its queue."""
        self.bridge = BridgeFunction(self.aws)
        self.restart_old_server()
        return self.bridge

    def restart_old_server(self, **options: Any) -> None:
        """Restart the old server; its clients connect again."""
        self.server.start(queue_url=self.bridge.queue_url if self.bridge else "", **options)
        for each in self.old.values():
            each.connect(self.server.url)

    def use_old(self, user_id: str) -> OldClient:
        """Give a user the old client."""
        self.new.pop(user_id, None)
        self.old[user_id] = OldClient(self.aws, user_id, self.of(user_id))
        self.old[user_id].connect(self.server.url)
        return self.old[user_id]

    def use_new(self, user_id: str) -> NewClient:
        """Give a user the new client."""
        if user_id in self.old:
            self.old.pop(user_id).close()
        self.new[user_id] = NewClient(self.functions, user_id, self.of(user_id))
        return self.new[user_id]

    def settle(self) -> None:
        """Let the bridge and the delivery do their work."""
        if self.bridge is not None:
            self.bridge.run()
        assert self.functions.deliver() == 0
        for each in self.new.values():
            each.receive()

    def stored(self, conversation_id: str) -> list[dict[str, Any]]:
        """Return the stored messages, oldest first."""
        items = [
            each
            for each in self.aws.scan(tables.MESSAGES)
            if each["conversationId"] == conversation_id and not each.get("voided")
        ]
        return sorted(items, key=lambda each: each["timestamp"])

    def check(self, *sent: str) -> None:
        """Check that both sides show what is stored: nothing is lost, doubled or in another order.

        Args:
            sent: every content that was accepted so far.
        """
        self.settle()
        stored = {each: self.stored(each) for each in self.conversations}
        contents = [str(each["content"]) for items in stored.values() for each in items]
        assert sorted(contents) == sorted(["direct before", "group before", *sent])
        for conversation_id, items in stored.items():
            numbers = [each["seq"] for each in items if "seq" in each]
            assert numbers == list(range(1, len(numbers) + 1))
            for new in (each for each in self.new.values() if conversation_id in each.logs):
                assert new.shown(conversation_id) == [each["content"] for each in items]
        for old in self.old.values():
            expected = {each["messageId"] for name in old.conversations for each in stored[name]}
            old.wait_for(lambda shown, expected=expected: set(shown) >= expected)  # type: ignore[misc]
            assert set(old.shown) == expected
            assert old.doubled == []

    def stop(self) -> None:
        """End every process and connection."""
        for each in self.old.values():
            each.close()
        self.server.stop()
