"""The user's own typing is announced seldom enough for the rate limit, and its end once."""

from __future__ import annotations

from client.state.typing_announcements import ANNOUNCEMENT_INTERVAL_SECONDS, TypingAnnouncements


def test_a_start_is_due_again_after_the_interval_and_for_each_conversation() -> None:
    announcements = TypingAnnouncements()
    assert announcements.due("c", typing=True, now=0.0)
    assert not announcements.due("c", typing=True, now=ANNOUNCEMENT_INTERVAL_SECONDS - 0.1)
    assert announcements.due("d", typing=True, now=0.1)
    assert announcements.due("c", typing=True, now=ANNOUNCEMENT_INTERVAL_SECONDS)


def test_a_stop_is_due_once_after_a_start() -> None:
    announcements = TypingAnnouncements()
    assert not announcements.due("c", typing=False, now=0.0)
    announcements.due("c", typing=True, now=1.0)
    assert announcements.due("c", typing=False, now=1.1)
    assert not announcements.due("c", typing=False, now=1.2)
    assert announcements.due("c", typing=True, now=1.3)
