"""The rules of meetings on a clock of their own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.emulator.chime.errors import ChimeError
from local.emulator.chime.media_regions import MEDIA_REGIONS, media_placement
from local.emulator.chime.meeting import EMPTY_SECONDS, LIFETIME_SECONDS
from local.emulator.chime.meetings import ACTIVE_MEETINGS_MAX, Meetings, ServiceClock

USERS = ("ada", "grace", "alan")


class Account:
    """Meetings with the events that they sent."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.clock = ServiceClock(lambda: 1_000_000.0)
        self.meetings = Meetings(self.clock, lambda event, *_: self.events.append(event))

    def create(self, token: str) -> Any:
        request = {"ClientRequestToken": token, "ExternalMeetingId": token, "MediaRegion": "eu-central-1"}
        return self.meetings.create(request, {}, "eu-central-1")


def test_the_account_has_at_most_250_active_meetings() -> None:
    account = Account()
    made = [account.create(f"token-{number}") for number in range(ACTIVE_MEETINGS_MAX)]
    with pytest.raises(ChimeError, match="LimitExceededException"):
        account.create("one more")
    assert account.create("token-7") is made[7]
    account.meetings.delete(made[0].meeting_id)
    account.create("one more")
    assert account.events.count("MeetingStarted") == ACTIVE_MEETINGS_MAX + 1


@pytest.mark.parametrize("region", MEDIA_REGIONS)
def test_every_media_region_has_addresses(region: str) -> None:
    placement = media_placement(region, "fdee05b8-e3cd-41e4-a030-7b85a21c7979")
    assert len(placement) == 8
    assert f"7979.cell.{region}.meetings.chime.aws" in placement["TurnControlUrl"]


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.sampled_from(("a", "b"))),
        st.tuples(st.sampled_from(("add", "join", "leave", "drop", "remove")), st.sampled_from(USERS)),
        st.tuples(st.just("advance"), st.sampled_from((1, EMPTY_SECONDS - 1, 1800, 8 * 3600))),
        st.tuples(st.just("delete"), st.just("")),
        st.tuples(st.just("crash"), st.just("")),
    ),
    max_size=40,
)


def _act(account: Account, meeting: Any, action: str, user: Any) -> None:
    meetings, attendee = account.meetings, meeting.attendee_of(user)
    if action == "add":
        known = meeting.attendee_of(user)
        assert meetings.add(meeting, user, None) is (known or meeting.attendee_of(user))
    elif action == "delete":
        meetings.delete(meeting.meeting_id)
    elif attendee is not None and action == "join":
        meetings.join(meeting.meeting_id, attendee.attendee_id, attendee.join_token)
    elif attendee is not None and action in ("leave", "drop"):
        meetings.leave(meeting.meeting_id, attendee.attendee_id, dropped=action == "drop")
    elif attendee is not None:
        meetings.remove(meeting.meeting_id, attendee.attendee_id)


@given(ACTIONS)
def test_whatever_happens_meetings_keep_their_rules(actions: list[tuple[str, Any]]) -> None:
    account = Account()
    silence: dict[str, float] = {}
    for action, value in actions:
        if action == "create":
            account.create(value)
        elif action == "advance":
            account.clock.advance(value)
        elif action == "crash":
            state = account.meetings.state()
            account.meetings = Meetings(account.clock, lambda event, *_: account.events.append(event))
            account.meetings.restore(state)
            assert account.meetings.state() == state
        elif active := account.meetings.active():
            _act(account, active[0], action, value)
        now, active = account.clock.now(), account.meetings.active()
        assert len({each.token for each in active}) == len(active)
        assert account.events.count("MeetingStarted") - account.events.count("MeetingEnded") == len(active)
        for meeting in active:
            connected = [each for each in meeting.attendees.values() if each.connected]
            users = [each.external_user_id for each in meeting.attendees.values()]
            assert len(users) == len(set(users))
            since = silence.setdefault(meeting.meeting_id, now) if not connected else now
            if connected:
                silence.pop(meeting.meeting_id, None)
            assert now - since < EMPTY_SECONDS
            assert now - meeting.created_at < LIFETIME_SECONDS
