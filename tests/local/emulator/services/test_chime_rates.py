"""Chime's request rates, and its events: doubled and late."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest

from local.emulator.chime.errors import ChimeError
from local.emulator.chime.meeting import Meeting
from local.emulator.chime.notifications import EventBridgeNotifier
from local.emulator.chime.rates import BURST, REQUESTS_PER_SECOND, RequestRates
from local.emulator.strict.rules.chime import ChimeSwitches
from tests.local.chime import create, refused
from tests.local.conftest import EmulatorProcess

QUIET = {"duplicateEvents": False, "lateEvents": False}


def accepted(rates: RequestRates, *operations: str) -> int:
    count = 0
    for operation in operations:
        try:
            rates.take(operation)
        except ChimeError:
            continue
        count += 1
    return count


def test_an_action_accepts_a_burst_and_then_its_rate() -> None:
    now = 0.0
    rates = RequestRates(lambda: now)
    assert accepted(rates, *["CreateMeeting"] * 30) == BURST
    now = 1.0
    assert accepted(rates, *["CreateMeeting"] * 30) == REQUESTS_PER_SECOND
    now = 60.0
    assert accepted(rates, *["CreateMeeting"] * 30) == BURST


def test_all_actions_together_have_one_rate() -> None:
    rates = RequestRates(lambda: 0.0)
    assert accepted(rates, *["CreateMeeting", "CreateAttendee", "DeleteMeeting"] * 10) == BURST


def test_the_service_answers_429_above_the_rate(emulator: EmulatorProcess, chime: Any) -> None:
    meeting = create(chime)
    emulator.faults.set_strict(QUIET)
    for _ in range(100):
        try:
            chime.get_meeting(MeetingId=meeting["MeetingId"])
        except chime.exceptions.ClientError:
            break
    code, status, message = refused(chime.get_meeting, MeetingId=meeting["MeetingId"])
    assert (code, status) == ("ThrottledClientException", 429)
    assert "GetMeeting" in message
    emulator.faults.set_strict({**QUIET, "requestRates": False})
    assert chime.get_meeting(MeetingId=meeting["MeetingId"])["Meeting"] == meeting


def sent(rules: ChimeSwitches, count: int, expected: int) -> list[str]:
    """Send events 0, 1, 2 …, and return them in the order in which they came."""
    came: list[str] = []
    request = {"ClientRequestToken": "t", "ExternalMeetingId": "m", "MediaRegion": "eu-central-1"}
    meeting = Meeting.new(request, "us-east-1", 0.0)
    notify = EventBridgeNotifier(lambda: 0.0, lambda: rules, lambda _, detail: came.append(detail["eventType"]))
    for number in range(count):
        notify(str(number), meeting, None)
    deadline = time.monotonic() + 10
    while len(came) < expected and time.monotonic() < deadline:
        time.sleep(0.01)
    return came


def test_events_come_once_and_in_order_without_the_rules() -> None:
    came = sent(ChimeSwitches(duplicate_events=False, late_events=False), 50, 50)
    assert came == [f"chime:{number}" for number in range(50)]


def test_events_come_twice_at_the_rate_of_duplicates() -> None:
    came = sent(ChimeSwitches(duplicate_event_share=1, late_events=False, late_seconds=0.05), 10, 20)
    assert set(Counter(came).values()) == {2}


@pytest.mark.parametrize("seed", [0, 1])
def test_late_events_are_overtaken(seed: int) -> None:
    came = sent(ChimeSwitches(duplicate_events=False, late_event_share=0.5, late_seconds=0.2, event_seed=seed), 50, 50)
    in_order = [f"chime:{number}" for number in range(50)]
    assert came != in_order
    assert sorted(came) == sorted(in_order)
