"""Look-ups of users while others sign up.

Upstream: every request of Cognito runs on a thread of its own, and a look-up by address, by id or by token goes through
all users. A sign-up at that moment ends it with "dictionary changed size during iteration": a request by name or
address is answered with 500, one with a token as if the user did not exist.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import cognito

Pool = dict[str, Any]


def apply() -> None:
    """Look in a copy of the users, which holds the same users."""
    cognito._resolve_user = _resolving(cognito._resolve_user)
    from_token = cognito._user_from_token
    cognito._user_from_token = lambda token, pool: from_token(token, _still(pool))


def _resolving(resolve: Callable[[Pool, Any], Any]) -> Callable[[Pool, Any], Any]:
    def resolved(pool: Pool, username: Any) -> Any:
        # Most requests name the user as the pool does; those need no copy.
        return resolve(pool if username in pool["_users"] else _still(pool), username)

    return resolved


def _still(pool: Pool) -> Pool:
    return {**pool, "_users": dict(pool["_users"])}
