"""Which users get the new client. `old_server/share.mjs` is the same function for the front end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_BUCKETS: Final = 10_000
_OFFSET: Final = 0x811C9DC5
_PRIME: Final = 0x01000193


def uses_new_client(user_id: str, percent: float) -> bool:
    """Return whether a user gets the new client.

    Args:
        user_id: the Cognito `sub`.
        percent: the share of users, from 0 to 100. A greater share only adds users.
    """
    return bucket(user_id) < percent * _BUCKETS / 100


def bucket(user_id: str) -> int:
    """Return a number from 0 to 9999: FNV-1a with 32 bits over the id's UTF-8 bytes."""
    value = _OFFSET
    for byte in user_id.encode():
        value = (value ^ byte) * _PRIME % 2**32
    return value % _BUCKETS


def count_new(user_ids: Iterable[str], percent: float) -> int:
    """Return how many of some users get the new client."""
    return sum(uses_new_client(user_id, percent) for user_id in user_ids)
