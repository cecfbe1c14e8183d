"""A crowd in one conversation, under DynamoDB's strict rules and in virtual time (promise P1)."""

from __future__ import annotations

import pytest

from bench.functions.crowd import Run
from bench.functions.send_cost import round_trips, send_units

LATENCY_MS = 500
TRANSACTIONS_PER_MESSAGE = 1.3


@pytest.mark.parametrize(
    ("case", "messages"),
    [
        (Run(members=50, senders=20, seconds=0), 20),
        (Run(members=50, senders=50, seconds=0), 50),
        (Run(members=50, senders=50, seconds=10), 500),
    ],
    ids=["burst of 20", "burst of 50", "50 senders, 1 message a second each"],
)
def test_no_member_of_a_crowd_is_refused(case: Run, messages: int) -> None:
    """With a lock on the conversation, 72 of 100 sends by 50 senders were refused, after 28 transactions a message."""
    crowd = case.measure()
    assert (crowd.accepted, crowd.refused) == (messages, 0)
    assert crowd.numbers == list(range(1, messages + 1))
    assert crowd.p95 < LATENCY_MS
    assert crowd.transactions <= TRANSACTIONS_PER_MESSAGE * messages


def test_no_send_is_refused_in_a_direct_conversation() -> None:
    """With a lock on the conversation, two people on two containers needed 1.95 transactions a message."""
    ping_pong = Run(members=2, senders=2, seconds=20).measure()
    assert (ping_pong.accepted, ping_pong.refused) == (40, 0)
    assert ping_pong.transactions <= 0.1 * ping_pong.accepted
    burst = Run(members=2, senders=50, seconds=0).measure()
    assert (burst.accepted, burst.refused) == (50, 0)
    assert burst.numbers == list(range(1, 51))
    assert burst.p95 < LATENCY_MS
    assert burst.transactions <= TRANSACTIONS_PER_MESSAGE * burst.accepted


def test_no_edit_is_refused_where_fifty_members_edit_at_once() -> None:
    """With a lock on the conversation, most of them were refused."""
    crowd = Run(members=50, senders=50, seconds=0, edits=True).measure()
    assert (crowd.accepted, crowd.refused) == (50, 0)
    assert crowd.numbers == list(range(1, 51))
    assert crowd.p95 < LATENCY_MS
    assert crowd.transactions <= TRANSACTIONS_PER_MESSAGE * crowd.accepted


@pytest.mark.parametrize(("members", "most"), [(2, 10), (50, 24), (1_000, 60)])
def test_write_units_of_a_send_do_not_grow_with_the_group(members: int, most: int) -> None:
    """With the recipients in the outbox record and a lock on the conversation, a group of 1,000 took 564 units, and a
    direct message 16.
    """
    assert send_units(members) <= most


@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
@pytest.mark.parametrize("members", [2, 10, 50, 51, 1_000])
def test_send_takes_at_most_four_round_trips_in_sequence(members: int, cold: bool) -> None:
    """The first send of a process in a group of at most 50 members took five."""
    assert round_trips(members, cold=cold) <= 4
