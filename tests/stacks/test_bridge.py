"""The bridge to the old Socket.IO server: off unless an environment asks for it, and alone in its stack."""

from __future__ import annotations

import pytest

from contract import tables
from stacks.policy.permissions import FUNCTIONS
from tests.stacks.synthesis import ALL, BRIDGE, properties, readable, resources, settings_of, templates


@pytest.mark.parametrize("variant", ALL)
def test_environment_without_the_setting_has_neither_the_stack_nor_the_stream(variant: str) -> None:
    assert settings_of(variant).cutover.bridge is False
    assert "Bridge" not in templates(variant)
    streams = [
        each["TableName"] for each in properties(variant, "AWS::DynamoDB::Table") if "StreamSpecification" in each
    ]
    assert streams == [tables.OUTBOX.name(settings_of(variant).name)]


def test_setting_changes_no_other_stack_than_data() -> None:
    with_bridge, without = templates(BRIDGE), templates("staging")
    assert set(with_bridge) - set(without) == {"Bridge"}
    changed = [stack for stack in without if with_bridge[stack] != without[stack]]
    assert changed == ["Data"]


def test_stream_has_keys_only_and_invokes_the_bridge_with_new_items_from_the_beginning() -> None:
    (table,) = [
        each
        for each in properties(BRIDGE, "AWS::DynamoDB::Table")
        if each["TableName"] == tables.MESSAGES.name("staging")
    ]
    assert table["StreamSpecification"] == {"StreamViewType": "KEYS_ONLY"}
    (source,) = [
        each["Properties"]
        for name, each in resources(BRIDGE, "AWS::Lambda::EventSourceMapping").items()
        if name.startswith("Bridge/")
    ]
    assert source["StartingPosition"] == "TRIM_HORIZON"
    assert source["FilterCriteria"] == {"Filters": [{"Pattern": '{"eventName":["INSERT"]}'}]}
    assert source["BisectBatchOnFunctionError"] is True
    assert source["MaximumRetryAttempts"] > 0


def test_queue_of_the_old_server_keeps_the_order_and_is_closed_to_plain_http() -> None:
    (queue,) = [
        each["Properties"] for name, each in resources(BRIDGE, "AWS::SQS::Queue").items() if name.startswith("Bridge/")
    ]
    assert queue["FifoQueue"] is True
    assert queue["QueueName"] == "PantherKolab-OldServer-staging.fifo"
    assert queue["SqsManagedSseEnabled"] is True
    (policy,) = [
        each["Properties"]
        for name, each in resources(BRIDGE, "AWS::SQS::QueuePolicy").items()
        if name.startswith("Bridge/")
    ]
    assert policy["PolicyDocument"]["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_bridge_may_do_what_its_permissions_list_and_send_to_two_queues() -> None:
    (role,) = [
        each["Properties"] for name, each in resources(BRIDGE, "AWS::IAM::Role").items() if name.startswith("Bridge/")
    ]
    statements = readable(role["Policies"][0]["PolicyDocument"]["Statement"])
    granted = {each["Sid"]: each for each in statements}
    for table, actions in FUNCTIONS["bridge"].tables.items():
        given = granted[table.entity]["Action"]
        assert sorted([given] if isinstance(given, str) else given) == sorted(f"dynamodb:{each}" for each in actions)
    assert granted["Enqueue"]["Resource"].endswith(":PantherKolab-Delivery-staging")
    assert granted["OldServer"]["Action"] == granted["Enqueue"]["Action"] == "sqs:SendMessage"
    known = {each.entity for each in FUNCTIONS["bridge"].tables}
    assert set(granted) == known | {"Log", "ReadStream", "ListStreams", "Enqueue", "OldServer"}
