"""Disables and enables accounts. The commands are in `ops.support.users`.

Cognito decides who can sign in, and the attribute `disabledAt` of the table Users whose requests are served: an access
token stays valid until it expires. `disable` and `enable` write both. `differences` compares both, for accounts that
were disabled or deleted in Cognito by other means.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from contract import tables
from ops import aws, outputs
from ops.errors import CommandError
from stacks.outputs import POOL_REGION, STACK_REGION, USER_POOL_ID

_PAGE: Final = 60
"""Users in one page (Amazon Cognito: ListUsers)."""
_DISABLED: Final = "disabledAt"
_SETTLED: Final = timedelta(hours=1)


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One account of the user pool.

    Args:
        user_id: the `sub`.
        username: the name by which Cognito's requests address it.
        enabled: whether it can sign in.
    """

    user_id: str
    username: str
    enabled: bool


class _Profile(msgspec.Struct, frozen=True, kw_only=True):
    user_id: str
    disabled: bool
    created_at: str


class Difference(msgspec.Struct, frozen=True):
    """A user whose requests are served although the account cannot sign in (`disable`), or the reverse."""

    user_id: str
    disable: bool


class AccountControl:
    """The accounts of one environment.

    Args:
        cognito: the `cognito-idp` client of the pool's region.
        dynamodb: the `dynamodb` client of the stacks' region.
        pool_id: id of the user pool.
        users_table: name of the table Users.
    """

    def __init__(self, cognito: Any, dynamodb: Any, pool_id: str, users_table: str) -> None:
        self._cognito = cognito
        self._dynamodb = dynamodb
        self._pool_id = pool_id
        self._users = users_table

    def disable(self, user: str) -> str:
        """Disable an account, end its sessions, and refuse the requests of its present tokens.

        The table is written first: if the rest fails, a repeated call completes it.

        Args:
            user: `sub` or e-mail address.

        Returns:
            The user id.

        Raises:
            CommandError: the pool has no such account.
        """
        account = self.find(user)
        self._write(account.user_id, disabled=True)
        address = {"UserPoolId": self._pool_id, "Username": account.username}
        self._cognito.admin_disable_user(**address)
        self._cognito.admin_user_global_sign_out(**address)
        return account.user_id

    def enable(self, user: str) -> str:
        """Enable an account and serve its requests again. Arguments, result and errors as of `disable`."""
        account = self.find(user)
        self._cognito.admin_enable_user(UserPoolId=self._pool_id, Username=account.username)
        self._write(account.user_id, disabled=False)
        return account.user_id

    def delete(self, user: str) -> str:
        """Delete an account from the user pool. The profile stays. Arguments, result and errors as `disable`."""
        account = self.find(user)
        self._cognito.admin_delete_user(UserPoolId=self._pool_id, Username=account.username)
        return account.user_id

    def find(self, user: str) -> Account:
        """Return the account with a `sub` or an e-mail address.

        Raises:
            CommandError: the pool has no such account, or several.
        """
        if '"' in user or "\\" in user:
            raise CommandError(f"{user} is neither a user id nor an e-mail address.")
        attribute = "email" if "@" in user else "sub"
        found = list(self._accounts(Filter=f'{attribute} = "{user}"'))
        if len(found) != 1:
            number = len(found) or "no"
            raise CommandError(f"The pool {self._pool_id} has {number} accounts with the {attribute} {user}, not one.")
        return found[0]

    def differences(self) -> list[Difference]:
        """Return the profiles whose flag differs from the user pool; a profile without an account counts as disabled.

        Both lists are read whole. Accounts of the last hour that the pool does not list are left out (Amazon Cognito:
        ListUsers is eventually consistent).
        """
        new = _date(datetime.now(UTC) - _SETTLED)
        profiles = list(self._profiles())
        known = {account.user_id: account.enabled for account in self._accounts()}
        return [
            Difference(profile.user_id, not known.get(profile.user_id, False))
            for profile in sorted(profiles, key=lambda profile: profile.user_id)
            if profile.disabled == known.get(profile.user_id, False)
            and (profile.user_id in known or profile.created_at < new)
        ]

    def apply(self, difference: Difference) -> None:
        """Write the flag as the user pool has it."""
        self._write(difference.user_id, disabled=difference.disable)

    def _accounts(self, **request: Any) -> Iterator[Account]:
        request |= {"UserPoolId": self._pool_id, "Limit": _PAGE}
        while True:
            page = self._cognito.list_users(**request)
            for user in page["Users"]:
                attributes = {each["Name"]: each["Value"] for each in user["Attributes"]}
                yield Account(user_id=attributes["sub"], username=user["Username"], enabled=user["Enabled"])
            if not page.get("PaginationToken"):
                return
            request["PaginationToken"] = page["PaginationToken"]

    def _profiles(self) -> Iterator[_Profile]:
        request: dict[str, Any] = {
            "TableName": self._users,
            "ProjectionExpression": f"userId, createdAt, {_DISABLED}",
            "ConsistentRead": True,
        }
        while True:
            page = self._dynamodb.scan(**request)
            for item in page["Items"]:
                created_at = item.get("createdAt", {}).get("S", "")
                yield _Profile(user_id=item["userId"]["S"], disabled=_DISABLED in item, created_at=created_at)
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _write(self, user_id: str, *, disabled: bool) -> None:
        """Write the flag; of an account without a profile too, which then cannot create one."""
        request: dict[str, Any] = {"TableName": self._users, "Key": {"userId": {"S": user_id}}}
        if disabled:
            request["UpdateExpression"] = f"SET {_DISABLED} = if_not_exists({_DISABLED}, :now)"
            request["ExpressionAttributeValues"] = {":now": {"S": _date(datetime.now(UTC))}}
        else:
            request["UpdateExpression"] = f"REMOVE {_DISABLED}"
            request["ConditionExpression"] = "attribute_exists(userId)"
        try:
            self._dynamodb.update_item(**request)
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return


def _date(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def control(environment: str, stacks: outputs.StackOutputs) -> AccountControl:
    """Return the accounts of a deployed environment.

    Args:
        environment: its name.
        stacks: the outputs of its stacks.

    Raises:
        CommandError: an output is missing.
    """
    pool_id, pool_region, region = (
        outputs.value(output, environment, stacks) for output in (USER_POOL_ID, POOL_REGION, STACK_REGION)
    )
    return AccountControl(
        aws.client("cognito-idp", pool_region),
        aws.client("dynamodb", region),
        pool_id,
        tables.USERS.name(environment),
    )
