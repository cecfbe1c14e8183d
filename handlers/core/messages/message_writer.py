"""Stores messages: the number is reserved first, so that senders do not wait for each other. See `numbering`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from typing import Final, Literal

import msgspec

from contract.limits import SEND_RATE
from contract.requests import SendMessage
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.new_message import SendIdentity, new_message
from handlers.core.messages.numbering import Counter, Refusal, Reservation, SequenceCounter, send_key
from handlers.core.messages.ports import (
    ConversationReader,
    MessageStore,
    MessageWriteStatus,
    NewMessage,
)
from handlers.core.messages.rules import StoredMessage
from handlers.core.messages.send_hints import SendHints
from handlers.core.shared import concurrency
from handlers.core.shared.errors import NotFoundError, OutcomeUnknownError, TooManyRequestsError, UnavailableError
from handlers.core.shared.ports import Clock, RateCounter
from handlers.core.shared.retry import attempts

_log = logging.getLogger(__name__)
SHOWN_PARTICIPANTS_MAX: Final = 50
"""Most participants of a group whose conversation shows its newest message: each update takes the write units of the
whole item, which grows by 39 bytes with each participant."""


Unread = tuple[Reservation, int] | None
"""A reservation in a group that was not read yet, and the group's version; None where nothing was reserved."""


class Stored(msgspec.Struct, frozen=True):
    """An accepted message.

    Args:
        new: the message.
        reservation: its reservation, which is to be settled; None where the message needs none.
    """

    new: NewMessage
    reservation: Reservation | None = None

    @property
    def incomplete(self) -> bool:
        """Return whether the message is accepted by its outbox record only."""
        return self.reservation is not None and self.reservation.is_direct


class _Draft:
    """What the attempts of one send have so far."""

    def __init__(self, conversation: ConversationState, counting: Future[bool], *, at_once: bool) -> None:
        self.conversation: ConversationState | None = conversation
        self.counting = counting
        self.at_once = at_once and not conversation.is_group
        self.reservation: Reservation | None = None
        self.membership: Literal["member", "ahead", "conversation"] = "member"


