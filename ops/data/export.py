"""Exports what is stored about one person, as JSON files with a manifest.

The files hold what the person wrote and what is stored about the person. Of other people they hold user ids only: their
names, messages and profiles are theirs.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from contract import tables
from ops.data.erasures import iso_now
from ops.data.pace import Pace
from ops.data.table_access import TableAccess
from ops.errors import CommandError

_CONVERSATION: Final = ("conversationId", "type", "name", "description", "createdAt", "participants", "admins")
_CALL: Final = (
    *("sessionId", "status", "callType", "mediaType", "initiatedBy", "conversationId", "createdAt", "startedAt"),
    *("endedAt", "endReason", "duration"),
)
_HIDDEN: Final = ("hiddenFrom",)
"""Attributes of the person's messages that say something about others: who has blocked the person."""


class PersonExport:
    """What is stored about one person.

    Args:
        user_id: the person's user id.
        live: the tables.
    """

    def __init__(self, user_id: str, live: TableAccess) -> None:
        self._user_id = user_id
        self._live = live

    def files(self) -> dict[str, Callable[[], Iterator[dict[str, Any]]]]:
        """Return the files of the export: name and content, which is read when it is written."""
        return {
            "profile.json": self._profile,
            "conversations.json": self._conversations,
            "messages.json": self._messages,
            "calls.json": self._calls,
            "blocks.json": self._blocks,
        }

    def _profile(self) -> Iterator[dict[str, Any]]:
        profile = self._live.get(tables.USERS, userId=self._user_id)
        if profile is None:
            raise CommandError(f"There is no profile of the user {self._user_id}. Check the user id and --env.")
        yield profile

    def _conversations(self) -> Iterator[dict[str, Any]]:
        """Yield each conversation with the person's own membership, which has the read mark (receipt)."""
        members = {
            each["conversationId"]: each for each in self._live.query(tables.CONVERSATION_MEMBERS, self._user_id)
        }
        for item in self._live.scan(tables.CONVERSATIONS, "contains(participants, :user)", user=self._user_id):
            member = members.get(item["conversationId"], {})
            if member.get("hidden") or self._user_id in (item.get("hiddenMembers") or {}):
                continue  # the conversation is hidden from the person, who has blocked its creator
            own = {name: value for name, value in member.items() if name not in ("userId", "conversationId", "type")}
            kept = _CONVERSATION if item.get("type") == "GROUP" else tuple(n for n in _CONVERSATION if n != "name")
            yield {**_only(item, kept), "membership": own}

    def _messages(self) -> Iterator[dict[str, Any]]:
        """Yield the person's own messages, also those in conversations that the person has left."""
        for item in self._live.scan(tables.MESSAGES, "senderId = :user", user=self._user_id):
            yield {name: value for name, value in item.items() if name not in _HIDDEN}

    def _calls(self) -> Iterator[dict[str, Any]]:
        for entry in self._live.query(tables.USER_CALLS, self._user_id):
            call = self._live.get(tables.CALLS, sessionId=entry["sessionId"])
            if call is not None and self._user_id in call["participants"]:
                yield {
                    **_only(call, _CALL),
                    "ownPart": call["participants"][self._user_id],
                    "participants": sorted(call["participants"]),
                }

    def _blocks(self) -> Iterator[dict[str, Any]]:
        yield from self._live.query(tables.BLOCKS, self._user_id)

    def plan(self) -> dict[str, int]:
        """Return the number of items in each file."""
        return {name: sum(1 for _ in items()) for name, items in self.files().items()}

    def write(self, target: Path, pace: Pace) -> dict[str, int]:
        """Write the files and a manifest into a new directory, or into a new archive if the name ends in `.zip`.

        Returns:
            The number of items in each file.

        Raises:
            CommandError: the target exists, or the person has no profile.
        """
        if target.exists():
            raise CommandError(f"{target} exists. Choose another --output.")
        contents, counts = {}, {}
        for name, items in self.files().items():
            found = list(items())
            contents[name] = json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False, default=_plain) + "\n"
            counts[name] = len(found)
            pace.report(f"{name}: {len(found)} items", last=True)
        contents["manifest.json"] = json.dumps(self._manifest(contents, counts), indent=2) + "\n"
        _store(target, contents)
        return counts

    def _manifest(self, contents: dict[str, str], counts: dict[str, int]) -> dict[str, Any]:
        return {
            "userId": self._user_id,
            "environment": self._live.environment,
            "exportedAt": iso_now(),
            "files": [
                {"name": name, "items": counts[name], "sha256": hashlib.sha256(text.encode()).hexdigest()}
                for name, text in contents.items()
            ],
            "notIncluded": [
                "other people's messages, names and profiles: only their user ids",
                "blocks by other people",
                "log lines, which name the user id and are deleted after their retention",
                "events that are not yet delivered, tempIds and rate limits, which are temporary",
                "the account in the user pool: see `aws cognito-idp admin-get-user`",
            ],
        }


def _only(item: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: item[name] for name in names if name in item}


def _plain(value: Any) -> Any:
    """Return a set as a sorted list.

    Raises:
        TypeError: the value is no set.
    """
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{value!r} cannot be written as JSON")


def _store(target: Path, contents: dict[str, str]) -> None:
    """Write files that only their owner may read."""
    if target.suffix == ".zip":
        target.touch(mode=0o600)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in contents.items():
                archive.writestr(name, text)
        return
    target.mkdir(mode=0o700, parents=True)
    for name, text in contents.items():
        path = target / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
