"""Reserved numbers of groups whose sender dies, is slow, is refused or repeats itself (promises P1 and P4)."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import pytest

from contract import tables
from contract.limits import SEND_RATE
from contract.models import Message
from handlers.adapters.dynamodb.messages.direct_messages import DynamoDirectMessages
from handlers.adapters.dynamodb.messages.message_store import DynamoMessageStore, MessageTables
from handlers.adapters.dynamodb.messages.sequence_counter import DynamoSequenceCounter
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.message_writer import SHOWN_PARTICIPANTS_MAX
from handlers.core.messages.numbering import VOID_AFTER_MS, Refusal, Reservation, send_key
from handlers.core.messages.ports import MessageWriteStatus, NewMessage
from handlers.core.shared import concurrency
from handlers.core.shared.errors import UnavailableError
from tests.harness import faults
from tests.harness.emulator import AwsResources
from tests.harness.fakes import FakeClock
from tests.harness.faults import FaultInjector
from tests.harness.functions import FunctionHarness
from tests.harness.in_memory.stepping import InlinePool
from tests.harness.seeds import block, numbers, seed_conversation, unblock, user_ids


class Group:
    """A group of three with the functions and the counter."""

    def __init__(self, aws: AwsResources) -> None:
        self.aws = aws
        self.harness = FunctionHarness(aws)
        self.members = user_ids(3)
        self.id = seed_conversation(aws, self.members)
        self.counter = DynamoSequenceCounter(
            aws.dynamodb,
            direct_messages(aws),
            counters=aws.table(tables.CONVERSATION_COUNTERS),
            conversations=aws.table(tables.CONVERSATIONS),
            messages=aws.table(tables.MESSAGES),
        )

    def reserve(self, version: int = 1, now: int | None = None) -> Reservation:
        """Reserve a number as a sender that then dies."""
        state = self.state(version)
        reservation = self.counter.reserve(state, self.harness.clock.now() if now is None else now, "")
        assert isinstance(reservation, Reservation)
        return reservation

    def state(self, version: int = 1) -> ConversationState:
        """Return the conversation, with a version."""
        item = self.aws.item(tables.CONVERSATIONS, conversationId=self.id)
        assert item is not None
        return ConversationState.of({**item, "version": version})

    def send(self, content: str = "hello", **fields: Any) -> dict[str, Any]:
        """Send as the first member."""
        answer = self.harness.send(self.members[0], self.id, content, **fields)
        assert answer.status == 200, answer
        message: dict[str, Any] = answer.body["message"]
        return message

    def recovered(self, after: int = 0) -> tuple[list[int], int]:
        """Return the numbers of the messages that a client recovers, and the number up to which they are complete."""
        answer = self.harness.history(self.members[1], self.id, afterSeq=after)
        assert answer.status == 200, answer
        assert answer.body["reload"] is False
        return [message["seq"] for message in answer.body["messages"]], answer.body["latestSeq"]


def message_store(aws: AwsResources) -> DynamoMessageStore:
    """Return the store of messages, without the permissions of a function."""
    message_tables = MessageTables(
        conversations=aws.table(tables.CONVERSATIONS),
        members=aws.table(tables.CONVERSATION_MEMBERS),
        messages=aws.table(tables.MESSAGES),
        idempotency=aws.table(tables.IDEMPOTENCY),
        outbox=aws.table(tables.OUTBOX),
    )
    return DynamoMessageStore(aws.dynamodb, message_tables, direct_messages(aws))


def direct_messages(aws: AwsResources) -> DynamoDirectMessages:
    """Return what accepts direct messages, without the permissions of a function."""
    return DynamoDirectMessages(
        aws.dynamodb,
        conversations=aws.table(tables.CONVERSATIONS),
        members=aws.table(tables.CONVERSATION_MEMBERS),
        messages=aws.table(tables.MESSAGES),
        outbox=aws.table(tables.OUTBOX),
    )


@pytest.fixture
def group(aws: AwsResources) -> Group:
    """A group."""
    return Group(aws)


def test_number_of_a_dead_sender_is_voided_by_the_next_reader(group: Group) -> None:
    group.send()
    group.reserve()
    group.send()
    assert group.recovered() == ([1, 3], 3)
    assert numbers(group.aws, group.id)["latestSeq"] == 3
    page = group.harness.history(group.members[1], group.id)
    assert [message["seq"] for message in page.body["messages"]] == [3, 1]


def test_number_of_a_repeated_send_stays_pending_when_the_first_send_ends_late(aws: AwsResources) -> None:
    """The ids of the two reservations are equal. A number that is not pending and has no message would be a gap."""
    harness = FunctionHarness(aws)
    members = harness.users(2)
    conversation_id = harness.direct(*members)
    first = Message(**harness.send(members[0], conversation_id, tempId="t").body["message"])
    counter = DynamoSequenceCounter(
        aws.dynamodb,
        direct_messages(aws),
        counters=aws.table(tables.CONVERSATION_COUNTERS),
        conversations=aws.table(tables.CONVERSATIONS),
        messages=aws.table(tables.MESSAGES),
    )
    item = aws.item(tables.CONVERSATIONS, conversationId=conversation_id)
    assert item is not None
    state = ConversationState.of(item)
    repeated = counter.reserve(state, harness.clock.now() + 5, send_key(members[0], "t", ""))
    assert isinstance(repeated, Reservation)
    counter.settle(msgspec.structs.replace(repeated, seq=1), first)
    assert counter.read(state).pending == (repeated,)
    harness.advance(VOID_AFTER_MS / 1000)
    answer = harness.history(members[1], conversation_id, afterSeq=0)
    assert ([message["seq"] for message in answer.body["messages"]], answer.body["latestSeq"]) == ([1], 2)


@pytest.mark.server_errors("a sender stalls between its number and its message")
def test_reader_does_not_void_the_number_of_a_sender_that_is_about_to_store(group: Group) -> None:
    """The clock stands still, so that the reservation has no age."""
    group.harness = FunctionHarness(group.aws, clock=FakeClock(pauses_take_time=False))
    reservation = group.reserve()
    answer = group.harness.history(group.members[1], group.id, afterSeq=0)
    assert answer.status == 503
    assert group.counter.read(group.state()).pending == (reservation,)


def test_reservation_by_a_clock_that_is_ahead_does_not_stop_the_history(group: Group) -> None:
    group.reserve(now=group.harness.clock.now() + 3_600_000)
    after = group.send()
    assert after["seq"] == 2
    assert group.recovered() == ([2], 2)


def test_sender_whose_number_was_voided_stores_its_message_with_the_next_one(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender is slower than a reader waits."""
    original = DynamoMessageStore.store
    seen: list[tuple[list[int], int]] = []

    def slow(self: DynamoMessageStore, new: NewMessage) -> MessageWriteStatus:
        if not seen:
            group.harness.advance(VOID_AFTER_MS / 1000)
            seen.append(group.recovered())
        return original(self, new)

    monkeypatch.setattr(DynamoMessageStore, "store", slow)
    message = group.send()
    assert seen == [([], 1)]
    assert message["seq"] == 2
    assert group.recovered(after=1) == ([2], 2)


