"""A town of users who call the real functions: real requests, real DynamoDB, a publisher that remembers."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from contract import tables
from contract.routes import ROUTES
from handlers.adapters.dynamodb.codec import from_item, to_item
from handlers.adapters.dynamodb.outbox import DynamoOutbox
from handlers.adapters.dynamodb.users import DynamoProfileStore
from handlers.adapters.system import RandomIds, SystemClock
from handlers.core.delivery.deliverer import Deliverer
from handlers.core.delivery.ports import DeliveryTask
from handlers.core.shared.errors import UnauthenticatedError
from handlers.core.shared.ports import Clock
from handlers.core.users.profile_rules import Account, first_profile
from handlers.entry import conversations, messages, users
from handlers.entry.http import Handler, dispatcher
from handlers.settings import ConversationsSettings, MessagesSettings, ProfileSettings, UsersSettings
from tests.harness.handlers.cloud import World
from tests.harness.handlers.rights import LimitedClient

_ROUTES = {route.operation: route for route in ROUTES}


@dataclass
class RememberingPublisher:
    """Takes every event, except for channels that are told to refuse; remembers (channel, event)."""

    published: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refusing: set[str] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)

    def publish(self, channels: Sequence[str], event: str) -> Collection[str]:
        """Remember the event for every channel that does not refuse; return those that do."""
        with self.lock:
            taken = [channel for channel in channels if channel not in self.refusing]
            self.published += [(channel, json.loads(event)) for channel in taken]
        return [channel for channel in channels if channel not in taken]


@dataclass
class RememberingQueue:
    """Takes every parcel and keeps it."""

    parcels: list[DeliveryTask] = field(default_factory=list)

    def send(self, parcels: Sequence[DeliveryTask], delay_seconds: int = 0) -> Sequence[DeliveryTask]:
        """Keep the parcels."""
        self.parcels += parcels
        return []


@dataclass
class KnownAccounts:
    """Cognito's answers: access token to account."""

    accounts: dict[str, Account] = field(default_factory=dict)
    asked: int = 0

    def account(self, access_token: str) -> Account:
        """Return the account of a token."""
        self.asked += 1
        if access_token not in self.accounts:
            raise UnauthenticatedError("the access token is not valid any more: sign in again")
        return self.accounts[access_token]


