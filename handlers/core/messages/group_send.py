"""Stores a message in a group: the number is reserved first, so that senders do not wait for each other."""

from __future__ import annotations

import logging
from collections import OrderedDict
from threading import Lock
from typing import Final, Literal

import msgspec

from contract.limits import SEND_RATE
from contract.requests import SendMessage
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.new_message import SendIdentity, new_message
from handlers.core.messages.numbering import Refusal, Reservation, SequenceCounter
from handlers.core.messages.ports import (
    ConversationReader,
    MessageStore,
    MessageWriteStatus,
    NewMessage,
)
from handlers.core.messages.rules import StoredMessage
from handlers.core.shared.errors import NotFoundError, OutcomeUnknownError, TooManyRequestsError, UnavailableError
from handlers.core.shared.ports import Clock
from handlers.core.shared.retry import attempts

_log = logging.getLogger(__name__)
_HINTS: Final = 4_096
SHOWN_PARTICIPANTS_MAX: Final = 50
"""Most participants of a group whose conversation shows its newest message: each update takes the write units of the
whole item, which grows by 39 bytes with each participant."""


class Stored(msgspec.Struct, frozen=True):
    """A stored message and its reservation, which is to be settled."""

    new: NewMessage
    reservation: Reservation


class _Draft:
    """What the attempts of one send have so far."""

    def __init__(self, conversation: ConversationState) -> None:
        self.conversation: ConversationState | None = conversation
        self.reservation: Reservation | None = None
        self.membership: Literal["member", "ahead", "conversation"] = "member"


class _Hints:
    """What this process knows to be refused: used-up windows and accepted tempIds. It may forget.

    A refused transaction costs a number that becomes a placeholder. With the hints, a client that repeats such sends
    uses at most one number in each process.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[object, ...], None] = OrderedDict()
        self._lock = Lock()

    def add(self, *hint: object) -> None:
        with self._lock:
            self._known[hint] = None
            if len(self._known) > _HINTS:
                self._known.popitem(last=False)

    def __contains__(self, hint: tuple[object, ...]) -> bool:
        with self._lock:
            return hint in self._known


class GroupMessageWriter:
    """Stores messages of groups.

    Args:
        conversations: reads a conversation that has changed since it was cached.
        counter: reserves the numbers.
        store: stores the messages.
        clock: the clock.
        fanout_limit: most recipients published to within the request.
    """

    def __init__(
        self,
        conversations: ConversationReader,
        counter: SequenceCounter,
        store: MessageStore,
        clock: Clock,
        fanout_limit: int,
    ) -> None:
        self._conversations = conversations
        self._counter = counter
        self._store = store
        self._clock = clock
        self._fanout_limit = fanout_limit
        self._hints = _Hints()

    def store(
        self, identity: SendIdentity, request: SendMessage, conversation: ConversationState
    ) -> Stored | StoredMessage:
        """Store a message; return the stored message where its tempId was accepted before.

        Raises:
            NotFoundError, ForbiddenError: the conversation is gone, or the sender is no member.
            TooManyRequestsError: the sender's rate limit is used up.
            UnavailableError: too many changes at once; nothing was stored.
        """
        before = self._refused_before(identity, request)
        if before is not None:
            return before
        draft = _Draft(conversation)
        try:
            for _ in attempts(self._clock):
                stored = self._try(identity, request, draft)
                if stored is not None:
                    return stored
            raise UnavailableError("too many changes at once; nothing was stored; try again")
        finally:
            self._void(draft)

    def _try(self, identity: SendIdentity, request: SendMessage, draft: _Draft) -> Stored | StoredMessage | None:
        """Make one attempt; return None where a further attempt may succeed."""
        if draft.conversation is None:
            raise NotFoundError("no such conversation", field="conversationId")
        draft.conversation.require_participant(identity.sender_id)
        if draft.reservation is None:
            reserved = self._counter.reserve(draft.conversation, self._clock.now())
            if isinstance(reserved, Refusal):
                if reserved is Refusal.CHANGED:
                    draft.conversation = self._read_again(draft.conversation)
                return None
            draft.reservation = reserved
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
        match self._store.store(new).status:
            case MessageWriteStatus.STORED:
                stored, draft.reservation = Stored(new, draft.reservation), None
                self._remember(identity, request)
                return stored
            case MessageWriteStatus.READ_AHEAD:
                draft.membership = "ahead"
            case MessageWriteStatus.NO_MEMBER:
                self._without_membership(draft)
            case MessageWriteStatus.TIMESTAMP_TAKEN:  # a reader has voided the reservation
                draft.reservation = None
            case MessageWriteStatus.DUPLICATE:
                self._remember(identity, request)
                return self._find(identity, request)
            case MessageWriteStatus.RATE_LIMITED:
                self._hints.add("rate", identity.sender_id, SEND_RATE.window(new.now / 1000))
                raise _too_many(new.now)
        return None

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

    def settle(self, stored: Stored) -> None:
        """End the reservation of a stored message. If this fails, a reader ends it.

        A conversation of few participants then shows the message to the clients of the previous application. If that
        fails, it shows an older message to them until the next send.
        """
        try:
            self._counter.settle(stored.reservation)
        except Exception:
            _log.exception("settling number %d failed; a reader will settle it", stored.reservation.seq)
        if len(stored.new.conversation.participants) > SHOWN_PARTICIPANTS_MAX:
            return
        try:
            self._store.show_newest(stored.new.message)
        except (UnavailableError, OutcomeUnknownError) as error:
            _log.info("the conversation does not show number %d: %s", stored.reservation.seq, error)

    def _read_again(self, known: ConversationState) -> ConversationState | None:
        """Read a conversation that the counter says has changed; correct the counter if it has not."""
        present = self._conversations.read(known.conversation_id)
        if present is not None and present.version == known.version:
            self._counter.align(present)
        return present

    def _refused_before(self, identity: SendIdentity, request: SendMessage) -> StoredMessage | None:
        now = self._clock.now()
        window = SEND_RATE.window(now / 1000)
        limited = ("rate", identity.sender_id, window) in self._hints
        repeated = ("sent", identity.sender_id, request.conversationId, request.tempId) in self._hints
        if not (limited or repeated):
            return None
        before = self._find(identity, request)
        if before is None and limited:
            raise _too_many(now)
        return before

    def _find(self, identity: SendIdentity, request: SendMessage) -> StoredMessage | None:
        if request.tempId is None:
            return None
        return self._store.find_by_temp_id(identity.sender_id, request.conversationId, request.tempId)

    def _remember(self, identity: SendIdentity, request: SendMessage) -> None:
        if request.tempId is not None:
            self._hints.add("sent", identity.sender_id, request.conversationId, request.tempId)

    def _void(self, draft: _Draft) -> None:
        """Give up a reservation that is not used. If this fails, a reader voids it."""
        reservation, draft.reservation = draft.reservation, None
        if reservation is None:
            return
        try:
            self._counter.void(reservation)
        except Exception:
            _log.exception("voiding number %d failed; a reader will void it", reservation.seq)


def _too_many(now: int) -> TooManyRequestsError:
    return TooManyRequestsError("too many messages", retry_after=SEND_RATE.retry_after(now / 1000))
