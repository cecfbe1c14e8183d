"""The canary: a scheduled function that signs in as two users of its own and uses the product as a client does.

Its two conversations have fixed ids. Every other id is a UUID that a function creates, so that no user can create a
conversation with these ids. What is stored for them expires, and their calls count in no metric of the product.
"""

from __future__ import annotations

from typing import Final

PREFIX: Final = "canary-"
"""How the ids of the canary's conversations begin."""
DIRECT_ID: Final = f"{PREFIX}direct"
"""The direct conversation in which the canary sends its message."""
GROUP_ID: Final = f"{PREFIX}group"
"""The group of the same two users in which the canary places its call."""
RETENTION_DAYS: Final = 7
"""Days until the canary's messages and calls expire: long enough to look at a failed run after a weekend."""

DELIVERY_TARGET_MS: Final = 500
"""Delivery time, in milliseconds, that 95 of 100 runs may not exceed; above it an alarm fires."""
DELIVERY_OBJECTIVE_MS: Final = 1_000
"""A run is good when every step succeeds and the message is received within this time, in milliseconds."""
OBJECTIVE_PERCENT: Final = 99.0
"""The service level objective: the share of good runs in `OBJECTIVE_DAYS` days."""
OBJECTIVE_DAYS: Final = 28

DELIVERY_METRIC: Final = "CanaryDelivery"
"""Milliseconds from the start of the send request to the receipt on the recipient's WebSocket."""
BAD_RUN_METRIC: Final = "CanaryBadRun"
"""1 for a run that misses the objective, 0 for a good one; its average is the share of bad runs."""


def is_canary(conversation_id: str | None) -> bool:
    """Return whether a conversation is one of the canary's."""
    return conversation_id is not None and conversation_id.startswith(PREFIX)


def expires_at(conversation_id: str | None, milliseconds: int) -> int | None:
    """Return when an item of a conversation expires, in epoch seconds; None for every conversation of users.

    Args:
        conversation_id: the conversation that a message or call belongs to.
        milliseconds: when it was created, in milliseconds since the epoch.
    """
    return milliseconds // 1000 + RETENTION_DAYS * 86_400 if is_canary(conversation_id) else None


def credentials_parameter(environment: str) -> str:
    """Return the name of the parameter in SSM that holds the passwords of the canary's users."""
    return f"/PantherKolab/{environment}/canary"
