"""The messages routes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec

from contract.requests import DeleteMessage, EditMessage, History, MarkRead, SendMessage, Typing
from contract.responses import Changed, Done, HistoryPage, ReadDone, Sent
from handlers.adapters import aws
from handlers.adapters.change_store import ChangeTables, DynamoChangeStore
from handlers.adapters.clock import RandomIds, SystemClock
from handlers.adapters.conversation_reader import DynamoConversationReader
from handlers.adapters.events_publisher import EventsPublisher
from handlers.adapters.history_store import DynamoHistoryStore
from handlers.adapters.outbox import DynamoOutbox
from handlers.adapters.queue import SqsDeliveryQueue
from handlers.adapters.rate_limits import DynamoRateCounter
from handlers.adapters.read_store import DynamoReadStore
from handlers.adapters.send_store import DynamoSendStore, SendTables
from handlers.core.changes import Changer
from handlers.core.delivery import Dispatcher
from handlers.core.history import Historian
from handlers.core.ports import Clock, DeliveryQueue, Ids, Publisher
from handlers.core.reads import Reader
from handlers.core.send import Sender
from handlers.core.typing_notices import Typist
from handlers.entry.http import Call, Operation, dispatcher
from handlers.settings import MessagesSettings


class Messaging(msgspec.Struct, frozen=True, kw_only=True):
    """The message operations, wired."""

    sender: Sender
    typist: Typist
    reader: Reader
    historian: Historian
    changer: Changer


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
    change_tables = ChangeTables(
        conversations=conversations,
        members=members,
        messages=messages,
        message_changes=settings.message_changes_table,
        outbox=outbox,
    )
    rates = DynamoRateCounter(dynamodb, settings.rate_limits_table)
    reads = DynamoReadStore(dynamodb, conversations, messages, members, outbox)
    history = DynamoHistoryStore(dynamodb, conversations, messages, settings.message_changes_table, members)
    return Messaging(
        sender=Sender(DynamoSendStore(dynamodb, send_tables), dispatch, clock, ids, limit),
        typist=Typist(DynamoConversationReader(dynamodb, conversations), rates, publisher, clock, ids, limit),
        reader=Reader(reads, dispatch, clock, ids, limit),
        historian=Historian(history, clock, limit),
        changer=Changer(DynamoChangeStore(dynamodb, change_tables), dispatch, clock, ids, limit),
    )


def operations(messaging: Callable[[], Messaging]) -> Mapping[str, Operation]:
    """Return the operations by their names in the route list."""

    def send(call: Call[SendMessage]) -> Sent:
        return messaging().sender.send(call.caller.user_id, call.request)

    def typing(call: Call[Typing]) -> Done:
        return messaging().typist.notify(call.caller.user_id, call.request)

    def read(call: Call[MarkRead]) -> ReadDone:
        return messaging().reader.mark(call.caller.user_id, call.request)

    def history(call: Call[History]) -> HistoryPage:
        return messaging().historian.read(call.caller.user_id, call.path["conversationId"], call.request)

    def edit(call: Call[EditMessage]) -> Changed:
        return messaging().changer.edit(call.caller.user_id, call.path["messageId"], call.request)

    def delete(call: Call[DeleteMessage]) -> Changed:
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
        aws.client("dynamodb"),
        EventsPublisher(settings.events_http_endpoint, aws.session()),
        SqsDeliveryQueue(lambda: aws.client("sqs"), settings.delivery_queue_url),
        SystemClock(),
        RandomIds(),
    )


handle = dispatcher("messages", operations(_messaging))

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _messaging()
