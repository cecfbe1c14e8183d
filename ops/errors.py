"""What a command of this folder tells people when it cannot go on."""

from __future__ import annotations


class CommandError(Exception):
    """A command cannot go on; the message says what failed, why, and what helps."""
