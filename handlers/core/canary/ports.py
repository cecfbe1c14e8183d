"""The ports of the canary: credentials, sign-in, routes and the WebSocket connection, as a client uses them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

Event = Mapping[str, Any]


class CanaryUser(msgspec.Struct, frozen=True, kw_only=True):
    """The e-mail address and password of one canary user."""

    email: str
    password: str


class CanaryUsers(msgspec.Struct, frozen=True, kw_only=True):
    """Both users: the sender also places the call."""

    sender: CanaryUser
    recipient: CanaryUser


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in user: the Cognito `sub` and the access token."""

    user_id: str
    access_token: str


class CanaryError(Exception):
    """A step did not have the expected result; the message says what was expected. It contains no token."""


class CredentialStore(Protocol):
    """Where the passwords are kept."""

    def read(self) -> CanaryUsers:
        """Read the credentials of both users.

        Raises:
            CanaryError: they are not stored, or cannot be read.
        """
        ...


class SignIn(Protocol):
    """Signs users in."""

    def sign_in(self, user: CanaryUser) -> Session:
        """Sign a user in.

        Raises:
            CanaryError: the credentials are refused, or the service does not answer.
        """
        ...


class ChatRoutes(Protocol):
    """The routes of the HTTP API. Every method raises CanaryError for another status than success, or no response."""

    def newest_messages(self, session: Session, conversation_id: str) -> list[str]:
        """Return the ids of the newest page of messages, newest first."""
        ...

    def send(self, session: Session, conversation_id: str, temp_id: str, content: str) -> str:
        """Send a text message and return its id."""
        ...

    def initiate_call(self, session: Session, group_id: str, temp_id: str) -> str:
        """Call the members of a group and return the session id."""
        ...

    def cancel_call(self, session: Session, session_id: str) -> None:
        """Cancel a call that rings."""
        ...


class Connection(Protocol):
    """An open WebSocket connection to the Event API."""

    def subscribe(self, channel: str) -> None:
        """Subscribe to a channel and wait for the confirmation.

        Raises:
            CanaryError: the subscription is refused, or not confirmed in time.
        """
        ...

    def wait_for(self, matches: Callable[[Event], bool]) -> int:
        """Wait for the first event that matches, received before or after the call.

        Returns:
            When it was received, in milliseconds since the epoch.

        Raises:
            CanaryError: no such event was received in time, or the connection was lost.
        """
        ...

    def close(self) -> None:
        """Close the connection. Closing a lost connection has no effect."""
        ...


class Subscriber(Protocol):
    """Opens connections to the Event API."""

    def connect(self, session: Session) -> Connection:
        """Open a connection and wait until it is acknowledged.

        Raises:
            CanaryError: the connection is refused, or not acknowledged in time.
        """
        ...
