"""The tables Users and UserSearch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, get_args

import msgspec

from contract.limits import SEARCH_PREFIX_CHARACTERS
from contract.models import Profile, PublicUser, Year
from handlers.adapters.dynamodb.client import reading
from handlers.adapters.dynamodb.codec import to_item
from handlers.adapters.dynamodb.outbox import outbox_put
from handlers.adapters.dynamodb.reads import batch_get, get_item, query
from handlers.adapters.dynamodb.transactions import commit
from handlers.core.conversations.ports import UserDirectory
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.users.accounts import Accounts
from handlers.core.users.ports import ProfileStore, SearchHit
from handlers.core.users.profile_rules import search_words

_UNCHANGED = ("userId", "createdAt", "email", "emailVerified")
"""Attributes that a change of the profile does not write."""
_DISABLED = "disabledAt"


class DynamoAccounts(Accounts):
    """Reads whether accounts are disabled.

    Args:
        client: the `dynamodb` client.
        users_table: name of the table Users.
    """

    def __init__(self, *, client: Any, users_table: str) -> None:
        self._client = client
        self._users = users_table

    def is_disabled(self, user_id: str) -> bool:
        with reading("the account"):
            answer = self._client.get_item(
                TableName=self._users,
                Key=to_item({"userId": user_id}),
                ProjectionExpression=_DISABLED,
                ConsistentRead=True,
            )
        return _DISABLED in answer.get("Item", {})


class DynamoUserDirectory(UserDirectory):
    """Reads public profiles and names of users.

    Args:
        client: the `dynamodb` client.
        users_table: name of the table Users.
    """

    def __init__(self, *, client: Any, users_table: str) -> None:
        self._client = client
        self._users = users_table

    def users(self, user_ids: Collection[str]) -> Mapping[str, PublicUser]:
        found = self._read(user_ids, (*PublicUser.__struct_fields__, _DISABLED))
        return {item["userId"]: msgspec.convert(_complete(item), PublicUser) for item in found if _is_active(item)}

    def names(self, user_ids: Collection[str]) -> Mapping[str, str]:
        found = self._read(user_ids, ("userId", "firstName", "lastName", "fullName"))
        return {item["userId"]: _complete(item)["fullName"] for item in found}

    def active(self, user_ids: Collection[str]) -> Collection[str]:
        found = self._read(user_ids, ("userId", _DISABLED))
        return {item["userId"] for item in found if _is_active(item)}

    def _read(self, user_ids: Collection[str], attributes: tuple[str, ...]) -> list[dict[str, Any]]:
        keys = ({"userId": user_id} for user_id in dict.fromkeys(user_ids))
        return batch_get(self._client, self._users, keys, "the users", attributes)


class DynamoProfileStore(DynamoUserDirectory, ProfileStore):
    """Reads, writes and searches profiles.

    Args:
        client: the `dynamodb` client.
        users_table, search_table: names of the tables Users and UserSearch.
        outbox: name of the table Outbox; None where profiles are only created (the sign-up trigger).
    """

    def __init__(self, *, client: Any, users_table: str, search_table: str, outbox: str | None = None) -> None:
        super().__init__(client=client, users_table=users_table)
        self._search = search_table
        self._outbox = outbox

    def get(self, user_id: str) -> Profile | None:
        item = get_item(self._client, self._users, {"userId": user_id}, "the profile")
        return msgspec.convert(_whole(item), Profile) if item else None

    def create(self, profile: Profile) -> bool:
        put = {
            "Put": {
                "TableName": self._users,
                "Item": to_item({**_item(profile), "email": profile.email or None}),
                "ConditionExpression": "attribute_not_exists(userId)",
            }
        }
        return commit(self._client, [put, *self._word_puts(profile)], "the profile")

    def update(self, before: Profile, after: Profile, outbox: tuple[OutboxRecord, ...]) -> bool:
        actions = [self._profile_update(before, after)]
        if _search_result(before) != _search_result(after):
            removed = set(search_words(before.fullName)) - set(search_words(after.fullName))
            actions += [self._word_delete(word, after.userId) for word in sorted(removed)]
            actions += self._word_puts(after)
        if self._outbox is None:
            raise ValueError("a profile cannot be updated without an outbox")
        actions += [outbox_put(self._outbox, record) for record in outbox]
        return commit(self._client, actions, "the profile")

    def search(self, prefix: str) -> Iterable[SearchHit]:
        request = {
            "TableName": self._search,
            "KeyConditionExpression": "#prefix = :letters AND begins_with(#token, :word)",
            "ExpressionAttributeNames": {"#prefix": "prefix", "#token": "token"},
            "ExpressionAttributeValues": to_item({":letters": _prefix(prefix), ":word": prefix}),
            "Limit": 100,
        }
        for item in query(self._client, request, "the users"):
            yield SearchHit(item["userId"], item["fullName"])

    def _profile_update(self, before: Profile, after: Profile) -> dict[str, Any]:
        values = {name: value for name, value in _item(after).items() if name not in _UNCHANGED}
        present = {name: value for name, value in values.items() if value is not None}
        cleared = [name for name in values if name not in present]
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in present)
        if cleared:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in cleared)
        condition = "#updatedAt = :before" if before.updatedAt else "attribute_not_exists(#updatedAt)"
        known = {":before": before.updatedAt} if before.updatedAt else {}
        return {
            "Update": {
                "TableName": self._users,
                "Key": to_item({"userId": after.userId}),
                "UpdateExpression": expression,
                "ConditionExpression": f"attribute_exists(userId) AND {condition}",
                "ExpressionAttributeNames": {f"#{name}": name for name in values},
                "ExpressionAttributeValues": to_item({f":{name}": value for name, value in present.items()} | known),
            }
        }

    def _word_puts(self, profile: Profile) -> list[dict[str, Any]]:
        return [
            {
                "Put": {
                    "TableName": self._search,
                    "Item": to_item(
                        {
                            **_word_key(word, profile.userId),
                            "userId": profile.userId,
                            "fullName": profile.fullName,
                            "profilePicture": profile.profilePicture,
                        }
                    ),
                }
            }
            for word in search_words(profile.fullName)
        ]

    def _word_delete(self, word: str, user_id: str) -> dict[str, Any]:
        return {"Delete": {"TableName": self._search, "Key": to_item(_word_key(word, user_id))}}


def _is_active(item: dict[str, Any]) -> bool:
    """Return whether an item is a profile of an account that is not disabled."""
    return _DISABLED not in item


def _prefix(word: str) -> str:
    return word[:SEARCH_PREFIX_CHARACTERS]


def _word_key(word: str, user_id: str) -> dict[str, str]:
    return {"prefix": _prefix(word), "token": f"{word}#{user_id}"}


def _search_result(profile: Profile) -> tuple[str, str | None]:
    return profile.fullName, profile.profilePicture


def _item(profile: Profile) -> dict[str, Any]:
    return msgspec.structs.asdict(profile)


def _complete(item: dict[str, Any]) -> dict[str, Any]:
    """Return the item of a public profile, with the attributes that profiles of the old application may lack."""
    first, last = item.get("firstName") or "", item.get("lastName") or ""
    given = {name: value for name, value in item.items() if value is not None}
    if given.get("year") not in get_args(Year):
        given.pop("year", None)
    return {
        **given,
        "firstName": first,
        "lastName": last,
        "fullName": item.get("fullName") or f"{first} {last}".strip(),
    }


def _whole(item: dict[str, Any]) -> dict[str, Any]:
    """Return the item of a whole profile, with the attributes that profiles of the old application may lack."""
    absent = {"email": "", "emailVerified": False, "createdAt": "", "updatedAt": ""}
    return {**absent, **_complete(item)}
