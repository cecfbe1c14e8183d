"""Stores and reads profiles and search words: the tables Users and UserSearch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, get_args

import msgspec

from contract.limits import SEARCH_PREFIX_CHARACTERS
from contract.models import Profile, PublicUser, Year
from handlers.adapters.dynamodb.codec import to_item
from handlers.adapters.dynamodb.outbox import outbox_put
from handlers.adapters.dynamodb.reads import batch_get, get_item, query
from handlers.adapters.dynamodb.transactions import commit
from handlers.core.conversations.ports import Directory
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.users.ports import ProfileStore, SearchHit
from handlers.core.users.profile_rules import words

_KEPT = ("userId", "createdAt", "email", "emailVerified")


class DynamoDirectory(Directory):
    """Reads public profiles from the Users table."""

    def __init__(self, *, client: Any, users_table: str) -> None:
        self._client = client
        self._users_table = users_table

    def users(self, user_ids: Collection[str]) -> Mapping[str, PublicUser]:
        found = self._read(user_ids, PublicUser.__struct_fields__)
        return {item["userId"]: msgspec.convert(_complete(item), PublicUser) for item in found}

    def names(self, user_ids: Collection[str]) -> Mapping[str, str]:
        found = self._read(user_ids, ("userId", "firstName", "lastName", "fullName"))
        return {item["userId"]: _complete(item)["fullName"] for item in found}

    def _read(self, user_ids: Collection[str], attributes: tuple[str, ...]) -> list[dict[str, Any]]:
        keys = ({"userId": user_id} for user_id in dict.fromkeys(user_ids))
        return batch_get(self._client, self._users_table, keys, "the users", attributes)


class DynamoProfiles(DynamoDirectory, ProfileStore):
    """Reads and writes profiles and their search words.

    Args:
        outbox: name of the Outbox table; None in the sign-up trigger, which updates no profile.
    """

    def __init__(self, *, client: Any, users_table: str, search_table: str, outbox: str | None = None) -> None:
        super().__init__(client=client, users_table=users_table)
        self._search_table = search_table
        self._outbox = outbox

    def get(self, user_id: str) -> Profile | None:
        item = get_item(self._client, self._users_table, {"userId": user_id}, "the profile")
        return msgspec.convert(_whole(item), Profile) if item else None

    def create(self, profile: Profile) -> bool:
        put = {
            "Put": {
                "TableName": self._users_table,
                "Item": to_item({**_item(profile), "email": profile.email or None}),
                "ConditionExpression": "attribute_not_exists(userId)",
            }
        }
        return commit(self._client, [put, *self._word_puts(profile)], "the profile")

    def update(self, before: Profile, after: Profile, outbox: tuple[OutboxRecord, ...]) -> bool:
        actions = [self._profile_update(before, after)]
        if _shown(before) != _shown(after):
            gone = set(words(before.fullName)) - set(words(after.fullName))
            actions += [self._word_delete(word, after.userId) for word in sorted(gone)]
            actions += self._word_puts(after)
        if self._outbox is None:
            raise ValueError("a profile cannot be updated without an outbox")
        actions += [outbox_put(self._outbox, record) for record in outbox]
        return commit(self._client, actions, "the profile")

    def search(self, prefix: str) -> Iterable[SearchHit]:
        request = {
            "TableName": self._search_table,
            "KeyConditionExpression": "#prefix = :letters AND begins_with(#token, :word)",
            "ExpressionAttributeNames": {"#prefix": "prefix", "#token": "token"},
            "ExpressionAttributeValues": to_item({":letters": _letters(prefix), ":word": prefix}),
            "Limit": 100,
        }
        for item in query(self._client, request, "the users"):
            yield SearchHit(item["userId"], item["fullName"])

    def _profile_update(self, before: Profile, after: Profile) -> dict[str, Any]:
        values = {name: value for name, value in _item(after).items() if name not in _KEPT}
        kept = {name: value for name, value in values.items() if value is not None}
        cleared = [name for name in values if name not in kept]
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in kept)
        if cleared:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in cleared)
        condition = "#updatedAt = :before" if before.updatedAt else "attribute_not_exists(#updatedAt)"
        known = {":before": before.updatedAt} if before.updatedAt else {}
        return {
            "Update": {
                "TableName": self._users_table,
                "Key": to_item({"userId": after.userId}),
                "UpdateExpression": expression,
                "ConditionExpression": f"attribute_exists(userId) AND {condition}",
                "ExpressionAttributeNames": {f"#{name}": name for name in values},
                "ExpressionAttributeValues": to_item({f":{name}": value for name, value in kept.items()} | known),
            }
        }

    def _word_puts(self, profile: Profile) -> list[dict[str, Any]]:
        return [
            {
                "Put": {
                    "TableName": self._search_table,
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
            for word in words(profile.fullName)
        ]

    def _word_delete(self, word: str, user_id: str) -> dict[str, Any]:
        return {"Delete": {"TableName": self._search_table, "Key": to_item(_word_key(word, user_id))}}


def _letters(word: str) -> str:
    return word[:SEARCH_PREFIX_CHARACTERS]


def _word_key(word: str, user_id: str) -> dict[str, str]:
    return {"prefix": _letters(word), "token": f"{word}#{user_id}"}


def _shown(profile: Profile) -> tuple[str, str | None]:
    return profile.fullName, profile.profilePicture


def _item(profile: Profile) -> dict[str, Any]:
    return msgspec.structs.asdict(profile)


def _complete(item: dict[str, Any]) -> dict[str, Any]:
    """Return the item of a public profile with defaults for what profiles of the old application may lack."""
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
    """Return the item of a profile with defaults for what profiles of the old application may lack."""
    absent = {"email": "", "emailVerified": False, "createdAt": "", "updatedAt": ""}
    return {**absent, **_complete(item)}
