"""The conversations routes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec

from contract.requests import AddMembers, CreateGroup, ListConversations, Nothing, OpenDirect, SetRole, UpdateGroup
from contract.responses import ConversationAnswer, ConversationPage, Done, GroupAnswer
from handlers.adapters import aws
from handlers.adapters.blocks import DynamoBlockPairs
from handlers.adapters.clock import RandomIds, SystemClock
from handlers.adapters.conversations import DynamoConversations
from handlers.adapters.events_publisher import EventsPublisher
from handlers.adapters.outbox import DynamoOutbox
from handlers.adapters.queue import SqsDeliveryQueue
from handlers.adapters.users import DynamoDirectory
from handlers.core.conversation_events import ConversationEvents
from handlers.core.conversations import Reader
from handlers.core.delivery import Dispatcher
from handlers.core.direct import Directs
from handlers.core.groups import Groups
from handlers.core.ports import Clock, DeliveryQueue, Ids, Publisher
from handlers.entry.http import Call, Operation, Reply, dispatcher
from handlers.settings import ConversationsSettings

_CREATED = 201
_FOUND = 200


class Conversing(msgspec.Struct, frozen=True, kw_only=True):
    """The conversation operations, wired."""

    reader: Reader
    directs: Directs
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
        reader=Reader(store, directory),
        directs=Directs(
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

    def page(call: Call[ListConversations]) -> ConversationPage:
        return conversing().reader.page(call.caller.user_id, call.request)

    def one(call: Call[Nothing]) -> ConversationAnswer:
        return conversing().reader.one(call.caller.user_id, call.path["conversationId"])

    def open_direct(call: Call[OpenDirect]) -> Reply:
        answer = conversing().directs.open(call.caller.user_id, call.request.userId)
        return Reply(answer, _CREATED if answer.created else _FOUND)

    def create(call: Call[CreateGroup]) -> Reply:
        made = conversing().groups.create(call.caller.user_id, call.request)
        return Reply(GroupAnswer(conversation=made.conversation), _CREATED if made.created else _FOUND)

    def update(call: Call[UpdateGroup]) -> GroupAnswer:
        groups, caller = conversing().groups, call.caller.user_id
        return GroupAnswer(conversation=groups.update(caller, call.path["conversationId"], call.request))

    def add(call: Call[AddMembers]) -> GroupAnswer:
        groups, caller = conversing().groups, call.caller.user_id
        return GroupAnswer(conversation=groups.add(caller, call.path["conversationId"], call.request.userIds))

    def remove(call: Call[Nothing]) -> GroupAnswer:
        groups, caller = conversing().groups, call.caller.user_id
        return GroupAnswer(conversation=groups.remove(caller, call.path["conversationId"], call.path["userId"]))

    def set_role(call: Call[SetRole]) -> GroupAnswer:
        groups, caller = conversing().groups, call.caller.user_id
        conversation_id, user_id = call.path["conversationId"], call.path["userId"]
        return GroupAnswer(conversation=groups.set_role(caller, conversation_id, user_id, call.request.role))

    def leave(call: Call[Nothing]) -> Done:
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
        aws.client("dynamodb"),
        EventsPublisher(settings.events_http_endpoint, aws.session()),
        SqsDeliveryQueue(lambda: aws.client("sqs"), settings.delivery_queue_url),
        SystemClock(),
        RandomIds(),
    )


handle = dispatcher("conversations", operations(_conversing))

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _conversing()
