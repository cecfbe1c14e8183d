"""The settings of each Lambda function: environment variables, parsed and checked once per process.

The Routes and Identity stacks read the same classes for the functions' environment variables, so that both agree.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import msgspec


class SettingsError(Exception):
    """A variable is missing or has the wrong type; the message names every such variable."""


class _Settings(msgspec.Struct, frozen=True, kw_only=True):
    @classmethod
    def variables(cls) -> tuple[str, ...]:
        """Return the names of this function's environment variables, in the order of the fields."""
        return tuple(field.upper() for field in cls.__struct_fields__)

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the settings from the environment.

        Args:
            environ: variables to read; those of the process when absent.

        Raises:
            SettingsError: a variable is missing or empty, or a number is not a whole number.
        """
        source = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        problems: list[str] = []
        numbers = _whole_numbers(cls)
        for field in cls.__struct_fields__:
            variable = field.upper()
            text = source.get(variable, "")
            if not text:
                problems.append(f"{variable} is missing or empty")
            elif field in numbers:
                if text.isdigit():
                    values[field] = int(text)
                else:
                    problems.append(f"{variable} must be a whole number, not {text!r}")
            else:
                values[field] = text
        if problems:
            raise SettingsError("; ".join(problems))
        return cls(**values)


def _whole_numbers(settings: type[_Settings]) -> set[str]:
    """Return the names of the integer fields. Annotations are text here, so they are compared without evaluation."""
    annotations = [each.__annotations__ for each in settings.__mro__ if issubclass(each, _Settings)]
    return {name for each in annotations for name, kind in each.items() if kind == "int"}


class _Publishing(_Settings, frozen=True, kw_only=True):
    environment: str
    events_http_endpoint: str
    outbox_table: str


class MessagesSettings(_Publishing, frozen=True, kw_only=True):
    """Settings of the messages routes. `fanout_limit`: events for more recipients are delivered asynchronously."""

    function: ClassVar[str] = "messages"

    users_table: str
    conversations_table: str
    conversation_counters_table: str
    conversation_members_table: str
    messages_table: str
    message_changes_table: str
    idempotency_table: str
    rate_limits_table: str
    delivery_queue_url: str
    fanout_limit: int


class ConversationsSettings(_Publishing, frozen=True, kw_only=True):
    """Settings of the conversations routes."""

    function: ClassVar[str] = "conversations"

    users_table: str
    blocks_table: str
    conversations_table: str
    conversation_counters_table: str
    conversation_members_table: str
    messages_table: str
    groups_table: str
    rate_limits_table: str
    delivery_queue_url: str
    fanout_limit: int


class UsersSettings(_Publishing, frozen=True, kw_only=True):
    """Settings of the users routes. `pool_region`: region of the user pool, which need not be that of the stacks."""

    function: ClassVar[str] = "users"

    users_table: str
    user_search_table: str
    blocks_table: str
    conversations_table: str
    conversation_members_table: str
    rate_limits_table: str
    delivery_queue_url: str
    fanout_limit: int
    pool_region: str


class CallsSettings(_Publishing, frozen=True, kw_only=True):
    """Settings of the calls routes.

    `ring_timeout_seconds`: how long a call rings; `media_region`: the AWS region in which Chime hosts the meetings.
    """

    function: ClassVar[str] = "calls"

    users_table: str
    blocks_table: str
    conversations_table: str
    conversation_members_table: str
    calls_table: str
    user_calls_table: str
    call_locks_table: str
    rate_limits_table: str
    delivery_queue_url: str
    ring_queue_url: str
    ring_timeout_seconds: int
    media_region: str


class _CallMaintenance(_Publishing, frozen=True, kw_only=True):
    calls_table: str
    call_locks_table: str
    delivery_queue_url: str
    media_region: str


class RingTimeoutSettings(_CallMaintenance, frozen=True, kw_only=True):
    """Settings of the function that ends ringing after the ring timeout."""

    function: ClassVar[str] = "ring_timeout"

    ring_queue_url: str


class ChimeEventsSettings(_CallMaintenance, frozen=True, kw_only=True):
    """Settings of the function that processes Chime's meeting events."""

    function: ClassVar[str] = "chime_events"


class CallSweepSettings(_CallMaintenance, frozen=True, kw_only=True):
    """Settings of the function that finds overdue calls and leftover meetings."""

    function: ClassVar[str] = "call_sweep"

    users_table: str
    conversations_table: str


class DeliverSettings(_Publishing, frozen=True, kw_only=True):
    """Settings of the function that publishes the events of the delivery queue."""

    function: ClassVar[str] = "deliver"

    conversations_table: str
    conversation_members_table: str
    messages_table: str
    delivery_queue_url: str


class RelaySettings(_Settings, frozen=True, kw_only=True):
    """Settings of the function that queues undelivered events, from the stream of the table Outbox."""

    function: ClassVar[str] = "relay"

    environment: str
    outbox_table: str
    delivery_queue_url: str


class SweepSettings(_Settings, frozen=True, kw_only=True):
    """Settings of the function that finds undelivered events once a minute."""

    function: ClassVar[str] = "sweep"

    environment: str
    outbox_table: str
    delivery_queue_url: str


class BridgeSettings(_Settings, frozen=True, kw_only=True):
    """Settings of the bridge to the old Socket.IO server, from the stream of the table Messages.

    `old_server_queue_url`: the queue that the old server reads.
    """

    function: ClassVar[str] = "bridge"

    environment: str
    conversations_table: str
    conversation_counters_table: str
    conversation_members_table: str
    messages_table: str
    outbox_table: str
    delivery_queue_url: str
    old_server_queue_url: str
    fanout_limit: int


class ProfileSettings(_Settings, frozen=True, kw_only=True):
    """Settings of the Cognito post-confirmation trigger, which creates the user's profile."""

    function: ClassVar[str] = "profile"

    environment: str
    users_table: str
    user_search_table: str


class CanarySettings(_Settings, frozen=True, kw_only=True):
    """Settings of the canary.

    `api_address`, `events_http_endpoint`, `events_realtime_endpoint`: what clients use; `client_id`: the app client of
    the canary's users; `credentials_parameter`: the parameter in SSM with their passwords; `metric_namespace`: the
    CloudWatch namespace of the environment's own metrics.
    """

    function: ClassVar[str] = "canary"

    environment: str
    api_address: str
    events_http_endpoint: str
    events_realtime_endpoint: str
    client_id: str
    pool_region: str
    credentials_parameter: str
    metric_namespace: str
