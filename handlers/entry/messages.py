"""The function of the messages routes."""

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
from handlers.adapters.dynamodb.messages.change_counter import DynamoChangeCounter
from handlers.adapters.dynamodb.messages.change_store import ChangeTables, DynamoMessageChangeStore
from handlers.adapters.dynamodb.messages.direct_messages import DynamoDirectMessages
from handlers.adapters.dynamodb.messages.history_store import DynamoHistoryStore
from handlers.adapters.dynamodb.messages.message_finder import DynamoMessageFinder
from handlers.adapters.dynamodb.messages.message_store import DynamoMessageStore, MessageTables
from handlers.adapters.dynamodb.messages.read_mark_store import DynamoReadMarkStore
from handlers.adapters.dynamodb.messages.receipts import DynamoReceiptWindows
from handlers.adapters.dynamodb.messages.sequence_counter import DynamoSequenceCounter
from handlers.adapters.dynamodb.outbox import DynamoOutbox
from handlers.adapters.dynamodb.rate_limits import DynamoRateCounter, DynamoTypingRates
from handlers.adapters.sqs.delivery_queue import SqsDeliveryQueue
from handlers.adapters.system import RandomIds, SystemClock
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.delivery.ports import DeliveryQueue, Publisher
from handlers.core.messages.completed_messages import CompletedMessages
from handlers.core.messages.conversation_cache import ConversationCache
from handlers.core.messages.edit import MessageEditor
from handlers.core.messages.history import MessageHistory
from handlers.core.messages.mark_read import ReadMarker
from handlers.core.messages.message_writer import MessageWriter
from handlers.core.messages.numbering import NumberedConversations, SettledNumbers
from handlers.core.messages.send import MessageSender
from handlers.core.messages.typing import TypingIndicator
from handlers.core.receipts.collector import ReceiptCollector
from handlers.core.shared.ports import Clock, Ids
from handlers.core.shared.rates import UserRates
from handlers.core.users.accounts import ActiveAccounts
from handlers.entry.accounts import active_accounts
from handlers.entry.http import ApiRequest, Operation, route_handler
from handlers.entry.rates import limited
from handlers.settings import MessagesSettings


class MessageOperations(msgspec.Struct, frozen=True, kw_only=True):
    """The use cases of the messages routes."""

    sender: MessageSender
    typing: TypingIndicator
    read_marker: ReadMarker
    history: MessageHistory
    editor: MessageEditor
    rates: UserRates


