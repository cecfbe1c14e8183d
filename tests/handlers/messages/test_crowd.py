"""A crowd in one conversation, under DynamoDB's strict rules and in virtual time (promise P1)."""

from __future__ import annotations

import pytest

from bench.functions.crowd import Run, send_units

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


@pytest.mark.parametrize(("members", "most"), [(2, 16), (50, 26), (1_000, 60)])
def test_write_units_of_a_send_do_not_grow_with_the_group(members: int, most: int) -> None:
    """With the recipients in the outbox record and a lock on the conversation, a group of 1,000 took 564 units."""
    assert send_units(members) <= most
