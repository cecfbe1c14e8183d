"""The indexes ByDue: no partition key carries the whole system, and the sweep finds every due item in order."""

from __future__ import annotations

import uuid
from collections import Counter

from contract import channels, tables
from contract.events import BlockData, UserBlocked
from contract.limits import DUE_SHARDS, SWEEP_AFTER_SECONDS
from contract.outbox_keys import due_shard
from handlers.adapters.dynamodb.outbox import DynamoOutbox, outbox_put
from handlers.core.delivery.outbox import outbox_record
from tests.harness.emulator import AwsResources

NOW = 1_790_000_000_000


def _store(aws: AwsResources, event_id: str, now: int, shard: str | None = None) -> None:
    event = UserBlocked(eventId=event_id, timestamp="2026-01-01T00:00:00.000Z", data=BlockData(userId="user"))
    record = outbox_record(channels.USERS, event, ["user"], now=now, fanout_limit=20)
    put = outbox_put(aws.table(tables.OUTBOX), record)["Put"]
    if shard is not None:
        put["Item"]["shard"] = {"S": shard}
    aws.dynamodb.put_item(**put)


def test_due_items_are_spread_over_the_partition_keys_of_their_index() -> None:
    """An index key takes 1,000 write units a second: with one key for all items, about 500 events a second."""
    used = Counter(due_shard(str(uuid.UUID(int=number * 7919))) for number in range(8_000))
    assert len(used) == DUE_SHARDS
    assert max(used.values()) < 2 * 8_000 / DUE_SHARDS


def test_stored_events_of_the_outbox_use_several_index_keys(aws: AwsResources) -> None:
    for _ in range(40):
        _store(aws, str(uuid.uuid4()), NOW)
    assert len({item["shard"] for item in aws.scan(tables.OUTBOX)}) > 1


def test_sweep_finds_due_events_of_all_shards_oldest_first(aws: AwsResources) -> None:
    ids = [str(uuid.uuid4()) for _ in range(30)]
    for number, event_id in enumerate(ids):
        _store(aws, event_id, NOW + number, shard="due" if number == 3 else None)
    outbox = DynamoOutbox(aws.dynamodb, aws.table(tables.OUTBOX))
    aws.emulator.let_reads_catch_up()
    due = list(outbox.due(NOW + 20 + SWEEP_AFTER_SECONDS * 1000))
    assert [event_id for event_id, _ in due] == ids[:21]
