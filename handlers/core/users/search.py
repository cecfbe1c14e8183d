"""Searches users by name."""

from __future__ import annotations

import msgspec

from contract import limits
from contract.limits import SEARCH_RATE
from contract.models import PublicUser
from contract.requests import SearchUsers
from handlers.core.shared.concurrency import both
from handlers.core.shared.errors import InvalidRequestError, TooManyRequestsError
from handlers.core.shared.ports import Clock, RateCounter
from handlers.core.shared.timing import stage
from handlers.core.users import profile_rules
from handlers.core.users.ports import ProfileStore

HITS_EXAMINED = 1_000
"""Hits for the longest word of the query that one search examines; after them it returns the users found so far."""


class UserSearch(msgspec.Struct, frozen=True, kw_only=True):
    """Searches users by the words of their names."""

    store: ProfileStore
    rates: RateCounter
    clock: Clock

    def search(self, caller: str, request: SearchUsers) -> list[PublicUser]:
        """Find the users, except the caller, with a name in which each word of the query begins a word.

        Case, accents and apostrophes are ignored.

        Raises:
            InvalidRequestError: no word of the query has two letters.
            TooManyRequestsError: the caller's rate limit for searches is used up.
        """
        wanted = profile_rules.search_words(request.q)
        longest = max(wanted, key=len, default="")
        if len(longest) < limits.SEARCH_PREFIX_CHARACTERS:
            raise InvalidRequestError(
                f"q must contain a word of at least {limits.SEARCH_PREFIX_CHARACTERS} letters", field="q"
            )
        now = self.clock.now()
        with stage("search"):
            counted, found = both(
                lambda: self.rates.count(caller, SEARCH_RATE, now),
                lambda: self._hits(caller, longest, wanted, request.limit),
            )
        if not counted:
            raise TooManyRequestsError(
                f"too many searches: at most {SEARCH_RATE.count} in {SEARCH_RATE.seconds} seconds",
                retry_after=SEARCH_RATE.retry_after(now / 1000),
            )
        with stage("read"):
            users = self.store.users(found)
        return [users[user_id] for user_id in found if user_id in users]

    def _hits(self, caller: str, longest: str, wanted: tuple[str, ...], limit: int) -> list[str]:
        found: dict[str, None] = {}
        for number, hit in enumerate(self.store.search(longest), start=1):
            if hit.user_id != caller and profile_rules.matches(hit.full_name, wanted):
                found[hit.user_id] = None
            if len(found) == limit or number == HITS_EXAMINED:
                break
        return list(found)
