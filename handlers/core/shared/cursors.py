"""Opaque cursors: a position in a list as text that only the service reads."""

from __future__ import annotations

import base64
import binascii
from typing import TypeVar

import msgspec

from handlers.core.shared.errors import InvalidRequestError

T = TypeVar("T")


def encode(position: object) -> str:
    """Encode a position as URL-safe text."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def decode(cursor: str, kind: type[T]) -> T:
    """Decode the position of a cursor.

    Args:
        cursor: what `encode` returned.
        kind: the position's type.

    Raises:
        InvalidRequestError: the text is not a cursor of this kind.
    """
    try:
        content = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(content, type=kind)
    except (binascii.Error, msgspec.DecodeError, UnicodeError, ValueError):
        raise InvalidRequestError("this is not a cursor of this route", field="cursor") from None