@dataclass(frozen=True)
class Answer:
    """What the HTTP API would send back."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]


class Town:
    """Users, their calls, what reached their channels, and what is stored."""

    def __init__(self, world: World, client: Any = None, clock: Clock | None = None, fanout_limit: int = 20) -> None:
        self.world = world
        self.publisher = RememberingPublisher()
        self.queue = RememberingQueue()
        self.accounts = KnownAccounts()
        self.clock = clock or SystemClock()
        self.fanout_limit = fanout_limit
        self.handlers = self.functions(client or world.dynamodb)

    def functions(self, client: Any) -> dict[str, Handler]:
        """Return the functions of all domains on top of a DynamoDB client."""
        environ = {**self.world.variables, "FANOUT_LIMIT": str(self.fanout_limit)}
        rest, time = (self.publisher, self.queue), (self.clock, RandomIds())

        def limited(function: str) -> LimitedClient:
            return LimitedClient(client, function, self.world.environment)

        conversing = conversations.wire(
            ConversationsSettings.load(environ), limited(ConversationsSettings.function), *rest, *time
        )
        people = users.wire(UsersSettings.load(environ), limited(UsersSettings.function), *rest, self.accounts, *time)
        messaging = messages.wire(MessagesSettings.load(environ), limited(MessagesSettings.function), *rest, *time)
        return {
            "conversations": dispatcher("conversations", conversations.operations(lambda: conversing)),
            "users": dispatcher("users", users.operations(lambda: people)),
            "messages": dispatcher("messages", messages.operations(lambda: messaging)),
        }

    def user(self, first: str = "Ada", last: str = "Lovelace") -> str:
        """Let a user sign up and return the id."""
        user_id = str(uuid.uuid4())
        account = Account(
            user_id=user_id, email=f"{user_id}@example.org", email_verified=True, given_name=first, family_name=last
        )
        assert self.profiles().create(first_profile(account, "2026-01-01T00:00:00.000Z"))
        return user_id

    def users(self, count: int) -> list[str]:
        """Let several users sign up."""
        return [self.user(f"User{number}", "Example") for number in range(count)]

    def profiles(self, client: Any = None) -> DynamoProfileStore:
        """Return the store of profiles."""
        return DynamoProfileStore(
            client=LimitedClient(client or self.world.dynamodb, ProfileSettings.function, self.world.environment),
            users_table=self.table(tables.USERS),
            search_table=self.table(tables.USER_SEARCH),
            outbox=self.table(tables.OUTBOX),
        )

    def call(
        self,
        caller: str,
        operation: str,
        body: Mapping[str, Any] | None = None,
        *,
        handlers: Mapping[str, Handler] | None = None,
        token: str = "",
        **parameters: Any,
    ) -> Answer:
        """Call a route as the HTTP API would.

        Args:
            caller: user id.
            operation: name of the route.
            body: the request's body.
            handlers: functions to call instead of the town's own.
            token: the access token.
            parameters: path parameters, and the query string where the route has one.
        """
        route = _ROUTES[operation]
        names = re.findall(r"\{(\w+)\}", route.path)
        event = {
            "version": "2.0",
            "routeKey": route.key,
            "headers": {"authorization": f"Bearer {token}", "content-type": "application/json"},
            "requestContext": {
                "requestId": "request",
                "authorizer": {"jwt": {"claims": {"sub": caller, "token_use": "access"}}},
            },
            "pathParameters": {name: parameters.pop(name) for name in names},
            "queryStringParameters": {name: str(value) for name, value in parameters.items()},
            "body": None if body is None else json.dumps(body),
            "isBase64Encoded": False,
        }
        answer = (handlers or self.handlers)[route.domain](event, None)
        return Answer(answer["statusCode"], json.loads(answer["body"]), answer["headers"])

    def done(
        self, caller: str, operation: str, body: Mapping[str, Any] | None = None, **parameters: Any
    ) -> dict[str, Any]:
        """Call a route that must succeed, and return the answer's body."""
        answer = self.call(caller, operation, body, **parameters)
        assert answer.status < 300, answer
        return answer.body

    def group(self, creator: str, *members: str, **fields: Any) -> str:
        """Create a group and return its id."""
        body = {"name": "Chess club", "memberIds": list(members), **fields}
        return str(self.done(creator, "createGroup", body)["conversation"]["conversationId"])

    def direct(self, caller: str, other: str) -> str:
        """Open a direct conversation and return its id."""
        answer = self.done(caller, "openDirect", {"userId": other})
        return str(answer["conversation"]["conversationId"])

    def send(self, caller: str, conversation_id: str, content: str = "hello") -> dict[str, Any]:
        """Send a text."""
        return self.done(caller, "sendMessage", {"conversationId": conversation_id, "content": content})

    def heard(self, user_id: str, kind: str | None = None, namespace: str = "chats") -> list[dict[str, Any]]:
        """Return the events that reached one user's channel."""
        return [
            event
            for channel, event in self.publisher.published
            if channel == f"/{namespace}/{user_id}" and kind in (None, event["type"])
        ]

    def forget(self) -> None:
        """Forget what was published."""
        self.publisher.published.clear()

    def deliver_everything(self) -> None:
        """Do what relay, queue and sweep would: publish every record that is left."""
        outbox = DynamoOutbox(self.world.dynamodb, self.table(tables.OUTBOX))
        deliverer = Deliverer(self.publisher, outbox, self.clock)
        for item in self.scan(tables.OUTBOX):
            assert deliverer.deliver(DeliveryTask(item["eventId"]))

    def table(self, table: tables.Table) -> str:
        """Return a table's name in this world."""
        return table.name(self.world.environment)

    def scan(self, table: tables.Table) -> list[dict[str, Any]]:
        """Return every item of a table."""
        pages = self.world.dynamodb.get_paginator("scan").paginate(TableName=self.table(table), ConsistentRead=True)
        return [from_item(item) for page in pages for item in page["Items"]]

    def item(self, table: tables.Table, **key: str) -> dict[str, Any] | None:
        """Return one item as stored."""
        answer = self.world.dynamodb.get_item(TableName=self.table(table), Key=to_item(key), ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def rows(self, conversation_id: str) -> dict[str, dict[str, Any]]:
        """Return the members' rows of a conversation by user id."""
        found = self.scan(tables.CONVERSATION_MEMBERS)
        return {row["userId"]: row for row in found if row["conversationId"] == conversation_id}

    def assert_consistent(self, conversation_id: str) -> dict[str, Any]:
        """Check that conversation, rows and group agree, and return the conversation."""
        conversation = self.item(tables.CONVERSATIONS, conversationId=conversation_id)
        assert conversation is not None
        rows = self.rows(conversation_id)
        participants, admins = conversation["participants"], conversation["admins"]
        assert len(set(participants)) == len(participants)
        assert set(rows) == set(participants)
        assert set(admins) <= set(participants)
        if conversation["type"] == "GROUP":
            assert bool(admins) == bool(participants)
            assert {user_id for user_id, row in rows.items() if row["role"] == "ADMIN"} == set(admins)
            group = self.item(tables.GROUPS, groupId=conversation_id)
            assert group is not None
            assert group["memberCount"] == len(participants)
        return conversation


class ProcessDeathError(BaseException):
    """The function's process ends here."""


class FaultyClient:
    """A DynamoDB client whose n-th call goes wrong.

    Args:
        client: the real client.
        step: which call, from 1.
        fault: raises before or after the real call; is given the call to make.
    """

    def __init__(self, client: Any, step: int, fault: Callable[[Callable[[], Any]], Any]) -> None:
        self._client = client
        self._fault = fault
        self._left = step
        self._lock = Lock()
        self.struck = False

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(**arguments: Any) -> Any:
            with self._lock:
                self._left -= 1
                strikes = self._left == 0
                self.struck = self.struck or strikes
            return self._fault(lambda: method(**arguments)) if strikes else method(**arguments)

        return call
