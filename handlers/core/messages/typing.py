"""Typing notices: heard at once or not at all. Neither stored nor delivered again."""

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


class TypingIndicator(msgspec.Struct, frozen=True):
    """Tells the others who is typing.

    Args:
        fanout_limit: a larger conversation gets no typing notices: they would cost more than they tell.
    """

    conversations: ConversationReader
    rates: RateCounter
    publisher: Publisher
    clock: Clock
    ids: Ids
    fanout_limit: int

    def notify(self, user_id: str, request: Typing) -> Done:
        """Publish one notice to the other participants, as far as they are there to hear it.

        Raises:
            NotFoundError: no such conversation.
            ForbiddenError: the user is not a participant.
            TooManyRequestsError: the user's limit is used up.
        """
        now = self.clock.now()
        with stage("read"):
            counting = concurrency.start(partial(self.rates.count, user_id, TYPING_RATE, now))
            state = lookup.conversation(self.conversations, request.conversationId, user_id)
            if not counting.result():
                wait = TYPING_RATE.retry_after(now / 1000)
                raise TooManyRequestsError("too many typing notices", retry_after=wait)
        hearers = self._hearers(state, user_id)
        if hearers:
            with stage("publish"):
                self._publish(user_id, request, hearers, now)
        return Done()

    def _hearers(self, state: ConversationState, user_id: str) -> tuple[str, ...]:
        if state.blocked_by or len(state.participants) > self.fanout_limit:
            return ()
        return state.others(user_id)

    def _publish(self, user_id: str, request: Typing, hearers: tuple[str, ...], now: int) -> None:
        kind = events.UserTyping if request.isTyping else events.UserStoppedTyping
        event = kind(
            eventId=self.ids.new(),
            timestamp=to_iso(now),
            data=events.TypingData(conversationId=request.conversationId, userId=user_id),
        )
        paths = [channels.channel(channels.CHATS, each) for each in hearers]
        try:
            self.publisher.publish(paths, event_json(event))
        except Exception:
            _log.exception("a typing notice was not published")