def test_list_shows_the_reserved_number_so_that_a_client_asks_for_it(group: Group) -> None:
    """A client that compares the list's number with its own must not miss a message behind a dead sender's number."""
    group.send()
    group.reserve()
    group.send("newest")
    (shown,) = group.harness.call_ok(group.members[1], "listConversations")["conversations"]
    assert (shown["latestSeq"], shown["lastMessage"]["preview"], shown["lastMessage"]["seq"]) == (3, "newest", 3)


def test_edit_and_deletion_of_the_newest_message_show_in_the_list(group: Group) -> None:
    message = group.send("first")
    group.harness.edit(group.members[0], message, "second")
    (shown,) = group.harness.call_ok(group.members[1], "listConversations")["conversations"]
    assert shown["lastMessage"]["preview"] == "second"
    group.harness.delete(group.members[0], message)
    (shown,) = group.harness.call_ok(group.members[1], "listConversations")["conversations"]
    assert (shown["lastMessage"]["preview"], shown["lastMessage"]["deleted"]) == (None, True)


def test_conversation_of_a_group_shows_the_newest_message_to_the_previous_application(group: Group) -> None:
    """Its clients read `latestSeq`, `lastMessageAt` and `lastMessage` of the conversation."""
    older, newer = group.send("older"), group.send("newer")
    store = message_store(group.aws)
    store.show_newest(msgspec.convert(older, Message))
    item = group.aws.item(tables.CONVERSATIONS, conversationId=group.id)
    assert item is not None
    assert (item["latestSeq"], item["lastMessageAt"]) == (2, newer["timestamp"])
    assert (item["lastMessage"]["messageId"], item["lastMessage"]["preview"]) == (newer["messageId"], "newer")


