"""The Lambda function of the users routes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec

from contract.requests import EmptyRequest, SearchUsers, UpdateProfile
from contract.responses import BlockPage, Done, MeAnswer, UserAnswer, UserPage
from handlers.adapters import aws_clients
from handlers.adapters.appsync.publisher import EventsPublisher
from handlers.adapters.cognito.identity_provider import CognitoIdentityProvider
from handlers.adapters.dynamodb.blocks import DynamoBlockStore
from handlers.adapters.dynamodb.conversations.rows import DynamoConversationRows
from handlers.adapters.dynamodb.outbox import DynamoOutbox
from handlers.adapters.dynamodb.rate_limits import DynamoRateCounter
from handlers.adapters.dynamodb.users import DynamoProfileStore
from handlers.adapters.sqs.delivery_queue import SqsDeliveryQueue
from handlers.adapters.system import RandomIds, SystemClock
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.delivery.ports import DeliveryQueue, Publisher
from handlers.core.shared.ports import Clock, Ids
from handlers.core.shared.rates import UserRates
from handlers.core.users.accounts import ActiveAccounts
from handlers.core.users.blocks import UserBlocks
from handlers.core.users.ports import IdentityProvider
from handlers.core.users.profiles import UserProfiles
from handlers.core.users.search import UserSearch
from handlers.entry.accounts import active_accounts
from handlers.entry.http import ApiRequest, Operation, route_handler
from handlers.entry.rates import limited
from handlers.settings import UsersSettings


class UserRoutes(msgspec.Struct, frozen=True, kw_only=True):
    """The use cases behind the users routes, with their adapters."""

    profiles: UserProfiles
    search: UserSearch
    blocks: UserBlocks
    rates: UserRates


def wire(
    settings: UsersSettings,
    dynamodb: Any,
    publisher: Publisher,
    queue: DeliveryQueue,
    identity_provider: IdentityProvider,
    clock: Clock,
    ids: Ids,
) -> UserRoutes:
    """Return the use cases with adapters for the given services.

    Args:
        settings: names of tables and further settings.
        dynamodb: a botocore client.
        publisher, queue, identity_provider, clock, ids: implementations of these ports.
    """
    conversations = DynamoConversationRows(
        client=dynamodb,
        conversations=settings.conversations_table,
        members_table=settings.conversation_members_table,
    )
    profiles = DynamoProfileStore(
        client=dynamodb,
        users_table=settings.users_table,
        search_table=settings.user_search_table,
        outbox=settings.outbox_table,
    )
    blocks = DynamoBlockStore(
        client=dynamodb,
        blocks=settings.blocks_table,
        conversations=settings.conversations_table,
        members=settings.conversation_members_table,
        outbox=settings.outbox_table,
    )
    dispatch = Dispatcher(publisher, DynamoOutbox(dynamodb, settings.outbox_table), queue)
    counter = DynamoRateCounter(dynamodb, settings.rate_limits_table)
    return UserRoutes(
        rates=UserRates(counter, clock),
        profiles=UserProfiles(
            store=profiles,
            conversations=conversations,
            blocks=blocks,
            identity_provider=identity_provider,
            dispatcher=dispatch,
            clock=clock,
            ids=ids,
            fanout_limit=settings.fanout_limit,
        ),
        search=UserSearch(store=profiles, rates=counter, clock=clock),
        blocks=UserBlocks(
            blocks=blocks,
            conversations=conversations,
            directory=profiles,
            dispatcher=dispatch,
            clock=clock,
            ids=ids,
            fanout_limit=settings.fanout_limit,
        ),
    )


def operations(routes: Callable[[], UserRoutes]) -> Mapping[str, Operation]:
    """Return the functions by operation name, as in `contract.routes`."""

    def own(request: ApiRequest[EmptyRequest]) -> MeAnswer:
        return MeAnswer(user=routes().profiles.own(request.caller.user_id, request.caller.access_token))

    def update(request: ApiRequest[UpdateProfile]) -> MeAnswer:
        return MeAnswer(user=routes().profiles.update(request.caller.user_id, request.request))

    def public(request: ApiRequest[EmptyRequest]) -> UserAnswer:
        return routes().profiles.public(request.caller.user_id, request.path["userId"])

    def search(request: ApiRequest[SearchUsers]) -> UserPage:
        return UserPage(users=routes().search.search(request.caller.user_id, request.request))

    def block(request: ApiRequest[EmptyRequest]) -> Done:
        routes().blocks.block(request.caller.user_id, request.path["userId"])
        return Done()

    def unblock(request: ApiRequest[EmptyRequest]) -> Done:
        routes().blocks.unblock(request.caller.user_id, request.path["userId"])
        return Done()

    def blocked_by(request: ApiRequest[EmptyRequest]) -> BlockPage:
        return BlockPage(userIds=routes().blocks.blocked_by(request.caller.user_id))

    table: dict[str, Operation] = {
        "getMe": own,
        "updateMe": update,
        "getUser": public,
        "searchUsers": search,
        "blockUser": block,
        "unblockUser": unblock,
        "listBlocks": blocked_by,
    }
    return limited(table, lambda: routes().rates)


@cache
def _routes() -> UserRoutes:
    settings = UsersSettings.load()
    return wire(
        settings,
        aws_clients.client("dynamodb"),
        EventsPublisher(settings.events_http_endpoint, aws_clients.session()),
        SqsDeliveryQueue(lambda: aws_clients.client("sqs"), settings.delivery_queue_url),
        CognitoIdentityProvider(lambda: aws_clients.client("cognito-idp", settings.pool_region)),
        SystemClock(),
        RandomIds(),
    )


@cache
def _accounts() -> ActiveAccounts:
    settings = UsersSettings.load()
    return active_accounts(aws_clients.client("dynamodb"), settings.users_table)


handle = route_handler("users", operations(_routes), _accounts)

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _routes()
    _accounts()
