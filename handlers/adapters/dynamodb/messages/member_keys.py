"""Short keys of a group's members in its counter.

With them, a process that has not read the group yet can reserve a number for a member, but for no other user, while it
reads the group. The membership itself is checked when the message is stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

MEMBER_KEYS_MAX: Final = 50
"""Most members of a group whose counter lists them: each adds 8 bytes to an item that every send writes twice. A send
to a larger group does not wait for the publishes, so that it needs no such saving."""
_CHARACTERS: Final = 8


def member_key(user_id: str) -> str:
    """Return the key of a user: a hash, since 50 user ids would not fit one write unit."""
    return hashlib.sha256(user_id.encode()).hexdigest()[:_CHARACTERS]


def member_keys(participants: Sequence[str]) -> frozenset[str] | None:
    """Return the keys of a group's members; None where the counter does not list them."""
    if not 0 < len(participants) <= MEMBER_KEYS_MAX:
        return None
    return frozenset(map(member_key, participants))