class MessageWriter:
    """Stores messages.

    Args:
        conversations: reads a conversation that has changed since it was cached.
        counter: reserves the numbers.
        store: stores the messages.
        rates: counts the sends.
        clock: the clock.
        fanout_limit: most recipients published to within the request.
    """

    def __init__(
        self,
        conversations: ConversationReader,
        counter: SequenceCounter,
        store: MessageStore,
        rates: RateCounter,
        clock: Clock,
        fanout_limit: int,
    ) -> None:
        self._conversations = conversations
        self._counter = counter
        self._store = store
        self._rates = rates
        self._clock = clock
        self._fanout_limit = fanout_limit
        self._hints = SendHints()

    def count(self, sender_id: str) -> Future[bool]:
        """Start to count a send; the result is whether it is within the rate limit.

        It runs beside the first read or reservation, so that the limit takes no round trip of its own.
        """
        now = self._clock.now()
        if self._hints.is_used_up(sender_id, now):
            refused: Future[bool] = Future()
            refused.set_result(False)
            return refused
        return concurrency.start(partial(self._rates.count, sender_id, SEND_RATE, now))

    def reserve_unread(self, sender_id: str, conversation_id: str) -> Future[Unread]:
        """Start to reserve a number of a group that is not in the cache, beside its read."""
        now = self._clock.now()
        if self._hints.is_used_up(sender_id, now):
            nothing: Future[Unread] = Future()
            nothing.set_result(None)
            return nothing
        return concurrency.start(partial(self._counter.reserve_unread, conversation_id, sender_id, now))

    def store(
        self,
        identity: SendIdentity,
        request: SendMessage,
        conversation: ConversationState,
        counting: Future[bool],
        unread: Future[Unread] | None,
    ) -> Stored | StoredMessage:
        """Store a message; return the stored message where its tempId was accepted before.

        Args:
            identity: ids of the send.
            request: what to send.
            conversation: the conversation, perhaps out of date.
            counting: the result of `count`.
            unread: the result of `reserve_unread`, where this request has read the conversation. A direct message is
                then first tried in one transaction with its number, which takes one round trip less, and costs more.

        Raises:
            NotFoundError, ForbiddenError: the conversation is gone, or the sender is no member or has blocked the
                recipient.
            TooManyRequestsError: the sender's rate limit is used up.
            UnavailableError: too many changes at once; nothing was stored.
        """
        before = self._refused_before(identity, request, conversation, counting)
        if before is not None:
            return before
        draft = _Draft(conversation, counting, at_once=unread is not None)
        try:
            self._use_unread(draft, unread.result() if unread is not None else None)
            for _ in attempts(self._clock):
                stored = self._try(identity, request, draft)
                if stored is not None:
                    return stored
            raise UnavailableError("too many changes at once; nothing was stored; try again")
        finally:
            self._void(draft)

    def _use_unread(self, draft: _Draft, unread: Unread) -> None:
        """Use a number that was reserved beside the read, unless the group has changed between them."""
        if unread is None or draft.conversation is None:
            return
        draft.reservation, version = unread
        if version != draft.conversation.version:
            self._void(draft)

    def _try(self, identity: SendIdentity, request: SendMessage, draft: _Draft) -> Stored | StoredMessage | None:
        """Make one attempt; return None where a further attempt may succeed."""
        if draft.conversation is None:
            raise NotFoundError("no such conversation", field="conversationId")
        draft.conversation.require_participant(identity.sender_id)
        draft.conversation.require_not_blocker(identity.sender_id)
        if draft.at_once:
            draft.at_once = False
            return self._try_at_once(identity, request, draft.conversation, draft.counting)
        if draft.reservation is None:
            reserved = self._reserve(identity, request, draft.conversation)
            if isinstance(reserved, Refusal):
                if reserved is Refusal.CHANGED:
                    draft.conversation = self._read_again(draft.conversation)
                return None
            draft.reservation = reserved
        self._require_rate(identity, draft.counting)
        new = new_message(
            identity,
            request,
            draft.conversation,
            seq=draft.reservation.seq,
            timestamp=draft.reservation.timestamp,
            now=draft.reservation.reserved_at,
            fanout_limit=self._fanout_limit,
            membership=draft.membership,
        )
        match self._store.store(new):
            case MessageWriteStatus.STORED:
                stored, draft.reservation = Stored(new, draft.reservation), None
                self._hints.add_accepted(identity.sender_id, request)
                return stored
            case MessageWriteStatus.READ_AHEAD:
                draft.membership = "ahead"
            case MessageWriteStatus.NO_MEMBER:
                self._without_membership(draft)
            case MessageWriteStatus.TIMESTAMP_TAKEN:  # a reader has voided the reservation, or is about to
                self._void(draft)
            case MessageWriteStatus.DUPLICATE:
                self._hints.add_accepted(identity.sender_id, request)
                return self._find(identity, request, draft.conversation)
        return None

    def _try_at_once(
        self, identity: SendIdentity, request: SendMessage, conversation: ConversationState, counting: Future[bool]
    ) -> Stored | StoredMessage | None:
        """Store a direct message in one transaction; return None where it needs a reservation."""
        self._require_rate(identity, counting)
        now = self._clock.now()
        counter = Counter.of_direct(conversation)
        new = new_message(
            identity,
            request,
            conversation,
            seq=counter.latest_seq + 1,
            timestamp=max(now, counter.last_timestamp + 1),
            now=now,
            fanout_limit=self._fanout_limit,
        )
        match self._store.store_at_once(new):
            case MessageWriteStatus.STORED:
                self._hints.add_accepted(identity.sender_id, request)
                return Stored(new)
            case MessageWriteStatus.DUPLICATE:
                self._hints.add_accepted(identity.sender_id, request)
                return self._find(identity, request, conversation)
        return None

    def _reserve(
        self, identity: SendIdentity, request: SendMessage, conversation: ConversationState
    ) -> Reservation | Refusal:
        key = send_key(identity.sender_id, request.tempId, identity.message_id)
        return self._counter.reserve(conversation, self._clock.now(), key)

    def _require_rate(self, identity: SendIdentity, counting: Future[bool]) -> None:
        if not counting.result():
            now = self._clock.now()
            self._hints.add_used_up(identity.sender_id, now)
            raise TooManyRequestsError("too many messages", retry_after=SEND_RATE.retry_after(now / 1000))

    def _without_membership(self, draft: _Draft) -> None:
        """Rest on the conversation instead of the membership, unless it has changed or is already used."""
        known = draft.conversation
        present = self._conversations.read(known.conversation_id) if known else None
        unchanged = known is not None and present is not None and present.version == known.version
        if unchanged and draft.membership != "conversation":
            draft.membership = "conversation"
            return
        self._void(draft)
        draft.membership, draft.conversation = "member", present

    def settle(self, stored: Stored, depends_on: Sequence[Future[None]]) -> None:
        """End the reservation of a stored message. If this fails, a reader ends it.

        A conversation of few participants then shows the message to the clients of the previous application. If that
        fails, it shows an older message to them until the next send.

        Args:
            stored: the message.
            depends_on: writes without which the message is not complete.
        """
        reservation, message = stored.reservation, stored.new.message
        if reservation is None:
            return
        try:
            for each in depends_on:
                each.result()
            self._counter.settle(reservation, message)
        except Exception:
            _log.exception("settling number %d failed; a reader will settle it", reservation.seq)
        if reservation.is_direct or len(stored.new.conversation.participants) > SHOWN_PARTICIPANTS_MAX:
            return
        try:
            self._store.show_newest(message)
        except (UnavailableError, OutcomeUnknownError) as error:
            _log.info("the conversation does not show number %d: %s", reservation.seq, error)

    def complete(self, stored: Stored) -> Sequence[Future[None]]:
        """Start what completes an accepted message; the first is its item in the table Messages."""
        if not stored.incomplete:
            return ()
        new = stored.new
        return [concurrency.start(partial(write, new)) for write in (self._store.complete, self._store.mark_read)]

    def _read_again(self, known: ConversationState) -> ConversationState | None:
        """Read a conversation that the counter says has changed; correct the counter if it has not."""
        present = self._conversations.read(known.conversation_id)
        if present is not None and present.is_group and present.version == known.version:
            self._counter.align(present)
        return present

    def _refused_before(
        self, identity: SendIdentity, request: SendMessage, conversation: ConversationState, counting: Future[bool]
    ) -> StoredMessage | None:
        """Refuse what this process knows to be refused, before a number is reserved for it."""
        if self._hints.is_used_up(identity.sender_id, self._clock.now()):
            self._require_rate(identity, counting)
        repeated = self._hints.is_accepted(identity.sender_id, request)
        return self._find(identity, request, conversation) if repeated else None

    def _find(
        self, identity: SendIdentity, request: SendMessage, conversation: ConversationState
    ) -> StoredMessage | None:
        if request.tempId is None:
            return None
        return self._store.find_by_temp_id(
            identity.sender_id, request.conversationId, request.tempId, is_direct=not conversation.is_group
        )

    def _void(self, draft: _Draft) -> None:
        """Give up a reservation that is not used. If this fails, a reader voids it."""
        reservation, draft.reservation = draft.reservation, None
        if reservation is None:
            return
        try:
            self._counter.void(reservation)
        except Exception:
            _log.exception("voiding number %d failed; a reader will void it", reservation.seq)
