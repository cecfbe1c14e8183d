"""Refuses requests of accounts that the operator has disabled or deleted.

Cognito's access tokens stay valid until they expire, whatever happens to the account (Amazon Cognito: revoking tokens;
a JWT authorizer checks signature and dates only). Therefore each function reads whether the caller's account is
disabled, and relies on the answer for `ACCOUNT_CHECK_SECONDS`.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Final, Protocol

from contract.limits import ACCOUNT_CHECK_SECONDS
from handlers.core.shared.errors import ForbiddenError
from handlers.core.shared.ports import Clock

CAPACITY: Final = 10_000
"""Most accounts whose last check a process keeps: about 1 MB."""


class Accounts(Protocol):
    """Reads whether accounts are disabled."""

    def is_disabled(self, user_id: str) -> bool:
        """Return whether an account is disabled, read strongly consistently."""
        ...


class ActiveAccounts:
    """Lets requests of active accounts pass; one object per process.

    Args:
        accounts: reads the account where its last check is too old.
        clock: the present time.
        capacity: most checks kept; beyond it the oldest is dropped.
    """

    def __init__(self, accounts: Accounts, clock: Clock, capacity: int = CAPACITY) -> None:
        self._accounts = accounts
        self._clock = clock
        self._capacity = capacity
        self._checked: OrderedDict[str, int] = OrderedDict()
        self._lock = Lock()

    def require(self, user_id: str) -> None:
        """Refuse a disabled account.

        Raises:
            ForbiddenError: the account is disabled; it may have been active at most `ACCOUNT_CHECK_SECONDS` ago.
            UnavailableError: the account could not be read.
        """
        now = self._clock.now()
        with self._lock:
            checked = self._checked.get(user_id)
        if checked is not None and 0 <= now - checked < ACCOUNT_CHECK_SECONDS * 1000:
            return
        if self._accounts.is_disabled(user_id):
            raise ForbiddenError("this account is disabled")
        with self._lock:
            self._checked.pop(user_id, None)
            self._checked[user_id] = now
            if len(self._checked) > self._capacity:
                self._checked.popitem(last=False)
