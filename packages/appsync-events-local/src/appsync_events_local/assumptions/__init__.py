"""Assumptions: what the service does where AWS documents nothing that can be relied on.

`appsync-events-local assumptions` prints them with their reasons. The code reads their values from here: when the real
service is measured, change a value here, not the code.
"""

from itertools import chain
from typing import Any

from appsync_events_local.assumptions import (
    channels,
    connections,
    credentials,
    data_sources,
    frames,
    handlers,
    metrics,
    publishing,
    tokens,
)
from appsync_events_local.assumptions.assumption import Assumption
from appsync_events_local.assumptions.channels import BAD_CHANNEL_STATUS, UNKNOWN_NAMESPACE_STATUS, WILDCARD_SELF
from appsync_events_local.assumptions.connections import (
    LIFETIME_CLOSE_CODE,
    MISSING_SUBPROTOCOL_STATUS,
    REFUSED_CONNECT_CLOSE_CODE,
)
from appsync_events_local.assumptions.credentials import MODE_NOT_ALLOWED_STATUS, SIGV4_BODIES
from appsync_events_local.assumptions.data_sources import HTTP_RESPONSE_BYTES
from appsync_events_local.assumptions.handlers import HANDLER_CRASH_STATUS, HANDLER_ERROR_STATUS, HANDLER_ERROR_TYPE
from appsync_events_local.assumptions.publishing import HANDLER_ITEM_ERROR_CODE

__all__ = [
    "BAD_CHANNEL_STATUS",
    "HANDLER_CRASH_STATUS",
    "HANDLER_ERROR_STATUS",
    "HANDLER_ERROR_TYPE",
    "HANDLER_ITEM_ERROR_CODE",
    "HTTP_RESPONSE_BYTES",
    "LIFETIME_CLOSE_CODE",
    "MISSING_SUBPROTOCOL_STATUS",
    "MODE_NOT_ALLOWED_STATUS",
    "REFUSED_CONNECT_CLOSE_CODE",
    "SIGV4_BODIES",
    "UNKNOWN_NAMESPACE_STATUS",
    "WILDCARD_SELF",
    "Assumption",
    "all_assumptions",
    "as_text",
    "by_topic",
]


def by_topic() -> dict[str, tuple[Assumption[Any], ...]]:
    """Every assumption by its topic: the name of the module that holds it."""
    topics = (channels, connections, frames, credentials, tokens, publishing, handlers, data_sources, metrics)
    return {topic.__name__.rpartition(".")[2]: topic.ASSUMPTIONS for topic in topics}


def all_assumptions() -> list[Assumption[Any]]:
    """Every assumption, by topic."""
    return list(chain.from_iterable(by_topic().values()))


def as_text() -> str:
    """The assumptions for people, one paragraph each."""
    return "\n\n".join(
        f"{each.id}\n  {each.question}\n  -> {each.behaviour}\n  because {each.reason}" for each in all_assumptions()
    )
