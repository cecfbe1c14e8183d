"""The error that an operator command shows."""

from __future__ import annotations


class CommandError(Exception):
    """A command cannot continue; the message says what failed, why, and what to do."""
