"""What a check finds, or why it could not be made."""

from __future__ import annotations

from dataclasses import dataclass


class NotTriedError(Exception):
    """The check could not be made; the message completes "not tried because ..."."""


@dataclass(frozen=True)
class Finding:
    """One thing that a check found wrong.

    Args:
        text: which resource, what was expected, and what was found.
        warning: users may not notice it, so that the check does not fail.
    """

    text: str
    warning: bool = False
