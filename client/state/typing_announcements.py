"""Limits how often the user's own typing is announced. No input, output or clock."""

from __future__ import annotations

from typing import Final

ANNOUNCEMENT_INTERVAL_SECONDS: Final = 2.0
"""Time between two announcements while the user types; a recipient shows one for three seconds."""


class TypingAnnouncements:
    """Decides for each conversation whether an announcement is due."""

    def __init__(self) -> None:
        self._announced_at: dict[str, float] = {}

    def due(self, conversation_id: str, *, typing: bool, now: float) -> bool:
        """Return whether to announce now that the user types or has stopped, and remember it.

        Args:
            conversation_id: where the user types.
            typing: whether the user types; a stop is due only after an announced start.
            now: the present, in seconds of a steady clock.
        """
        if not typing:
            return self._announced_at.pop(conversation_id, None) is not None
        announced_at = self._announced_at.get(conversation_id)
        if announced_at is not None and now - announced_at < ANNOUNCEMENT_INTERVAL_SECONDS:
            return False
        self._announced_at[conversation_id] = now
        return True
