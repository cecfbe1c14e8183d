"""A model-based test: in every order of events and responses, the log ends equal to the server's conversation."""

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
    """A conversation as the API stores it: consistent reads, gaps of at most FILLABLE messages or changes."""

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
        """Return the response to a gap: `numbers` were read before the messages, as the API does."""
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
class GapRequest:
    gap: Gap
    numbers: tuple[int, int]
    page: HistoryPage | None = None


class LogAgainstServer(RuleBasedStateMachine):
    published = Bundle("published")

    def __init__(self) -> None:
        super().__init__()
        self.server = Server()
        self.requested: GapRequest | None = None
        self.reported: list[Message] = []
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
        # Events from before the subscription may still arrive, with the content before later edits.
        self.events = [("sent", stored.states[0]) for stored in self.server.stored]

    # The server

    @rule(target=published, hidden=st.booleans())
    def send(self, hidden: bool) -> tuple[Any, ...]:
        message = self.server.send(hidden)
        event = ("sent", message)
        if hidden:
            return ("nothing",)
        self.events.append(event)
        return event

    @precondition(lambda self: self.server.stored)
    @rule(target=published, data=st.data(), delete=st.booleans())
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

    # Events: each may arrive at any time, any number of times, or never

    @rule(event=published)
    def arrive(self, event: tuple[Any, ...]) -> None:
        self.take(event)

    @precondition(lambda self: self.events)
    @rule(data=st.data())
    def arrive_late(self, data: st.DataObject) -> None:
        self.take(data.draw(st.sampled_from(self.events)))

    def take(self, event: tuple[Any, ...]) -> None:
        kind, *rest = event
        if kind == "sent":
            self.take_changes(self.log.add_message(rest[0]))
        elif kind == "changed":
            self.take_changes(self.log.apply_change(rest[0], rest[1]))
        elif kind == "deleted":
            self.take_changes(self.log.apply_deletion(rest[0], rest[1], rest[2], "2026-01-01T00:00:00Z"))

    # Recovery: one request at a time; its response is read and arrives at any time

    @rule()
    def reconnect(self) -> None:
        self.log.note_latest(*self.server.numbers)

    @precondition(lambda self: self.requested is None and self.log.gap is not None)
    @rule()
    def request_gap(self) -> None:
        assert self.log.gap is not None
        self.requested = GapRequest(self.log.gap, self.server.numbers)

    @precondition(lambda self: self.requested is not None and self.requested.page is None)
    @rule(beyond=st.booleans())
    def read_response(self, beyond: bool) -> None:
        assert self.requested is not None
        self.requested.page = self.server.gap(self.requested.gap, self.requested.numbers, beyond=beyond)

    @precondition(lambda self: self.requested is not None and self.requested.page is not None)
    @rule()
    def receive_response(self) -> None:
        assert self.requested is not None
        assert self.requested.page is not None
        if self.requested.page.reload:
            self.take_changes(self.log.restart(self.server.newest(self.server.numbers)))
        else:
            self.take_changes(self.log.fill_gap(self.requested.gap, self.requested.page))
        self.requested = None

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
        for message in self.log.add_older_page(page, generation):
            self.view[message.messageId] = message

    # The application

    def take_changes(self, changes: list[MessageAdded | MessageChanged | HistoryReset]) -> None:
        for change in changes:
            if isinstance(change, MessageAdded):
                self.reported.append(change.message)
                self.view[change.message.messageId] = change.message
            elif isinstance(change, MessageChanged):
                assert self.view[change.message.messageId] != change.message
                self.view[change.message.messageId] = change.message
            else:
                self.skipped.append((change.after_seq, change.first_seq))
                self.view.clear()
                self.view.update({m.messageId: m for m in self.log.messages if (m.seq or 0) <= change.after_seq})

    @invariant()
    def reports_each_message_once_and_in_order(self) -> None:
        numbers = [message.seq or 0 for message in self.reported]
        assert numbers == sorted(set(numbers))

    @invariant()
    def shows_only_states_that_the_server_had(self) -> None:
        for message in self.view.values():
            states = self.server.stored[(message.seq or 0) - 1]
            assert not states.hidden
            assert message in states.states

    @invariant()
    def view_equals_log(self) -> None:
        if hasattr(self, "log"):
            assert {m.messageId: m for m in self.log.messages} == self.view
            numbers = [m.seq or 0 for m in self.log.messages]
            visible = [m.seq or 0 for m in self.server.visible()]
            first, last = (numbers[0], numbers[-1]) if numbers else (1, 0)
            assert numbers == [number for number in visible if first <= number <= last]

    def teardown(self) -> None:
        if not hasattr(self, "log"):
            return
        if self.requested is not None:
            if self.requested.page is None:
                self.read_response(beyond=False)
            self.receive_response()
        self.reconnect()
        rounds = 0
        while self.log.gap is not None:
            self.request_gap()
            self.read_response(beyond=True)
            self.receive_response()
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
        assert [message.seq for message in self.reported] == expected
        for message in self.log.messages:
            assert message == now[message.messageId]
        self.reports_each_message_once_and_in_order()
        self.view_equals_log()


LogAgainstServer.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestLogEqualsServerInEveryOrderOfEventsAndResponses = LogAgainstServer.TestCase