def test_conversation_of_a_large_group_is_not_written_by_a_send(aws: AwsResources) -> None:
    members = user_ids(SHOWN_PARTICIPANTS_MAX + 1)
    conversation = seed_conversation(aws, members)
    before = aws.item(tables.CONVERSATIONS, conversationId=conversation)
    FunctionHarness(aws).send_ok(members[0], conversation)
    assert aws.item(tables.CONVERSATIONS, conversationId=conversation) == before


def test_send_succeeds_where_the_conversation_cannot_show_the_message(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(_: DynamoMessageStore, message: Message) -> None:
        raise UnavailableError(message.messageId)

    monkeypatch.setattr(DynamoMessageStore, "show_newest", throttled)
    group.send()
    assert group.recovered() == ([1], 1)


def test_reservation_is_refused_after_a_change_of_the_members(group: Group) -> None:
    assert group.counter.reserve(group.state(version=9), group.harness.clock.now(), "") is Refusal.CHANGED


def test_reservation_whose_response_is_lost_takes_one_number(
    aws: AwsResources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concurrency, "_pool", InlinePool)
    injector = FaultInjector(4, faults.response_lost)  # after the account, the rate and the read
    members = user_ids(3)
    conversation = seed_conversation(aws, members)
    harness = FunctionHarness(aws, faults=injector)
    assert harness.send(members[0], conversation).body["message"]["seq"] == 1
    assert injector.triggered
    assert numbers(aws, conversation)["latestSeq"] == 1


def test_refused_sends_use_few_numbers(group: Group) -> None:
    """A number whose send is refused becomes a placeholder; a client that goes on sending must not use many."""
    for number in range(SEND_RATE.count):
        group.send(tempId=str(number))
    for number in range(5):
        assert group.harness.send(group.members[0], group.id, tempId=f"more-{number}").status == 429
        group.send(tempId="1")
    assert numbers(group.aws, group.id)["latestSeq"] <= SEND_RATE.count + 1


def test_a_message_of_a_blocked_sender_who_died_is_completed_hidden(aws: AwsResources) -> None:
    """Its completion hides it as the sender would have, even after the end of the block."""
    for at in range(1, 20):
        healthy = FunctionHarness(aws)
        ana, ben = user_ids(2)
        conversation = seed_conversation(aws, [ana, ben])
        faulty = FunctionHarness(aws, healthy.publisher, healthy.clock)
        faulty.send(ana, conversation, "before the block")
        block(aws, conversation, ben)
        faulty.faults.arm(at, faults.killed_after)
        with contextlib.suppress(faults.ProcessKilledError):
            faulty.send(ana, conversation, "during the block")
        unblock(aws, conversation, ben)
        healthy.advance(6)
        assert [each["content"] for each in healthy.history(ben, conversation).body["messages"]] == ["before the block"]
        healthy.relay(*(record["eventId"] for record in aws.scan(tables.OUTBOX)))
        assert healthy.deliver() == 0
        assert [each["data"]["content"] for each in healthy.publisher.events(ben)] == ["before the block"]
        if not faulty.faults.triggered:
            return
    pytest.fail("a send makes more calls than this test reaches")
