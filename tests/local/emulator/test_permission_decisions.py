"""What a request needs, what a decision costs, and that none is forgotten."""

from __future__ import annotations

import json
import timeit
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from ministack.services import iam

from local.emulator.credentials import CredentialStore
from local.emulator.permissions.guard import PermissionGuard
from local.emulator.permissions.ledger import Ledger
from local.emulator.permissions.needs import Need, Request, needs_of
from local.emulator.permissions.policies import Verdict
from tests.local.conftest import REGION
from tests.local.emulator.test_permissions import ACCOUNT, KEY, TABLE, allow


def test_checking_costs_a_call_next_to_nothing(tmp_path: Path) -> None:
    store, tables = CredentialStore(tmp_path / "credentials.json"), [f"{TABLE}t{number}" for number in range(10)]
    key = store.for_service(f"arn:aws:iam::{ACCOUNT}:role/measured", "session").accessKeyId
    document = json.dumps({"Statement": [allow(["dynamodb:GetItem", "dynamodb:PutItem"], each) for each in tables]})
    iam._roles.set_scoped(ACCOUNT, None, "measured", {"RoleName": "measured", "InlinePolicies": {"p": document}})
    guard = PermissionGuard(store, REGION)
    transaction = {"TransactItems": [{"Put": {"TableName": f"t{number}", "Item": KEY}} for number in range(10)]}
    for operation, body in (("GetItem", {"TableName": "t7", "Key": KEY}), ("TransactWriteItems", transaction)):
        headers = {"x-amz-target": f"DynamoDB_20120810.{operation}", "content-type": "application/x-amz-json-1.0"}
        request = Request("dynamodb", operation, "POST", "/", headers, json.dumps(body).encode(), {}, REGION)
        assert guard.refusal(key, request) is None
        seconds = min(timeit.repeat(partial(guard.refusal, key, request), number=200, repeat=3)) / 200
        print(f"{operation}: {seconds * 1000:.3f} ms")
        assert seconds < 0.005


def test_a_batch_and_a_transaction_are_taken_apart() -> None:
    def needs(operation: str, body: dict[str, Any]) -> list[Need] | None:
        headers = {"x-amz-target": f"DynamoDB_20120810.{operation}", "content-type": "application/x-amz-json-1.0"}
        return needs_of(Request("dynamodb", operation, "POST", "/", headers, json.dumps(body).encode(), {}, REGION))

    put = {"Put": {"TableName": "a", "Item": KEY}}
    delete = {"Delete": {"TableName": f"{TABLE}b", "Key": KEY}}
    assert needs("TransactWriteItems", {"TransactItems": [put, put, delete]}) == [
        Need("dynamodb:PutItem", f"{TABLE}a"),
        Need("dynamodb:DeleteItem", f"{TABLE}b"),
    ]
    assert needs("BatchWriteItem", {"RequestItems": {"a": [], "b": []}}) == [
        Need("dynamodb:BatchWriteItem", f"{TABLE}a"),
        Need("dynamodb:BatchWriteItem", f"{TABLE}b"),
    ]
    assert needs("Query", {"TableName": "a", "IndexName": "i"}) == [Need("dynamodb:Query", f"{TABLE}a/index/i")]


@given(st.lists(st.tuples(st.sampled_from(("r", "s")), st.sampled_from(("a:B", "c:D")), st.booleans()), max_size=30))
def test_nothing_recorded_is_lost_when_processes_follow_each_other(decisions: list[tuple[str, str, bool]]) -> None:
    whole, current = Ledger(), Ledger()
    for role, action, allowed in decisions:
        verdict = Verdict("allowed", action, "*") if allowed else Verdict("not allowed")
        whole.record(role, Need(action, "*"), verdict)
        current.record(role, Need(action, "*"), verdict)
        following = Ledger()
        following.restore({name: current.of(name) for name in ("r", "s")})
        current = following
    assert [current.of(name) for name in ("r", "s")] == [whole.of(name) for name in ("r", "s")]
