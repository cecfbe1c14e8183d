"""The Lambda functions as AWS invokes them, on one test's tables and queue, with the permissions of their roles."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contract import tables
from contract.routes import ROUTES
from handlers.adapters.dynamodb.users import DynamoProfileStore
from handlers.adapters.sqs.delivery_queue import SqsDeliveryQueue
from handlers.adapters.system import RandomIds
from handlers.core.users.profile_rules import Account, first_profile
from handlers.entry import conversations, messages, users
from handlers.entry.http import Handler, route_handler
from handlers.settings import ConversationsSettings, MessagesSettings, ProfileSettings, UsersSettings
from tests.harness.delivery import DeliveryFunctions
from tests.harness.fakes import FakeClock, FakeIdentities
from tests.harness.faults import FaultInjector, FaultyClient, FaultyPublisher
from tests.harness.http import Response, http_event

_ROUTES = {route.operation: route for route in ROUTES}


@dataclass
class FunctionHarness(DeliveryFunctions):
    """The route functions of messages, conversations and users, with the functions that deliver their events.

    Args:
        faults: every call of the route functions to another service goes through it.
        fanout_limit: most recipients published to within the request.
    """

    faults: FaultInjector = field(default_factory=FaultInjector)
    identities: FakeIdentities = field(default_factory=FakeIdentities)
    fanout_limit: int = 20

    def __post_init__(self) -> None:
        """Wire the functions."""
        super().__post_init__()
        self.handlers = self.functions()

    def functions(self, client: Any = None, faults: FaultInjector | None = None) -> dict[str, Handler]:
        """Return newly wired route functions by domain.

        Args:
            client: a DynamoDB client instead of the test's own.
            faults: instead of the harness's own.
        """
        environ = {**self.aws.variables, "FANOUT_LIMIT": str(self.fanout_limit)}
        faults = faults or self.faults
        sqs = FaultyClient(self.held, faults)
        publisher = FaultyPublisher(self.publisher, faults)
        queue = SqsDeliveryQueue(lambda: sqs, self.aws.queue_url)
        time = (self.clock, RandomIds())

        def dynamodb(function: str) -> FaultyClient:
            return FaultyClient(self._client(function, client), faults)

        message_operations = messages.wire(
            MessagesSettings.load(environ), dynamodb(MessagesSettings.function), publisher, queue, *time
        )
        conversation_operations = conversations.wire(
            ConversationsSettings.load(environ), dynamodb(ConversationsSettings.function), publisher, queue, *time
        )
        user_operations = users.wire(
            UsersSettings.load(environ), dynamodb(UsersSettings.function), publisher, queue, self.identities, *time
        )
        return {
            "messages": route_handler("messages", messages.operations(lambda: message_operations)),
            "conversations": route_handler("conversations", conversations.operations(lambda: conversation_operations)),
            "users": route_handler("users", users.operations(lambda: user_operations)),
        }

    def profiles(self, client: Any = None) -> DynamoProfileStore:
        """Return the profile store of the sign-up trigger."""
        return DynamoProfileStore(
            client=self._client(ProfileSettings.function, client),
            users_table=self.aws.table(tables.USERS),
            search_table=self.aws.table(tables.USER_SEARCH),
            outbox=self.aws.table(tables.OUTBOX),
        )

    # Routes

    def call(
        self,
        caller: str,
        operation: str,
        body: Any = None,
        *,
        handlers: Mapping[str, Handler] | None = None,
        token: str = "",
        **parameters: Any,
    ) -> Response:
        """Call a route as the HTTP API does.

        Args:
            caller: user id.
            operation: name of the route.
            body: the request's body.
            handlers: functions to call instead of the harness's own.
            token: the access token; a made-up one by default.
            parameters: path parameters, and the query string where the route has one.
        """
        route = _ROUTES[operation]
        path = {name: parameters.pop(name) for name in re.findall(r"\{(\w+)\}", route.path)}
        query = {name: str(value) for name, value in parameters.items()}
        event = http_event(route.key, caller, body, path=path, query=query, token=token)
        return Response.of((handlers or self.handlers)[route.domain](event, None))

    def call_ok(self, caller: str, operation: str, body: Any = None, **parameters: Any) -> dict[str, Any]:
        """Call a route that must succeed, and return the response's body."""
        response = self.call(caller, operation, body, **parameters)
        assert response.status < 300, response
        return response.body

    def send(self, sender: str, conversation_id: str, content: str = "hello", **fields: Any) -> Response:
        """Send a text message."""
        body = {"conversationId": conversation_id, "content": content, **fields}
        return self.call(sender, "sendMessage", body)

    def send_ok(self, sender: str, conversation_id: str, content: str = "hello") -> dict[str, Any]:
        """Send a text message that must be accepted, and return the response's body."""
        return self.call_ok(sender, "sendMessage", {"conversationId": conversation_id, "content": content})

    def history(self, caller: str, conversation_id: str, **query: Any) -> Response:
        """Read history."""
        return self.call(caller, "getHistory", conversationId=conversation_id, **query)

    def edit(self, caller: str, message: dict[str, Any], content: str) -> Response:
        """Edit a message."""
        body = {"conversationId": message["conversationId"], "content": content}
        return self.call(caller, "editMessage", body, messageId=message["messageId"])

    def delete(self, caller: str, message: dict[str, Any]) -> Response:
        """Delete a message."""
        message_id, conversation_id = message["messageId"], message["conversationId"]
        return self.call(caller, "deleteMessage", messageId=message_id, conversationId=conversation_id)

    def group(self, creator: str, *members: str, **fields: Any) -> str:
        """Create a group and return its id."""
        body = {"name": "Chess club", "memberIds": list(members), **fields}
        return str(self.call_ok(creator, "createGroup", body)["conversation"]["conversationId"])

    def direct(self, caller: str, other: str) -> str:
        """Open a direct conversation and return its id."""
        answer = self.call_ok(caller, "openDirect", {"userId": other})
        return str(answer["conversation"]["conversationId"])

    # Users

    def user(self, first: str = "Ada", last: str = "Lovelace") -> str:
        """Store the profile of a new user and return the user id."""
        user_id = str(uuid.uuid4())
        account = Account(
            user_id=user_id, email=f"{user_id}@example.org", email_verified=True, given_name=first, family_name=last
        )
        assert self.profiles().create(first_profile(account, "2026-01-01T00:00:00.000Z"))
        return user_id

    def users(self, count: int) -> list[str]:
        """Store the profiles of several new users and return the user ids."""
        return [self.user(f"User{number}", "Example") for number in range(count)]

    # Time

    def advance(self, seconds: float) -> None:
        """Move the fake clock on."""
        assert isinstance(self.clock, FakeClock)
        self.clock.advance(seconds)

    # Stored conversations

    def members(self, conversation_id: str) -> dict[str, dict[str, Any]]:
        """Return the stored members of a conversation by user id."""
        found = self.aws.scan(tables.CONVERSATION_MEMBERS)
        return {item["userId"]: item for item in found if item["conversationId"] == conversation_id}

    def assert_consistent(self, conversation_id: str) -> dict[str, Any]:
        """Check that conversation, members and group agree, and return the conversation."""
        conversation = self.aws.item(tables.CONVERSATIONS, conversationId=conversation_id)
        assert conversation is not None
        members = self.members(conversation_id)
        participants, admins = conversation["participants"], conversation["admins"]
        assert len(set(participants)) == len(participants)
        assert set(members) == set(participants)
        assert set(admins) <= set(participants)
        if conversation["type"] == "GROUP":
            assert bool(admins) == bool(participants)
            assert {user_id for user_id, member in members.items() if member["role"] == "ADMIN"} == set(admins)
            group = self.aws.item(tables.GROUPS, groupId=conversation_id)
            assert group is not None
            assert group["memberCount"] == len(participants)
        return conversation
