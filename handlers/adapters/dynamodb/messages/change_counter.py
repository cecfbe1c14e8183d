"""The change numbers in the counters of conversations. See `handlers.core.messages.numbering`."""

from __future__ import annotations

import time
from typing import Any, Final

from contract.limits import CHANGE_RETENTION_DAYS
from handlers.adapters.dynamodb.codec import from_item, to_item
from handlers.adapters.dynamodb.conversations.reader import conversation_key, unchanged
from handlers.adapters.dynamodb.messages.conditional import ConditionFailedError, ConflictError, conditional
from handlers.adapters.dynamodb.messages.counter_items import create_counter
from handlers.adapters.dynamodb.messages.message_items import ABSENT
from handlers.adapters.dynamodb.messages.reservations import PAUSE_SECONDS, TRIES
from handlers.adapters.dynamodb.messages.sequence_counter import new_id
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.numbering import ChangeCounter, ChangeReservation, Refusal
from handlers.core.shared.errors import OutcomeUnknownError

_RESERVE_TRIES: Final = 4


class DynamoChangeCounter(ChangeCounter):
    """Reserves change numbers by single updates, which never conflict with each other.

    The arguments besides the client are table names.
    """

    def __init__(self, client: Any, *, counters: str, conversations: str, changes: str) -> None:
        self._client = client
        self._counters = counters
        self._conversations = conversations
        self._changes = changes

    def reserve(self, conversation: ConversationState, now: int) -> ChangeReservation | Refusal:
        reservation_id = new_id(now)
        for _ in range(_RESERVE_TRIES):
            try:
                return self._reserve(conversation, reservation_id, now)
            except ConflictError:
                return Refusal.CONTENDED
            except ConditionFailedError as failed:
                counter = failed.item
            except OutcomeUnknownError:
                continue  # repeated under the same id, which reserves one number only
            if not counter and not conversation.is_group:
                return Refusal.CHANGED
            if "pendingChange" not in counter:
                create_counter(self._client, self._counters, self._conversations, conversation)
            elif reservation_id in counter["pendingChange"]:
                return self._reservation(conversation, reservation_id, counter["pendingChange"][reservation_id], now)
            else:
                return Refusal.CHANGED
        return Refusal.CONTENDED

    def _reserve(self, conversation: ConversationState, reservation_id: str, now: int) -> ChangeReservation:
        conditions = (
            "attribute_exists(pendingChange)",
            "attribute_not_exists(pendingChange.#r)",
            unchanged("version", conversation.version, ":version"),
        )
        with conditional("the change number"):
            answer = self._client.update_item(
                TableName=self._table(is_direct=not conversation.is_group),
                Key=conversation_key(conversation.conversation_id),
                UpdateExpression="SET latestChange = latestChange + :one, pendingChange.#r = latestChange + :one",
                ConditionExpression=" AND ".join(conditions),
                ExpressionAttributeNames={"#r": reservation_id},
                ExpressionAttributeValues=to_item({":one": 1, ":version": conversation.version}),
                ReturnValues="UPDATED_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        number = from_item(answer["Attributes"])["latestChange"]
        return self._reservation(conversation, reservation_id, number, now)

    @staticmethod
    def _reservation(conversation: ConversationState, reservation_id: str, number: int, now: int) -> ChangeReservation:
        return ChangeReservation(
            conversation_id=conversation.conversation_id,
            reservation_id=reservation_id,
            change=number,
            reserved_at=now,
            is_direct=not conversation.is_group,
        )

    def settle(self, reservation: ChangeReservation) -> None:
        request = {
            "TableName": self._table(is_direct=reservation.is_direct),
            "Key": conversation_key(reservation.conversation_id),
            "UpdateExpression": "REMOVE pendingChange.#r",
            "ConditionExpression": "attribute_exists(pendingChange)",
            "ExpressionAttributeNames": {"#r": reservation.reservation_id},
        }
        for _ in range(TRIES):
            try:
                with conditional("the change number"):
                    self._client.update_item(**request)
                return
            except ConditionFailedError:
                return
            except ConflictError:
                time.sleep(PAUSE_SECONDS)

    def void(self, reservation: ChangeReservation) -> None:
        placeholder = {
            "conversationId": reservation.conversation_id,
            "change": reservation.change,
            "kind": "VOID",
            "expiresAt": reservation.reserved_at // 1000 + CHANGE_RETENTION_DAYS * 86_400,
        }
        try:
            with conditional("the placeholder"):
                self._client.put_item(TableName=self._changes, Item=to_item(placeholder), ConditionExpression=ABSENT)
        except ConflictError:
            return  # the change is being stored at this moment
        except ConditionFailedError:
            pass  # the change or the placeholder is stored
        self.settle(reservation)

    def _table(self, *, is_direct: bool) -> str:
        return self._conversations if is_direct else self._counters
