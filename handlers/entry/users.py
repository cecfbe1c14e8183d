"""The users routes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec

from contract.requests import Nothing, SearchUsers, UpdateProfile
from contract.responses import BlockPage, Done, MeAnswer, UserAnswer, UserPage
from handlers.adapters import aws_clients
from handlers.adapters.appsync.publisher import EventsPublisher
from handlers.adapters.cognito.identities import CognitoIdentities
from handlers.adapters.dynamodb.blocks import DynamoBlocks
from handlers.adapters.dynamodb.conversations.rows import DynamoConversationRows
from handlers.adapters.dynamodb.outbox import DynamoOutbox
from handlers.adapters.dynamodb.rate_limits import DynamoRateCounter
from handlers.adapters.dynamodb.users import DynamoProfiles
from handlers.adapters.sqs.delivery_queue import SqsDeliveryQueue
from handlers.adapters.system import RandomIds, SystemClock
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.delivery.ports import DeliveryQueue, Publisher
from handlers.core.shared.ports import Clock, Ids
from handlers.core.users.blocks import UserBlocks
from handlers.core.users.ports import Identities
from handlers.core.users.profiles import UserProfiles
from handlers.entry.http import ApiRequest, Operation, dispatcher
from handlers.settings import UsersSettings


class People(msgspec.Struct, frozen=True, kw_only=True):
    """The user operations, wired."""

    users: UserProfiles
    blocking: UserBlocks


def wire(
    settings: UsersSettings,
    dynamodb: Any,
    publisher: Publisher,
    queue: DeliveryQueue,
    identities: Identities,
    clock: Clock,
    ids: Ids,
) -> People:
    """Return the operations on top of the given services.

    Args:
        dynamodb: a botocore client.
    """
    conversations = DynamoConversationRows(
        client=dynamodb,
        conversations=settings.conversations_table,
        members_table=settings.conversation_members_table,
    )
    profiles = DynamoProfiles(
        client=dynamodb,
        users_table=settings.users_table,
        search_table=settings.user_search_table,
        outbox=settings.outbox_table,
    )
    blocks = DynamoBlocks(
        client=dynamodb,
        blocks=settings.blocks_table,
        conversations=settings.conversations_table,
        members=settings.conversation_members_table,
        outbox=settings.outbox_table,
    )
    dispatch = Dispatcher(publisher, DynamoOutbox(dynamodb, settings.outbox_table), queue)
    return People(
        users=UserProfiles(
            store=profiles,
            conversations=conversations,
            blocks=blocks,
            identities=identities,
            rates=DynamoRateCounter(dynamodb, settings.rate_limits_table),
            dispatcher=dispatch,
            clock=clock,
            ids=ids,
            fanout_limit=settings.fanout_limit,
        ),
        blocking=UserBlocks(
            blocks=blocks,
            conversations=conversations,
            directory=profiles,
            dispatcher=dispatch,
            clock=clock,
            ids=ids,
            fanout_limit=settings.fanout_limit,
        ),
    )


def operations(people: Callable[[], People]) -> Mapping[str, Operation]:
    """Return the operations by their names in the route list."""

    def me(call: ApiRequest[Nothing]) -> MeAnswer:
        return MeAnswer(user=people().users.me(call.caller.user_id, call.caller.access_token))

    def update(call: ApiRequest[UpdateProfile]) -> MeAnswer:
        return MeAnswer(user=people().users.update(call.caller.user_id, call.request))

    def one(call: ApiRequest[Nothing]) -> UserAnswer:
        return people().users.one(call.caller.user_id, call.path["userId"])

    def search(call: ApiRequest[SearchUsers]) -> UserPage:
        return UserPage(users=people().users.search(call.caller.user_id, call.request))

    def block(call: ApiRequest[Nothing]) -> Done:
        people().blocking.block(call.caller.user_id, call.path["userId"])
        return Done()

    def unblock(call: ApiRequest[Nothing]) -> Done:
        people().blocking.unblock(call.caller.user_id, call.path["userId"])
        return Done()

    def blocks(call: ApiRequest[Nothing]) -> BlockPage:
        return BlockPage(userIds=people().blocking.listed(call.caller.user_id))

    return {
        "getMe": me,
        "updateMe": update,
        "getUser": one,
        "searchUsers": search,
        "blockUser": block,
        "unblockUser": unblock,
        "listBlocks": blocks,
    }


@cache
def _people() -> People:
    settings = UsersSettings.load()
    return wire(
        settings,
        aws_clients.client("dynamodb"),
        EventsPublisher(settings.events_http_endpoint, aws_clients.session()),
        SqsDeliveryQueue(lambda: aws_clients.client("sqs"), settings.delivery_queue_url),
        CognitoIdentities(lambda: aws_clients.client("cognito-idp", settings.pool_region)),
        SystemClock(),
        RandomIds(),
    )


handle = dispatcher("users", operations(_people))

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _people()