def wire(
    settings: MessagesSettings, dynamodb: Any, publisher: Publisher, queue: DeliveryQueue, clock: Clock, ids: Ids
) -> MessageOperations:
    """Return the use cases on top of the given services, with one cache of conversations.

    Args:
        dynamodb: a botocore client.
    """
    message_tables = MessageTables(
        conversations=settings.conversations_table,
        members=settings.conversation_members_table,
        messages=settings.messages_table,
        idempotency=settings.idempotency_table,
        outbox=settings.outbox_table,
    )
    change_tables = ChangeTables(
        conversations=settings.conversations_table,
        members=settings.conversation_members_table,
        messages=settings.messages_table,
        message_changes=settings.message_changes_table,
        outbox=settings.outbox_table,
    )
    cache = ConversationCache()
    conversations = DynamoConversationReader(dynamodb, settings.conversations_table, cache)
    direct_messages = DynamoDirectMessages(
        dynamodb,
        conversations=settings.conversations_table,
        members=settings.conversation_members_table,
        messages=settings.messages_table,
        outbox=settings.outbox_table,
    )
    counter = DynamoSequenceCounter(
        dynamodb,
        direct_messages,
        counters=settings.conversation_counters_table,
        conversations=settings.conversations_table,
        messages=settings.messages_table,
    )
    changes = DynamoChangeCounter(
        dynamodb,
        counters=settings.conversation_counters_table,
        conversations=settings.conversations_table,
        changes=settings.message_changes_table,
    )
    store = DynamoMessageStore(dynamodb, message_tables, direct_messages)
    numbers = SettledNumbers(counter, changes, clock)
    stored_messages = DynamoMessageFinder(dynamodb, settings.messages_table)
    messages = CompletedMessages(stored_messages, conversations, numbers)
    dispatch = Dispatcher(publisher, DynamoOutbox(dynamodb, settings.outbox_table), queue)
    rate_counter = DynamoRateCounter(dynamodb, settings.rate_limits_table)
    rates = UserRates(rate_counter, clock)
    return MessageOperations(
        rates=rates,
        sender=MessageSender(
            conversations=conversations,
            cache=cache,
            messages=messages,
            store=store,
            writer=MessageWriter(conversations, counter, store, rate_counter, clock, settings.fanout_limit),
            dispatcher=dispatch,
            clock=clock,
            ids=ids,
        ),
        typing=TypingIndicator(
            conversations=conversations,
            rates=DynamoTypingRates(dynamodb, settings.rate_limits_table),
            publisher=publisher,
            clock=clock,
            ids=ids,
        ),
        read_marker=ReadMarker(
            conversations=NumberedConversations(conversations, counter),
            messages=messages,
            store=DynamoReadMarkStore(
                dynamodb,
                conversations=settings.conversations_table,
                messages=settings.messages_table,
                members=settings.conversation_members_table,
                outbox=settings.outbox_table,
            ),
            receipts=ReceiptCollector(
                windows=DynamoReceiptWindows(dynamodb, settings.conversation_counters_table),
                queue=queue,
                clock=clock,
                ids=ids,
                fanout_limit=settings.fanout_limit,
            ),
            dispatcher=dispatch,
            clock=clock,
            ids=ids,
            fanout_limit=settings.fanout_limit,
        ),
        history=MessageHistory(
            conversations=conversations,
            numbers=numbers,
            store=DynamoHistoryStore(
                dynamodb,
                settings.messages_table,
                settings.message_changes_table,
                settings.conversation_members_table,
            ),
            clock=clock,
            fanout_limit=settings.fanout_limit,
        ),
        editor=MessageEditor(
            conversations=conversations,
            messages=messages,
            store=DynamoMessageChangeStore(dynamodb, change_tables),
            counter=counter,
            changes=changes,
            dispatcher=dispatch,
            rates=rates,
            clock=clock,
            ids=ids,
            fanout_limit=settings.fanout_limit,
        ),
    )


def operations(use_cases: Callable[[], MessageOperations]) -> Mapping[str, Operation]:
    """Return the operations by their names in the route list."""

    def send(api: ApiRequest[SendMessage]) -> Sent:
        return use_cases().sender.send(api.caller.user_id, api.request)

    def typing(api: ApiRequest[Typing]) -> Done:
        return use_cases().typing.notify(api.caller.user_id, api.request)

    def read(api: ApiRequest[MarkRead]) -> ReadDone:
        return use_cases().read_marker.mark(api.caller.user_id, api.request)

    def history(api: ApiRequest[History]) -> HistoryPage:
        return use_cases().history.read(api.caller.user_id, api.path["conversationId"], api.request)

    def edit(api: ApiRequest[EditMessage]) -> Changed:
        return use_cases().editor.edit(api.caller.user_id, api.path["messageId"], api.request)

    def delete(api: ApiRequest[DeleteMessage]) -> Changed:
        user_id, message_id = api.caller.user_id, api.path["messageId"]
        return use_cases().editor.delete(user_id, message_id, api.request.conversationId)

    table: dict[str, Operation] = {
        "sendMessage": send,
        "setTyping": typing,
        "markRead": read,
        "getHistory": history,
        "editMessage": edit,
        "deleteMessage": delete,
    }
    return limited(table, lambda: use_cases().rates)


@cache
def _use_cases() -> MessageOperations:
    settings = MessagesSettings.load()
    return wire(
        settings,
        aws_clients.client("dynamodb"),
        EventsPublisher(settings.events_http_endpoint, aws_clients.session()),
        SqsDeliveryQueue(lambda: aws_clients.client("sqs"), settings.delivery_queue_url),
        SystemClock(),
        RandomIds(),
    )


@cache
def _accounts() -> ActiveAccounts:
    settings = MessagesSettings.load()
    return active_accounts(aws_clients.client("dynamodb"), settings.users_table)


handle = route_handler("messages", operations(_use_cases), _accounts)

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _use_cases()
    _accounts()
