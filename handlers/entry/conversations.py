"""The Lambda function of the conversations routes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec

from contract.requests import AddMembers, CreateGroup, EmptyRequest, ListConversations, OpenDirect, SetRole, UpdateGroup
from contract.responses import ConversationAnswer, ConversationPage, Done, GroupAnswer
from handlers.adapters import aws_clients
from handlers.adapters.appsync.publisher import EventsPublisher
from handlers.adapters.dynamodb.blocks import DynamoBlockReader
from handlers.adapters.dynamodb.conversations.store import DynamoConversationStore
from handlers.adapters.dynamodb.outbox import DynamoOutbox
from handlers.adapters.dynamodb.rate_limits import DynamoRateCounter
from handlers.adapters.dynamodb.users import DynamoUserDirectory
from handlers.adapters.sqs.delivery_queue import SqsDeliveryQueue
from handlers.adapters.system import RandomIds, SystemClock
from handlers.core.conversations.direct import DirectConversations
from handlers.core.conversations.events import ConversationEvents
from handlers.core.conversations.groups import GroupManager
from handlers.core.conversations.invitations import GroupInvitations
from handlers.core.conversations.queries import ConversationQueries
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.delivery.ports import DeliveryQueue, Publisher
from handlers.core.shared.ports import Clock, Ids
from handlers.core.shared.rates import UserRates
from handlers.core.users.accounts import ActiveAccounts
from handlers.entry.accounts import active_accounts
from handlers.entry.http import ApiRequest, Operation, Reply, route_handler
from handlers.entry.rates import limited
from handlers.settings import ConversationsSettings

_CREATED = 201
_OK = 200


class ConversationRoutes(msgspec.Struct, frozen=True, kw_only=True):
    """The use cases behind the conversations routes, with their adapters."""

    queries: ConversationQueries
    direct: DirectConversations
    groups: GroupManager
    rates: UserRates


def wire(
    settings: ConversationsSettings, dynamodb: Any, publisher: Publisher, queue: DeliveryQueue, clock: Clock, ids: Ids
) -> ConversationRoutes:
    """Return the use cases with adapters for the given services.

    Args:
        settings: names of tables and further settings.
        dynamodb: a botocore client.
        publisher, queue, clock, ids: implementations of these ports.
    """
    store = DynamoConversationStore(
        client=dynamodb,
        conversations=settings.conversations_table,
        counters=settings.conversation_counters_table,
        members_table=settings.conversation_members_table,
        messages=settings.messages_table,
        groups=settings.groups_table,
        blocks=settings.blocks_table,
        outbox=settings.outbox_table,
    )
    directory = DynamoUserDirectory(client=dynamodb, users_table=settings.users_table)
    dispatch = Dispatcher(publisher, DynamoOutbox(dynamodb, settings.outbox_table), queue)
    events = ConversationEvents(clock, ids, settings.fanout_limit)
    blocks = DynamoBlockReader(client=dynamodb, blocks=settings.blocks_table)
    rates = UserRates(DynamoRateCounter(dynamodb, settings.rate_limits_table), clock)
    return ConversationRoutes(
        queries=ConversationQueries(store, directory),
        direct=DirectConversations(
            conversations=store,
            directory=directory,
            blocks=blocks,
            dispatcher=dispatch,
            clock=clock,
            events=events,
        ),
        groups=GroupManager(
            conversations=store,
            invitations=GroupInvitations(conversations=store, directory=directory, blocks=blocks, rates=rates),
            dispatcher=dispatch,
            clock=clock,
            ids=ids,
            events=events,
        ),
        rates=rates,
    )


def operations(routes: Callable[[], ConversationRoutes]) -> Mapping[str, Operation]:
    """Return the functions by operation name, as in `contract.routes`."""

    def page(request: ApiRequest[ListConversations]) -> ConversationPage:
        return routes().queries.page(request.caller.user_id, request.request)

    def get(request: ApiRequest[EmptyRequest]) -> ConversationAnswer:
        return routes().queries.get(request.caller.user_id, request.path["conversationId"])

    def open_direct(request: ApiRequest[OpenDirect]) -> Reply:
        answer = routes().direct.open(request.caller.user_id, request.request.userId)
        return Reply(answer, _CREATED if answer.created else _OK)

    def create(request: ApiRequest[CreateGroup]) -> Reply:
        group = routes().groups.create(request.caller.user_id, request.request)
        return Reply(GroupAnswer(conversation=group.conversation), _CREATED if group.created else _OK)

    def update(request: ApiRequest[UpdateGroup]) -> GroupAnswer:
        groups, caller = routes().groups, request.caller.user_id
        return GroupAnswer(conversation=groups.update(caller, request.path["conversationId"], request.request))

    def add(request: ApiRequest[AddMembers]) -> GroupAnswer:
        groups, caller = routes().groups, request.caller.user_id
        return GroupAnswer(conversation=groups.add(caller, request.path["conversationId"], request.request.userIds))

    def remove(request: ApiRequest[EmptyRequest]) -> GroupAnswer:
        groups, caller = routes().groups, request.caller.user_id
        return GroupAnswer(conversation=groups.remove(caller, request.path["conversationId"], request.path["userId"]))

    def set_role(request: ApiRequest[SetRole]) -> GroupAnswer:
        groups, caller = routes().groups, request.caller.user_id
        conversation_id, user_id = request.path["conversationId"], request.path["userId"]
        return GroupAnswer(conversation=groups.set_role(caller, conversation_id, user_id, request.request.role))

    def leave(request: ApiRequest[EmptyRequest]) -> Done:
        routes().groups.leave(request.caller.user_id, request.path["conversationId"])
        return Done()

    table: dict[str, Operation] = {
        "listConversations": page,
        "getConversation": get,
        "openDirect": open_direct,
        "createGroup": create,
        "updateGroup": update,
        "addMembers": add,
        "removeMember": remove,
        "setRole": set_role,
        "leaveGroup": leave,
    }
    return limited(table, lambda: routes().rates)


@cache
def _routes() -> ConversationRoutes:
    settings = ConversationsSettings.load()
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
    settings = ConversationsSettings.load()
    return active_accounts(aws_clients.client("dynamodb"), settings.users_table)


handle = route_handler("conversations", operations(_routes), _accounts)

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _routes()
    _accounts()
