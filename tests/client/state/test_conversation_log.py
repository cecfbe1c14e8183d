"""The log ends as the server's, each message once and in order, whatever happens to events and answers on their way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from client.state.conversation_log import ConversationLog, Gap
from client.state.updates import HistoryReset, MessageAdded, MessageChanged
from contract.models import Message
from contract.responses import HistoryPage

FILLABLE = 2
PAGE = 3


@dataclass
class Stored:
    message: Message
    hidden: bool
    states: list[Message]


class Server:
    """A conversation as the API keeps it: consistent reads, gaps of at most FILLABLE messages or changes."""

    def __init__(self) -> None:
        self.stored: list[Stored] = []
        self.changes: list[str] = []

    @property
    def numbers(self) -> tuple[int, int]:
        return len(self.stored), len(self.changes)

    def visible(self) -> list[Message]:
        return [stored.message for stored in self.stored if not stored.hidden]

    def send(self, hidden: bool) -> Message:
        seq = len(self.stored) + 1
        message = Message(
            messageId=f"m{seq}",
            conversationId="c",
            senderId="u",
            timestamp=f"2026-01-01T00:00:{seq:06}Z",
            type="TEXT",
            seq=seq,
            content=f"{seq}.0",
        )
        self.stored.append(Stored(message, hidden, [message]))
        return message

    def change(self, index: int, *, delete: bool) -> tuple[int, Stored]:
        stored = self.stored[index]
        self.changes.append(stored.message.messageId)
        number = len(self.changes)
        content = None if delete or stored.message.deleted else f"{stored.message.seq}.{number}"
        stored.message = msgspec.structs.replace(
            stored.message, content=content, deleted=delete or stored.message.deleted
        )
        stored.states.append(stored.message)
        return number, stored

    def gap(self, gap: Gap, numbers: tuple[int, int], *, beyond: bool) -> HistoryPage:
        """Answer a gap: `numbers` were read before the messages, as the API does."""
        messages = [
            m for m in self.visible() if (m.seq or 0) > gap.after_seq and (beyond or (m.seq or 0) <= numbers[0])
        ]
        ids = dict.fromkeys(self.changes[gap.after_change : numbers[1]])
        changed = [m for m in self.visible() if m.messageId in ids]
        too_wide = len(messages) > FILLABLE or len(ids) > FILLABLE
        return HistoryPage(
            conversationId="c",
            messages=[] if too_wide else messages,
            latestSeq=numbers[0],
            latestChange=numbers[1],
            changed=[] if too_wide else changed,
            reload=too_wide,
        )

    def newest(self, numbers: tuple[int, int]) -> HistoryPage:
        return HistoryPage(
            conversationId="c",
            messages=self.visible()[: -PAGE - 1 : -1],
            latestSeq=numbers[0],
            latestChange=numbers[1],
        )


@dataclass
class Asked:
    gap: Gap
    numbers: tuple[int, int]
    page: HistoryPage | None = None


class Delivery(RuleBasedStateMachine):
    wire = Bundle("wire")

    def __init__(self) -> None:
        super().__init__()
        self.server = Server()
        self.asked: Asked | None = None
        self.handed: list[Message] = []
        self.skipped: list[tuple[int, int]] = []
        self.view: dict[str, Message] = {}
        self.events: list[tuple[Any, ...]] = []
        self.pages: list[tuple[int, HistoryPage]] = []

    @initialize(before=st.integers(0, 6), read=st.integers(0, 6), edits=st.integers(0, 3))
    def begin(self, before: int, read: int, edits: int) -> None:
        for _ in range(before):
            self.server.send(hidden=False)
        for index in range(min(edits, before)):
            self.server.change(index, delete=False)
        self.start = min(read, before)
        seq, change = self.server.numbers
        self.log = ConversationLog("c", seq=self.start, change=change, latest_seq=seq, latest_change=change)
        # Events from before the client listened may still come, late and with what has been edited since.
        self.events = [("sent", stored.states[0]) for stored in self.server.stored]

    # The server's side

    @rule(target=wire, hidden=st.booleans())
    def send(self, hidden: bool) -> tuple[Any, ...]:
        message = self.server.send(hidden)
        event = ("sent", message)
        if hidden:
            return ("nothing",)
        self.events.append(event)
        return event

    @precondition(lambda self: self.server.stored)
    @rule(target=wire, data=st.data(), delete=st.booleans())
    def change(self, data: st.DataObject, delete: bool) -> tuple[Any, ...]:
        index = data.draw(st.integers(0, len(self.server.stored) - 1))
        number, stored = self.server.change(index, delete=delete)
        if stored.hidden:
            return ("nothing",)
        event: tuple[Any, ...] = ("changed", number, stored.message)
        if delete:
            event = ("deleted", number, stored.message.messageId, stored.message.seq)
        self.events.append(event)
        return event

    # The wire: every event may come at any time, any number of times, or never

    @rule(event=wire)
    def arrive(self, event: tuple[Any, ...]) -> None:
        self.take(event)

    @precondition(lambda self: self.events)
    @rule(data=st.data())
    def arrive_late(self, data: st.DataObject) -> None:
        self.take(data.draw(st.sampled_from(self.events)))

    def take(self, event: tuple[Any, ...]) -> None:
        kind, *rest = event
        if kind == "sent":
            self.hand(self.log.sent(rest[0]))
        elif kind == "changed":
            self.hand(self.log.changed(rest[0], rest[1]))
        elif kind == "deleted":
            self.hand(self.log.deleted(rest[0], rest[1], rest[2], "2026-01-01T00:00:00Z"))

    # Recovery: one question at a time, whose answer is read and comes at any time

    @rule()
    def reconnect(self) -> None:
        self.log.note(*self.server.numbers)

    @precondition(lambda self: self.asked is None and self.log.gap is not None)
    @rule()
    def ask(self) -> None:
        assert self.log.gap is not None
        self.asked = Asked(self.log.gap, self.server.numbers)

    @precondition(lambda self: self.asked is not None and self.asked.page is None)
    @rule(beyond=st.booleans())
    def read(self, beyond: bool) -> None:
        assert self.asked is not None
        self.asked.page = self.server.gap(self.asked.gap, self.asked.numbers, beyond=beyond)

    @precondition(lambda self: self.asked is not None and self.asked.page is not None)
    @rule()
    def answer(self) -> None:
        assert self.asked is not None
        assert self.asked.page is not None
        if self.asked.page.reload:
            self.hand(self.log.restart(self.server.newest(self.server.numbers)))
        else:
            self.hand(self.log.filled(self.asked.gap, self.asked.page))
        self.asked = None

    @rule()
    def page_back(self) -> None:
        numbers = self.server.numbers
        loaded = self.log.messages
        before = loaded[0].seq if loaded else self.log.seq + 1
        wanted = [m for m in self.server.visible() if (m.seq or 0) < (before or 0)][: -PAGE - 1 : -1]
        page = HistoryPage(conversationId="c", messages=wanted, latestSeq=numbers[0], latestChange=numbers[1])
        self.pages.append((self.log.generation, page))

    @precondition(lambda self: self.pages)
    @rule()
    def page_arrives(self) -> None:
        generation, page = self.pages.pop(0)
        for message in self.log.older(page, generation):
            self.view[message.messageId] = message

    # What the application sees

    def hand(self, changes: list[MessageAdded | MessageChanged | HistoryReset]) -> None:
        for change in changes:
            if isinstance(change, MessageAdded):
                self.handed.append(change.message)
                self.view[change.message.messageId] = change.message
            elif isinstance(change, MessageChanged):
                assert self.view[change.message.messageId] != change.message
                self.view[change.message.messageId] = change.message
            else:
                self.skipped.append((change.after_seq, change.first_seq))
                self.view.clear()
                self.view.update({m.messageId: m for m in self.log.messages if (m.seq or 0) <= change.after_seq})

    @invariant()
    def handed_once_and_in_order(self) -> None:
        numbers = [message.seq or 0 for message in self.handed]
        assert numbers == sorted(set(numbers))

    @invariant()
    def shows_only_what_was_once_true(self) -> None:
        for message in self.view.values():
            states = self.server.stored[(message.seq or 0) - 1]
            assert not states.hidden
            assert message in states.states

    @invariant()
    def shows_what_the_log_holds(self) -> None:
        if hasattr(self, "log"):
            assert {m.messageId: m for m in self.log.messages} == self.view
            numbers = [m.seq or 0 for m in self.log.messages]
            visible = [m.seq or 0 for m in self.server.visible()]
            first, last = (numbers[0], numbers[-1]) if numbers else (1, 0)
            assert numbers == [number for number in visible if first <= number <= last]

    def teardown(self) -> None:
        if not hasattr(self, "log"):
            return
        if self.asked is not None:
            if self.asked.page is None:
                self.read(beyond=False)
            self.answer()
        self.reconnect()
        rounds = 0
        while self.log.gap is not None:
            self.ask()
            self.read(beyond=True)
            self.answer()
            rounds += 1
            assert rounds < 3
        self.is_complete()
        for event in reversed(self.events):
            self.take(event)
        assert self.log.gap is None
        self.is_complete()

    def is_complete(self) -> None:
        now = {message.messageId: message for message in self.server.visible()}
        expected = [
            message.seq
            for message in self.server.visible()
            if (message.seq or 0) > self.start
            and not any(after < (message.seq or 0) < first for after, first in self.skipped)
        ]
        assert [message.seq for message in self.handed] == expected
        for message in self.log.messages:
            assert message == now[message.messageId]
        self.handed_once_and_in_order()
        self.shows_what_the_log_holds()


Delivery.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestEveryOrderOfEventsAndAnswersEndsInTheServersLog = Delivery.TestCase
