"""The check of the caller's account, which every route function makes before it serves a request."""

from __future__ import annotations

from typing import Any

from handlers.adapters.dynamodb.users import DynamoAccounts
from handlers.adapters.system import SystemClock
from handlers.core.shared.ports import Clock
from handlers.core.users.accounts import ActiveAccounts


def active_accounts(dynamodb: Any, users_table: str, clock: Clock | None = None) -> ActiveAccounts:
    """Return the check of accounts with its adapter.

    Args:
        dynamodb: a botocore client.
        users_table: name of the table Users.
        clock: the system's clock by default.
    """
    return ActiveAccounts(DynamoAccounts(client=dynamodb, users_table=users_table), clock or SystemClock())
