"""Rules of Chime SDK Meetings."""

from __future__ import annotations

from typing import Final

from local.emulator.strict.rules.rule import Milliseconds, Rule, Switches

MEETING_MILLISECONDS: Final = 20
"""How long CreateMeeting takes, and so for how long a second request with its token is simultaneous."""


class ChimeSwitches(Switches, frozen=True):
    """Which rules of Chime are on, and their sizes.

    Args:
        meeting_conflicts: the switch of the rule of that name.
        meeting_milliseconds: how long CreateMeeting takes.
    """

    meeting_conflicts: bool = True
    meeting_milliseconds: Milliseconds = MEETING_MILLISECONDS


RULES: Final = (
    Rule(
        "meeting_conflicts",
        request="CreateMeeting with the ClientRequestToken of one that is being created",
        effect="ConflictException (409)",
        alone="has no Chime SDK Meetings; our stand-in creates a meeting at once",
        source="Amazon Chime SDK API reference, CreateMeeting: 'Multiple instances of the same request have been made "
        "simultaneously'",
        link="https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_meeting-chime_CreateMeeting.html",
    ),
)
