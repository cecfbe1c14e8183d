"""The rules for profiles: full name, search words, first profile."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import msgspec
from msgspec import UNSET
from msgspec.structs import asdict, replace

from contract import limits
from contract.models import Profile, PublicUser
from contract.requests import UpdateProfile
from contract.text import cut
from handlers.core.shared.errors import InvalidRequestError

_WORD: Final = re.compile(r"[^\W_]+")
_APOSTROPHES: Final = str.maketrans("", "", "'’ʼ`")  # noqa: RUF001  # the characters are meant
_PUBLIC: Final = PublicUser.__struct_fields__


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A user's account in Cognito; the names may be empty."""

    user_id: str
    email: str
    email_verified: bool
    given_name: str
    family_name: str


def fold(text: str) -> str:
    """Return a text without case, accents and apostrophes, for the comparison of names.

    The text is folded twice, since the decomposition of a character such as `㎐` produces capital letters (Unicode:
    compatibility caseless matching, D146).
    """
    letters = unicodedata.normalize("NFD", text)
    for _ in range(2):
        letters = unicodedata.normalize("NFKD", letters.casefold()).translate(_APOSTROPHES)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def search_words(text: str) -> tuple[str, ...]:
    """Return the distinct folded words of a name or query in their order, at most `SEARCH_WORDS_MAX`."""
    return tuple(dict.fromkeys(_WORD.findall(fold(text))))[: limits.SEARCH_WORDS_MAX]


def matches(full_name: str, wanted: tuple[str, ...]) -> bool:
    """Return whether each wanted word begins a word of a name."""
    own = search_words(full_name)
    return all(any(word.startswith(prefix) for word in own) for prefix in wanted)


def first_profile(account: Account, now: str) -> Profile:
    """Return the profile of a new user.

    Args:
        account: the user's account; without a given name, the part of the e-mail address before `@` is used.
        now: ISO date.
    """
    email = account.email.strip().lower()
    first = account.given_name.strip() or email.split("@")[0] or "User"
    first, last = cut(first, limits.NAME_CHARACTERS), cut(account.family_name.strip(), limits.NAME_CHARACTERS)
    return Profile(
        userId=account.user_id,
        firstName=first,
        lastName=last,
        fullName=_full_name(first, last),
        email=email,
        emailVerified=account.email_verified,
        createdAt=now,
        updatedAt=now,
    )


def updated(profile: Profile, request: UpdateProfile) -> Profile:
    """Return the profile with the fields of a request and the full name that follows from them.

    Raises:
        InvalidRequestError: the first name is blank.
    """
    given = {
        field: getattr(request, field)
        for field in UpdateProfile.__struct_fields__
        if getattr(request, field) is not UNSET
    }
    for field in ("firstName", "lastName"):
        if field in given:
            given[field] = given[field].strip()
    if given.get("firstName") == "":
        raise InvalidRequestError("firstName must not be blank", field="firstName")
    if given.get("bio") == "":
        given["bio"] = None
    if not given:
        return profile
    after = replace(profile, **given)
    return replace(after, fullName=_full_name(after.firstName, after.lastName))


def public_user(profile: Profile) -> PublicUser:
    """Return the public part of a profile."""
    fields = asdict(profile)
    return PublicUser(**{name: fields[name] for name in _PUBLIC})


def _full_name(first: str, last: str) -> str:
    return f"{first} {last}".strip()
