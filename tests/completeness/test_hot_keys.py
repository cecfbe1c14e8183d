"""No index has a hot key: one partition key of an index takes 1,000 write units a second.

An index that is above that rejects the writes of its table (Amazon DynamoDB: GSI throttling and back pressure), so that
a key with few values limits the whole system.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from contract import channels, tables
from contract.events import BlockData, UserBlocked
from contract.limits import DUE_SHARDS, PROFILE_RATE
from contract.tables import TABLES
from handlers.adapters.dynamodb.calls.items import call_item
from handlers.adapters.dynamodb.codec import from_item
from handlers.adapters.dynamodb.outbox import outbox_put
from handlers.adapters.system import RandomIds
from handlers.core.calls.state import CallState
from handlers.core.delivery.outbox import outbox_record
from tests.completeness.source import missing

ITEMS_SAMPLED = 2_000
NOW = 1_790_000_000_000


def _outbox(number: int) -> dict[str, Any]:
    event = UserBlocked(eventId=str(uuid.uuid4()), timestamp="", data=BlockData(userId="user"))
    record = outbox_record(channels.USERS, event, ["user"], now=NOW, fanout_limit=20)
    return from_item(outbox_put("table", record)["Put"]["Item"])


def _call(number: int) -> dict[str, Any]:
    return call_item(
        CallState(
            session_id=str(uuid.uuid4()),
            version=1,
            status="RINGING",
            call_type="DIRECT",
            media_type="AUDIO",
            initiated_by="user",
            owner_id="user",
            participants={},
            created_at=NOW,
            rings_until=NOW,
            due_at=NOW,
        )
    )


SAMPLES: dict[str, Callable[[int], dict[str, Any]]] = {
    "Outbox.ByDue": _outbox,
    "Calls.ByDue": _call,
    "Messages.MessageIdIndex": lambda number: {"messageId": RandomIds().new()},
    "Users.EmailIndex": lambda number: {"email": f"user-{number}@example.edu"},
}
"""Items as they are stored at one moment, in which only what is unique differs."""
BOUNDED = {
    "Users.MajorIndex": "a user changes a profile at most PROFILE_RATE; the previous application queries the index",
    "Groups.ClassCodeIndex": "a group is written when it is created or renamed; the previous application queries it",
}
"""Indexes whose keys have few values, with what bounds the writes."""
INDEXES = {f"{table.entity}.{index.name}": index for table in TABLES for index in table.indexes}


def is_spread(values: Sequence[Any]) -> bool:
    """Return whether partition keys are unique, or spread over shards so that none has twice its share."""
    used = Counter(values)
    share = max(used.values()) / len(values)
    return len(used) == len(values) or (len(used) >= DUE_SHARDS and share < 2 / DUE_SHARDS)


def test_every_index_has_a_sample_or_a_reason() -> None:
    absent = sorted(set(INDEXES) - set(SAMPLES) - set(BOUNDED))
    assert not absent, missing("this test lacks the index", absent, "add its items to SAMPLES: it must have no hot key")
    assert set(SAMPLES) | set(BOUNDED) == set(INDEXES)
    assert PROFILE_RATE.count / PROFILE_RATE.seconds < 1


@pytest.mark.parametrize("name", SAMPLES)
def test_no_partition_key_of_an_index_gets_more_than_its_share(name: str) -> None:
    attribute = INDEXES[name].partition.name
    assert is_spread([SAMPLES[name](number)[attribute] for number in range(ITEMS_SAMPLED)])


@pytest.mark.parametrize(
    "values",
    [["due"] * 100, ["RINGING", "ENDED"] * 50, ["due#0"] * 30 + [f"due#{number}" for number in range(8)] * 8],
    ids=["a constant", "a status", "unequal shards"],
)
def test_key_with_few_values_is_refused(values: list[str]) -> None:
    assert not is_spread(values)


def test_indexes_of_scheduled_work_have_the_declared_shards() -> None:
    assert tables.OUTBOX.index("ByDue").partition.name == tables.CALLS.index("ByDue").partition.name == "shard"
    for sample in (_outbox, _call):
        assert len({sample(number)["shard"] for number in range(ITEMS_SAMPLED)}) == DUE_SHARDS
