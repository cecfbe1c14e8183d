"""Losses, duplicates, changes of order and stalls of the environment are seen."""

from __future__ import annotations

from typing import Any

import pytest

from ops.load.records import Records, Sent


def _message(temp_id: str, seq: int, sender: str = "ana") -> dict[str, Any]:
    return {"tempId": temp_id, "senderId": sender, "conversationId": "c", "seq": seq}


def _sent(*, intended: float = 10.0, asked: float = 10.0, receivers: int = 1) -> Sent:
    return Sent(second=0, intended=intended, asked=asked, receivers=receivers)


def test_latency_counts_from_the_planned_time() -> None:
    """A client that was held up for 2 seconds must not report 0.1 seconds (coordinated omission)."""
    records = Records()
    records.ask("1", _sent(intended=10.0, asked=12.0))
    records.accept("1", 12.1)
    records.arrive("ben", _message("1", 1), 12.2)
    assert records.response.milliseconds(50) == pytest.approx(2_100, rel=0.01)
    assert records.response_service.milliseconds(50) == pytest.approx(100, rel=0.01)
    assert records.received.milliseconds(50) == pytest.approx(2_200, rel=0.01)
    assert records.received_service.milliseconds(50) == pytest.approx(200, rel=0.01)


def test_accepted_message_is_missing_until_it_is_at_every_receiver() -> None:
    records = Records()
    records.ask("1", _sent(receivers=2))
    records.arrive("ben", _message("1", 1), 10.1)
    records.accept("1", 10.2)
    assert (records.missing, records.settled.is_set()) == (1, False)
    records.arrive("eve", _message("1", 1), 10.3)
    assert (records.missing, records.settled.is_set()) == (0, True)


def test_refused_message_is_not_missing() -> None:
    records = Records()
    records.ask("1", _sent())
    records.refuse("1", "503 UNAVAILABLE")
    assert (records.missing, records.in_flight, dict(records.errors)) == (0, 0, {"503 UNAVAILABLE": 1})


def test_duplicates_and_changes_of_order_are_counted() -> None:
    records = Records()
    for number in (1, 2, 3):
        records.ask(str(number), _sent())
    for number in (1, 3, 2, 3):
        records.arrive("ben", _message(str(number), number), 11.0)
    assert (records.duplicates, records.reordered) == (1, 1)


def test_own_and_unknown_messages_are_not_counted() -> None:
    records = Records()
    records.ask("1", _sent())
    records.arrive("ana", _message("1", 1), 11.0)
    records.arrive("ben", _message("of an earlier run", 7), 11.0)
    assert records.received.count == 0


def test_each_second_shows_what_was_planned_and_accepted_in_it() -> None:
    records = Records()
    for number, second in enumerate((0, 0, 1)):
        records.ask(str(number), Sent(second, 10.0 + second, 10.0 + second, 1))
    records.accept("0", 10.5)
    records.accept("1", 11.5)
    rows = records.by_second(range(2), 10.0)
    assert [(row["offered"], row["accepted"]) for row in rows] == [(2, 1), (1, 1)]
