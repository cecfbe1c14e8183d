"""Rules of Chime SDK Meetings."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from local.emulator.strict.rules.rule import Milliseconds, Rule, Switches

MEETING_MILLISECONDS: Final = 20
"""How long CreateMeeting takes, and so for how long a second request with its token is simultaneous."""
EVENT_SHARE: Final = 0.02
"""Enough for a run of the tests to see some, with most events single and in time."""
_GUIDE: Final = "https://docs.aws.amazon.com/chime-sdk/latest/dg"

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class ChimeSwitches(Switches, frozen=True):
    """Which rules of Chime are on, and their sizes.

    Args:
        meeting_conflicts, request_rates, duplicate_events, late_events: the switches of the rules of that name.
        meeting_milliseconds: how long CreateMeeting takes.
        request_rate_scale: multiplies rate and burst; below 1 they are reached with fewer requests.
        duplicate_event_share, late_event_share: share of the events that come twice, and late.
        late_seconds: how late at most.
        event_seed: repeats which ones.
    """

    meeting_conflicts: bool = True
    request_rates: bool = True
    duplicate_events: bool = True
    late_events: bool = True
    meeting_milliseconds: Milliseconds = MEETING_MILLISECONDS
    request_rate_scale: Annotated[float, msgspec.Meta(gt=0, le=1_000)] = 1.0
    duplicate_event_share: Share = EVENT_SHARE
    late_event_share: Share = EVENT_SHARE
    late_seconds: Annotated[float, msgspec.Meta(ge=0, le=60)] = 2.0
    event_seed: int = 0


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
    Rule(
        "request_rates",
        request="More than 10 requests a second, or 20 at once, of one action or of all together (settable)",
        effect="ThrottledClientException (429)",
        alone="has no Chime SDK Meetings; our stand-in accepts any rate",
        source="Amazon Chime SDK developer guide, 'Verifying SDK quotas and API throttling for Amazon Chime SDK "
        "meetings'",
        link=f"{_GUIDE}/quotas-throttling.html",
    ),
    Rule(
        "duplicate_events",
        request="An event of a meeting or attendee",
        effect="A share of them (2 %, settable) reaches EventBridge twice",
        alone="delivers each once",
        source="Amazon EventBridge user guide, 'How EventBridge retries delivering events': at least once",
        link="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html",
    ),
    Rule(
        "late_events",
        request="An event of a meeting or attendee",
        effect="A share of them (2 %, settable) comes up to 2 s late, and later events overtake them",
        alone="delivers events in their order",
        source="Amazon Chime SDK developer guide, 'Understanding Amazon Chime SDK meeting event notifications'",
        link=f"{_GUIDE}/mtgs-sdk-notifications.html",
    ),
)
