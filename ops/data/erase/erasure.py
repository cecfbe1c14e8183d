"""The steps of an erasure, in their order. Each may be repeated, so that a run that was ended is run again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from ops.accounts import Account, AccountControl
from ops.data.erase.calls import CallErasure
from ops.data.erase.memberships import MembershipErasure
from ops.data.erase.messages import MessageErasure
from ops.data.erase.person import Person, WorkList
from ops.data.erase.profile import ProfileErasure
from ops.data.erasures import ErasureList
from ops.data.pace import Pace
from ops.data.table_access import TableAccess
from ops.errors import CommandError


class Step(msgspec.Struct, frozen=True):
    """One step: what it erases, and the work that is left of it."""

    name: str
    work: Callable[[], WorkList]


class Erasure:
    """The erasure of one person.

    Args:
        user_id: the person's user id.
        live: the tables.
        accounts: the user pool; None where the account is gone.
        keep_account: the account is disabled only, as an imported pool may need.
    """

    def __init__(
        self, user_id: str, live: TableAccess, accounts: AccountControl | None, *, keep_account: bool = False
    ) -> None:
        self._user_id = user_id
        self._keep_account = keep_account
        self._accounts = accounts
        self._list = ErasureList(live)
        person = Person(user_id, live)
        calls, messages = CallErasure(person), MessageErasure(person)
        memberships, profile = MembershipErasure(person), ProfileErasure(person)
        self.steps: Final = (
            Step("sign-in and requests refused", self._sign_in),
            Step("calls in progress left", calls.in_progress),
            Step("stored events removed", messages.pending),
            Step("messages made tombstones", messages.stored),
            # Before the departures: it is published to the users of the person's conversations.
            Step("profile made anonymous", profile.profile),
            Step("groups left", memberships.groups),
            Step("direct conversations cleaned", memberships.direct),
            Step("previews removed", memberships.previews),
            Step("call records cleaned", calls.records),
            Step("words of the search removed", profile.search),
            Step("blocks, lists and counters removed", profile.own_items),
            Step("account deleted", self._account),
        )

    def plan(self) -> list[tuple[str, int]]:
        """Return how many items each step would erase now."""
        return [(step.name, sum(1 for _ in step.work())) for step in self.steps]

    def run(self, pace: Pace) -> list[tuple[str, int]]:
        """Erase the person, and return how many items each step erased.

        The list of erasures has the person before anything is erased: what a restore brings back in between is erased
        by `replay`.
        """
        self._list.begin(self._user_id)
        done = []
        for step in self.steps:
            count = 0
            for work in step.work():
                pace.before_write()
                work()
                count += 1
                pace.report(f"{step.name}: {count}")
            pace.report(f"{step.name}: {count}", last=True)
            done.append((step.name, count))
        self._list.complete(self._user_id)
        return done

    def _sign_in(self) -> WorkList:
        if self._can_sign_in():
            yield self._disable

    def _disable(self) -> None:
        if self._accounts is not None:
            self._accounts.disable(self._user_id)

    def _account(self) -> WorkList:
        if not self._keep_account and self._exists():
            yield self._delete

    def _delete(self) -> None:
        if self._accounts is not None:
            self._accounts.delete(self._user_id)

    def _can_sign_in(self) -> bool:
        account = self._found()
        return account is not None and account.enabled

    def _exists(self) -> bool:
        return self._found() is not None

    def _found(self) -> Account | None:
        try:
            return None if self._accounts is None else self._accounts.find(self._user_id)
        except CommandError:
            return None
