"""Masks what must not stand in a comment: mail addresses and account ids."""

from __future__ import annotations

import re
from typing import Final

_MAIL: Final = re.compile(r"[A-Za-z0-9._%+-]+@([A-Za-z0-9-]+\.)+[A-Za-z]{2,}")
_ACCOUNT: Final = re.compile(r"(?<![0-9A-Za-z])\d{12}(?![0-9A-Za-z])")


def masked(text: str) -> str:
    """Return the text with mail addresses as `(mail)` and account ids as `(account)`."""
    return _ACCOUNT.sub("(account)", _MAIL.sub("(mail)", text))
