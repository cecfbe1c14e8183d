"""Publishes typing events: at most once, without storing them."""

from __future__ import annotations

import logging

import msgspec

from contract import channels, events
from contract.limits import TYPING_PARTICIPANTS_MAX, TYPING_RATE
from contract.requests import Typing
from contract.responses import Done
from handlers.core.delivery.outbox import event_json
from handlers.core.delivery.ports import Publisher
from handlers.core.messages import lookup
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.ports import ConversationReader, TypingRates, TypingUse
from handlers.core.shared.errors import TooManyRequestsError
from handlers.core.shared.ports import Clock, Ids
from handlers.core.shared.timestamps import to_iso
from handlers.core.shared.timing import stage

_log = logging.getLogger(__name__)


class TypingIndicator(msgspec.Struct, frozen=True, kw_only=True):
    """Publishes to the other participants that a user is typing, unless there are many of them."""

    conversations: ConversationReader
    rates: TypingRates
    publisher: Publisher
    clock: Clock
    ids: Ids

    def notify(self, user_id: str, request: Typing) -> Done:
        """Publish one event to the other participants. A failed publish is logged and not repeated.

        An event that repeats another one within a moment, and any event in a large conversation, is accepted and not
        published.

        Raises:
            NotFoundError: no such conversation.
            ForbiddenError: the user is not a participant.
            TooManyRequestsError: the user's rate limit is used up.
        """
        now = self.clock.now()
        with stage("read"):
            state = lookup.conversation(self.conversations, request.conversationId, user_id)
        recipients = self._recipients(state, user_id)
        if not recipients:
            return Done()
        with stage("count"):
            use = self.rates.count(user_id, request.conversationId, now, typing=request.isTyping)
        if use is TypingUse.REFUSED:
            raise TooManyRequestsError("too many typing notices", retry_after=TYPING_RATE.retry_after(now / 1000))
        if use is TypingUse.PUBLISHED:
            with stage("publish"):
                self._publish(user_id, request, recipients, now)
        return Done()

    @staticmethod
    def _recipients(state: ConversationState, user_id: str) -> tuple[str, ...]:
        if state.blocked_by or len(state.participants) > TYPING_PARTICIPANTS_MAX:
            return ()
        return state.other_participants(user_id)

    def _publish(self, user_id: str, request: Typing, recipients: tuple[str, ...], now: int) -> None:
        kind = events.UserTyping if request.isTyping else events.UserStoppedTyping
        event = kind(
            eventId=self.ids.new(),
            timestamp=to_iso(now),
            data=events.TypingData(conversationId=request.conversationId, userId=user_id),
        )
        paths = [channels.channel(channels.CHATS, each) for each in recipients]
        try:
            self.publisher.publish(paths, event_json(event))
        except Exception:
            _log.exception("publishing a typing event failed")
