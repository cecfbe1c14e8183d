"""Publishes typing events: at most once, without storing them."""

from __future__ import annotations

import logging
from functools import partial

import msgspec

from contract import channels, events
from contract.limits import TYPING_RATE
from contract.requests import Typing
from contract.responses import Done
from handlers.core.delivery.outbox import event_json
from handlers.core.delivery.ports import Publisher
from handlers.core.messages import lookup
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.ports import ConversationReader
from handlers.core.shared import concurrency
from handlers.core.shared.errors import TooManyRequestsError
from handlers.core.shared.ports import Clock, Ids, RateCounter
from handlers.core.shared.timestamps import to_iso
from handlers.core.shared.timing import stage

_log = logging.getLogger(__name__)


class TypingIndicator(msgspec.Struct, frozen=True, kw_only=True):
    """Publishes to the other participants that a user is typing.

    Args:
        fanout_limit: in a larger conversation no typing events are published, since they cost more than they are worth.
    """

    conversations: ConversationReader
    rates: RateCounter
    publisher: Publisher
    clock: Clock
    ids: Ids
    fanout_limit: int

    def notify(self, user_id: str, request: Typing) -> Done:
        """Publish one event to the other participants. A failed publish is logged and not repeated.

        Raises:
            NotFoundError: no such conversation.
            ForbiddenError: the user is not a participant.
            TooManyRequestsError: the user's rate limit is used up.
        """
        now = self.clock.now()
        with stage("read"):
            counting = concurrency.start(partial(self.rates.count, user_id, TYPING_RATE, now))
            state = lookup.conversation(self.conversations, request.conversationId, user_id)
            if not counting.result():
                wait = TYPING_RATE.retry_after(now / 1000)
                raise TooManyRequestsError("too many typing notices", retry_after=wait)
        recipients = self._recipients(state, user_id)
        if recipients:
            with stage("publish"):
                self._publish(user_id, request, recipients, now)
        return Done()

    def _recipients(self, state: ConversationState, user_id: str) -> tuple[str, ...]:
        if state.blocked_by or len(state.participants) > self.fanout_limit:
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
