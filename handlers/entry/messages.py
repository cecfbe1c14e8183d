"""The messages routes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec

from contract.requests import DeleteMessage, EditMessage, History, MarkRead, SendMessage, Typing
from contract.responses import Changed, Done, HistoryPage, ReadDone, Sent
from handlers.adapters import aws_clients
from handlers.adapters.appsync.publisher import EventsPublisher
from handlers.adapters.dynamodb.conversations.reader import DynamoConversationReader
from handlers.adapters.dynamodb.messages.edit_store import DynamoEditStore, EditTables
from handlers.adapters.dynamodb.messages.history_store import DynamoHistoryStore
from handlers.adapters.dynamodb.messages.read_mark_store import DynamoReadMarkStore
from handlers.adapters.dynamodb.messages.send_store import DynamoSendStore, SendTables
from handlers.adapters.dynamodb.outbox import DynamoOutbox
from handlers.adapters.dynamodb.rate_limits import DynamoRateCounter
from handlers.adapters.sqs.delivery_queue import SqsDeliveryQueue
from handlers.adapters.system import RandomIds, SystemClock
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.delivery.ports import DeliveryQueue, Publisher
from handlers.core.messages.edit import MessageEditor
from handlers.core.messages.history import MessageHistory
from handlers.core.messages.mark_read import ReadMarker
from handlers.core.messages.send import MessageSender
from handlers.core.messages.typing import TypingIndicator
from handlers.core.shared.ports import Clock, Ids
from handlers.entry.http import ApiRequest, Operation, route_handler
from handlers.settings import MessagesSettings


class Messaging(msgspec.Struct, frozen=True, kw_only=True):
    """The message operations, wired."""

    sender: MessageSender
    typist: TypingIndicator
    reader: ReadMarker
    historian: MessageHistory
    changer: MessageEditor


def wire(
    settings: MessagesSettings, dynamodb: Any, publisher: Publisher, queue: DeliveryQueue, clock: Clock, ids: Ids
) -> Messaging:
    """Return the operations on top of the given services.

    Args:
        dynamodb: a botocore client.
    """
    conversations, messages = settings.conversations_table, settings.messages_table
    members, outbox = settings.conversation_members_table, settings.outbox_table
    dispatch = Dispatcher(publisher, DynamoOutbox(dynamodb, outbox), queue)
    limit = settings.fanout_limit
    send_tables = SendTables(
        conversations=conversations,
        members=members,
        messages=messages,
        idempotency=settings.idempotency_table,
        rate_limits=settings.rate_limits_table,
        outbox=outbox,
    )
    change_tables = EditTables(
        conversations=conversations,
        members=members,
        messages=messages,
        message_changes=settings.message_changes_table,
        outbox=outbox,
    )
    rates = DynamoRateCounter(dynamodb, settings.rate_limits_table)
    reads = DynamoReadMarkStore(dynamodb, conversations, messages, members, outbox)
    history = DynamoHistoryStore(dynamodb, conversations, messages, settings.message_changes_table, members)
    return Messaging(
        sender=MessageSender(DynamoSendStore(dynamodb, send_tables), dispatch, clock, ids, limit),
        typist=TypingIndicator(DynamoConversationReader(dynamodb, conversations), rates, publisher, clock, ids, limit),
        reader=ReadMarker(reads, dispatch, clock, ids, limit),
        historian=MessageHistory(history, clock, limit),
        changer=MessageEditor(DynamoEditStore(dynamodb, change_tables), dispatch, clock, ids, limit),
    )


def operations(messaging: Callable[[], Messaging]) -> Mapping[str, Operation]:
    """Return the operations by their names in the route list."""

    def send(call: ApiRequest[SendMessage]) -> Sent:
        return messaging().sender.send(call.caller.user_id, call.request)

    def typing(call: ApiRequest[Typing]) -> Done:
        return messaging().typist.notify(call.caller.user_id, call.request)

    def read(call: ApiRequest[MarkRead]) -> ReadDone:
        return messaging().reader.mark(call.caller.user_id, call.request)

    def history(call: ApiRequest[History]) -> HistoryPage:
        return messaging().historian.read(call.caller.user_id, call.path["conversationId"], call.request)

    def edit(call: ApiRequest[EditMessage]) -> Changed:
        return messaging().changer.edit(call.caller.user_id, call.path["messageId"], call.request)

    def delete(call: ApiRequest[DeleteMessage]) -> Changed:
        user_id, message_id = call.caller.user_id, call.path["messageId"]
        return messaging().changer.delete(user_id, message_id, call.request.conversationId)

    return {
        "sendMessage": send,
        "setTyping": typing,
        "markRead": read,
        "getHistory": history,
        "editMessage": edit,
        "deleteMessage": delete,
    }


@cache
def _messaging() -> Messaging:
    settings = MessagesSettings.load()
    return wire(
        settings,
        aws_clients.client("dynamodb"),
        EventsPublisher(settings.events_http_endpoint, aws_clients.session()),
        SqsDeliveryQueue(lambda: aws_clients.client("sqs"), settings.delivery_queue_url),
        SystemClock(),
        RandomIds(),
    )


handle = route_handler("messages", operations(_messaging))

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _messaging()
