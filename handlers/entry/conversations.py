"""The conversations routes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec

from contract.requests import AddMembers, CreateGroup, ListConversations, Nothing, OpenDirect, SetRole, UpdateGroup
from contract.responses import ConversationAnswer, ConversationPage, Done, GroupAnswer
from handlers.adapters import aws_clients
from handlers.adapters.appsync.publisher import EventsPublisher
from handlers.adapters.dynamodb.blocks import DynamoBlockPairs
from handlers.adapters.dynamodb.conversations.store import DynamoConversations
from handlers.adapters.dynamodb.outbox import DynamoOutbox
from handlers.adapters.dynamodb.users import DynamoDirectory
from handlers.adapters.sqs.delivery_queue import SqsDeliveryQueue
from handlers.adapters.system import RandomIds, SystemClock
from handlers.core.conversations.direct import DirectConversations
from handlers.core.conversations.events import ConversationEvents
from handlers.core.conversations.groups import Groups
from handlers.core.conversations.queries import ConversationQueries
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.delivery.ports import DeliveryQueue, Publisher
from handlers.core.shared.ports import Clock, Ids
from handlers.entry.http import ApiRequest, Operation, Reply, dispatcher
from handlers.settings import ConversationsSettings

_CREATED = 201
_FOUND = 200


class Conversing(msgspec.Struct, frozen=True, kw_only=True):
    """The conversation operations, wired."""

    reader: ConversationQueries
    directs: DirectConversations
    groups: Groups


def wire(
    settings: ConversationsSettings, dynamodb: Any, publisher: Publisher, queue: DeliveryQueue, clock: Clock, ids: Ids
) -> Conversing:
    """Return the operations on top of the given services.

    Args:
        dynamodb: a botocore client.
    """
    store = DynamoConversations(
        client=dynamodb,
        conversations=settings.conversations_table,
        members_table=settings.conversation_members_table,
        messages=settings.messages_table,
        groups=settings.groups_table,
        blocks=settings.blocks_table,
        outbox=settings.outbox_table,
    )
    directory = DynamoDirectory(client=dynamodb, users_table=settings.users_table)
    dispatch = Dispatcher(publisher, DynamoOutbox(dynamodb, settings.outbox_table), queue)
    events = ConversationEvents(clock, ids, settings.fanout_limit)
    return Conversing(
        reader=ConversationQueries(store, directory),
        directs=DirectConversations(
            conversations=store,
            directory=directory,
            blocks=DynamoBlockPairs(client=dynamodb, blocks=settings.blocks_table),
            dispatcher=dispatch,
            clock=clock,
            events=events,
        ),
        groups=Groups(
            conversations=store,
            directory=directory,
            dispatcher=dispatch,
            clock=clock,
            ids=ids,
            events=events,
        ),
    )


def operations(conversing: Callable[[], Conversing]) -> Mapping[str, Operation]:
    """Return the operations by their names in the route list."""

    def page(call: ApiRequest[ListConversations]) -> ConversationPage:
        return conversing().reader.page(call.caller.user_id, call.request)

    def one(call: ApiRequest[Nothing]) -> ConversationAnswer:
        return conversing().reader.one(call.caller.user_id, call.path["conversationId"])

    def open_direct(call: ApiRequest[OpenDirect]) -> Reply:
        answer = conversing().directs.open(call.caller.user_id, call.request.userId)
        return Reply(answer, _CREATED if answer.created else _FOUND)

    def create(call: ApiRequest[CreateGroup]) -> Reply:
        made = conversing().groups.create(call.caller.user_id, call.request)
        return Reply(GroupAnswer(conversation=made.conversation), _CREATED if made.created else _FOUND)

    def update(call: ApiRequest[UpdateGroup]) -> GroupAnswer:
        groups, caller = conversing().groups, call.caller.user_id
        return GroupAnswer(conversation=groups.update(caller, call.path["conversationId"], call.request))

    def add(call: ApiRequest[AddMembers]) -> GroupAnswer:
        groups, caller = conversing().groups, call.caller.user_id
        return GroupAnswer(conversation=groups.add(caller, call.path["conversationId"], call.request.userIds))

    def remove(call: ApiRequest[Nothing]) -> GroupAnswer:
        groups, caller = conversing().groups, call.caller.user_id
        return GroupAnswer(conversation=groups.remove(caller, call.path["conversationId"], call.path["userId"]))

    def set_role(call: ApiRequest[SetRole]) -> GroupAnswer:
        groups, caller = conversing().groups, call.caller.user_id
        conversation_id, user_id = call.path["conversationId"], call.path["userId"]
        return GroupAnswer(conversation=groups.set_role(caller, conversation_id, user_id, call.request.role))

    def leave(call: ApiRequest[Nothing]) -> Done:
        conversing().groups.leave(call.caller.user_id, call.path["conversationId"])
        return Done()

    return {
        "listConversations": page,
        "getConversation": one,
        "openDirect": open_direct,
        "createGroup": create,
        "updateGroup": update,
        "addMembers": add,
        "removeMember": remove,
        "setRole": set_role,
        "leaveGroup": leave,
    }


@cache
def _conversing() -> Conversing:
    settings = ConversationsSettings.load()
    return wire(
        settings,
        aws_clients.client("dynamodb"),
        EventsPublisher(settings.events_http_endpoint, aws_clients.session()),
        SqsDeliveryQueue(lambda: aws_clients.client("sqs"), settings.delivery_queue_url),
        SystemClock(),
        RandomIds(),
    )


handle = dispatcher("conversations", operations(_conversing))

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _conversing()
