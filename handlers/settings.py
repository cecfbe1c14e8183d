"""The settings of every Lambda function: environment variables, typed and checked once per process.

The same field names feed the functions' environment in the Routes and Identity stacks, so that the two cannot drift.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self


class SettingsError(Exception):
    """A variable is missing or not of its type; the message names every offending variable."""


@dataclass(frozen=True, kw_only=True)
class _Settings:
    @classmethod
    def variables(cls) -> tuple[str, ...]:
        """Return the environment variables of this function, in the order of its fields."""
        return tuple(field.name.upper() for field in fields(cls))

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the settings from the environment.

        Args:
            environ: variables to read; the process's own when absent.

        Raises:
            SettingsError: variables are missing, empty or not whole numbers where numbers are due.
        """
        source = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        problems: list[str] = []
        for field in fields(cls):
            variable = field.name.upper()
            text = source.get(variable, "")
            if not text:
                problems.append(f"{variable} is missing or empty")
            elif field.type == "int":
                if text.isdigit():
                    values[field.name] = int(text)
                else:
                    problems.append(f"{variable} must be a whole number, not {text!r}")
            else:
                values[field.name] = text
        if problems:
            raise SettingsError("; ".join(problems))
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class _Publishing(_Settings):
    environment: str
    events_http_endpoint: str
    outbox_table: str


@dataclass(frozen=True, kw_only=True)
class MessagesSettings(_Publishing):
    """Settings of the messages routes. `fanout_limit`: most recipients published to within the request."""

    function: ClassVar[str] = "messages"

    conversations_table: str
    conversation_members_table: str
    messages_table: str
    message_changes_table: str
    idempotency_table: str
    rate_limits_table: str
    delivery_queue_url: str
    fanout_limit: int


@dataclass(frozen=True, kw_only=True)
class ConversationsSettings(_Publishing):
    """Settings of the conversations routes."""

    function: ClassVar[str] = "conversations"

    users_table: str
    blocks_table: str
    conversations_table: str
    conversation_members_table: str
    messages_table: str
    groups_table: str
    delivery_queue_url: str
    fanout_limit: int


@dataclass(frozen=True, kw_only=True)
class UsersSettings(_Publishing):
    """Settings of the users routes."""

    function: ClassVar[str] = "users"

    users_table: str
    user_search_table: str
    blocks_table: str
    conversations_table: str
    conversation_members_table: str
    rate_limits_table: str
    delivery_queue_url: str
    fanout_limit: int


@dataclass(frozen=True, kw_only=True)
class DeliverSettings(_Publishing):
    """Settings of the function that publishes what the delivery queue hands it."""

    function: ClassVar[str] = "deliver"


@dataclass(frozen=True, kw_only=True)
class RelaySettings(_Settings):
    """Settings of the function that offers events, which their sender left behind, to the delivery queue."""

    function: ClassVar[str] = "relay"

    environment: str
    outbox_table: str
    delivery_queue_url: str


@dataclass(frozen=True, kw_only=True)
class SweepSettings(_Settings):
    """Settings of the function that looks for forgotten events once a minute."""

    function: ClassVar[str] = "sweep"

    environment: str
    outbox_table: str
    delivery_queue_url: str


@dataclass(frozen=True, kw_only=True)
class ProfileSettings(_Settings):
    """Settings of the Cognito post-confirmation trigger, which makes the user's profile."""

    function: ClassVar[str] = "profile"

    environment: str
    users_table: str
    user_search_table: str
