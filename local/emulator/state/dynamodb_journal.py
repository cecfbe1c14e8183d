"""Journal of what DynamoDB requests changed: items, stream records, transaction tokens, stream positions.

Effects are recorded, not requests: an item is written or removed whole, so replaying a record twice changes
nothing, and a snapshot taken between two records needs no exact border. All effects of one request make one
record, so a transaction is replayed whole or not at all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from ministack.core.arn import parse_arn
from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region, request_scope
from ministack.services import dynamodb, lambda_svc

from local.emulator.state.journal import Journal

Effect = list[Any]

_PUT, _REMOVE, _STREAM, _TOKEN, _POSITION = "put", "remove", "stream", "token", "position"


class DynamoDBRecorder:
    """Hooks into ministack's DynamoDB and writes a journal."""

    def __init__(self) -> None:
        self._journal: Journal | None = None
        self._pending = threading.local()
        self._write_lock = threading.Lock()

    def write_to(self, journal: Journal) -> Journal | None:
        """Use `journal` from now on; returns the one used before."""
        with self._write_lock:
            before, self._journal = self._journal, journal
        return before

    def install(self) -> None:
        """Wrap the functions through which every change of an item goes."""
        self._wrap_items()
        self._wrap_streams()
        self._wrap_requests()

    def _wrap_items(self) -> None:
        set_item, remove_item, store_token = dynamodb._set_item, dynamodb._remove_item, dynamodb._txn_token_store

        def recording_set(table: dict[str, Any], pk: str, sk: str, item: dict[str, Any]) -> Any:
            before = set_item(table, pk, sk, item)
            self._record([_PUT, *_location(table), pk, sk, item])
            return before

        def recording_remove(table: dict[str, Any], pk: str, sk: str) -> Any:
            before = remove_item(table, pk, sk)
            if before is not None:
                self._record([_REMOVE, *_location(table), pk, sk])
            return before

        def recording_token(token: str, entry: dict[str, Any]) -> None:
            store_token(token, entry)
            self._record([_TOKEN, get_account_id(), get_region(), token, entry])

        dynamodb._set_item, dynamodb._remove_item = recording_set, recording_remove
        dynamodb._txn_token_store = recording_token

    def _wrap_streams(self) -> None:
        build_record = dynamodb._build_change_record

        def recording_build(table: dict[str, Any], name: str, old: Any, new: Any, view_type: str) -> dict[str, Any]:
            record: dict[str, Any] = build_record(table, name, old, new, view_type)
            self._record([_STREAM, *_location(table), record])
            return record

        dynamodb._build_change_record = recording_build
        lambda_svc._dynamodb_stream_positions = _RecordedPositions(lambda_svc._dynamodb_stream_positions, self._record)

    def _wrap_requests(self) -> None:
        handle = dynamodb.handle_request

        async def handle_and_record(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
            self._pending.effects = []
            try:
                response = await handle(method, path, headers, body, query)
                rolled_back = response[0] >= 400 and "ExecuteTransaction" in headers.get("x-amz-target", "")
                if not rolled_back:
                    self._write(self._pending.effects)
                return response
            finally:
                self._pending.effects = None

        dynamodb.handle_request = handle_and_record

    def _record(self, effect: Effect) -> None:
        pending = getattr(self._pending, "effects", None)
        if pending is None:
            self._write([effect])
        else:
            pending.append(effect)

    def _write(self, effects: list[Effect]) -> None:
        if not effects:
            return
        with self._write_lock:
            if self._journal is not None:
                self._journal.append(effects)


class _RecordedPositions(AccountRegionScopedDict):  # type: ignore[misc]
    """Positions of stream consumers, each move of which is recorded."""

    __slots__ = ("_data", "_record")

    def __init__(self, initial: AccountRegionScopedDict, record: Callable[[Effect], None]) -> None:
        super().__init__()
        self._data = initial._data
        self._record = record

    def __setitem__(self, key: str, value: int) -> None:
        if self.get(key) != value:
            super().__setitem__(key, value)
            self._record([_POSITION, get_account_id(), get_region(), key, value])

    def __deepcopy__(self, memo: dict[int, Any]) -> AccountRegionScopedDict:
        copied = AccountRegionScopedDict()
        copied._data = dict(self._data)
        return copied


def stream_state() -> dict[str, Any]:
    """What ministack's own snapshot leaves out: stream records, and how far each consumer came."""
    records = AccountRegionScopedDict()
    for (account, region, table), kept in dynamodb._stream_records.all_items():
        records.set_scoped(account, region, table, list(kept))
    return {
        "records": records,
        "trimmed": dynamodb._stream_trimmed,
        "sequence": dynamodb._stream_seq_counter,
        "tokens": dynamodb._txn_idempotency,
    }


def restore_stream_state(state: dict[str, Any] | None) -> None:
    """Put back what `stream_state` returned before."""
    if not state:
        return
    dynamodb._stream_trimmed.update(state["trimmed"])
    dynamodb._stream_records.update(state["records"])
    dynamodb._txn_idempotency.update(state["tokens"])
    dynamodb._stream_seq_counter = state["sequence"]


def replay(records: Iterable[list[Effect]]) -> int:
    """Apply journal records to the restored tables.

    Returns:
        How many records were applied. Effects on tables that no longer exist are passed over.
    """
    count = 0
    for effects in records:
        for effect in effects:
            _REPLAY[effect[0]](*effect[1:])
        count += 1
    return count


def _replay_put(account: str, region: str, table_name: str, pk: str, sk: str, item: dict[str, Any]) -> None:
    table = dynamodb._tables.get_scoped(account, region, table_name)
    if table is not None:
        with request_scope(account, region):
            dynamodb._set_item(table, pk, sk, item)


def _replay_remove(account: str, region: str, table_name: str, pk: str, sk: str) -> None:
    table = dynamodb._tables.get_scoped(account, region, table_name)
    if table is not None:
        with request_scope(account, region):
            dynamodb._remove_item(table, pk, sk)


def _replay_stream(account: str, region: str, table_name: str, record: dict[str, Any]) -> None:
    table = dynamodb._tables.get_scoped(account, region, table_name)
    if table is None or table.get("LatestStreamArn") != record["eventSourceARN"]:
        return
    kept = dynamodb._stream_records.get_scoped(account, region, table_name)
    if kept is None:
        kept = []
        dynamodb._stream_records.set_scoped(account, region, table_name, kept)
    if not kept or kept[-1]["eventID"] != record["eventID"]:
        kept.append(record)
    dynamodb._stream_seq_counter += 1


def _replay_token(account: str, region: str, token: str, entry: dict[str, Any]) -> None:
    if time.time() - entry["completed_at"] < dynamodb._TXN_TOKEN_TTL:
        dynamodb._txn_idempotency.set_scoped(account, region, token, entry)


def _replay_position(account: str, region: str, mapping: str, position: int) -> None:
    lambda_svc._dynamodb_stream_positions.set_scoped(account, region, mapping, position)


_REPLAY: dict[str, Callable[..., None]] = {
    _PUT: _replay_put,
    _REMOVE: _replay_remove,
    _STREAM: _replay_stream,
    _TOKEN: _replay_token,
    _POSITION: _replay_position,
}


def _location(table: dict[str, Any]) -> tuple[str, str, str]:
    arn = parse_arn(table["TableArn"])
    return arn.account_id, arn.region, table["TableName"]
