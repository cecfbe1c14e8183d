"""Checks of the DynamoDB tables: state, keys, indexes, time to live, stream, protection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from contract.tables import TABLES, Table
from ops.doctor.check import Check
from ops.doctor.examination import Examination
from ops.doctor.finding import Finding, NotTriedError


def _tables(examination: Examination) -> Iterator[tuple[Table, str, Any]]:
    for table in TABLES:
        name = table.name(examination.target.environment.name)
        answer = examination.find("dynamodb", "describe_table", TableName=name)
        yield table, name, answer["Table"] if answer else None


def _existing(examination: Examination) -> Iterator[tuple[Table, str, Any]]:
    return (each for each in _tables(examination) if each[2] is not None)


def _exist(examination: Examination) -> Iterator[Finding]:
    for table, name, found in _tables(examination):
        if found is None:
            yield Finding(f"the table {name} does not exist")
            continue
        if found["TableStatus"] != "ACTIVE":
            yield Finding(f"the table {name} is in state {found['TableStatus']}", found["TableStatus"] == "UPDATING")
        expected = [(key.name, kind) for key, kind in ((table.partition, "HASH"), (table.sort, "RANGE")) if key]
        actual = [(key["AttributeName"], key["KeyType"]) for key in found["KeySchema"]]
        if actual != expected:
            yield Finding(f"the key of {name} is {actual}, not {expected}")


def _indexes(examination: Examination) -> Iterator[Finding]:
    for table, name, found in _existing(examination):
        actual = {index["IndexName"]: index for index in found.get("GlobalSecondaryIndexes", [])}
        for index in table.indexes:
            if index.name not in actual:
                yield Finding(f"the table {name} has no index {index.name}")
                continue
            if (status := actual[index.name].get("IndexStatus", "ACTIVE")) != "ACTIVE":
                yield Finding(f"the index {index.name} of {name} is in state {status}")
            if (kind := actual[index.name]["Projection"]["ProjectionType"]) != index.projection:
                yield Finding(f"the index {index.name} of {name} projects {kind}, not {index.projection}")


def _time_to_live(examination: Examination) -> Iterator[Finding]:
    for table, name, _ in _existing(examination):
        if table.ttl is None:
            continue
        found = examination.target.read("dynamodb", "describe_time_to_live", TableName=name)["TimeToLiveDescription"]
        if found.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING"):
            yield Finding(f"time to live of {name} is {found.get('TimeToLiveStatus', 'DISABLED')}; items never expire")
        elif found.get("AttributeName") != table.ttl:
            yield Finding(f"time to live of {name} reads {found.get('AttributeName')}, not {table.ttl}")


def _streams(examination: Examination) -> Iterator[Finding]:
    for table, name, found in _existing(examination):
        if table.stream is None:
            continue
        stream = found.get("StreamSpecification") or {}
        if not stream.get("StreamEnabled"):
            yield Finding(f"the table {name} has no stream; the relay receives no event")
        elif stream.get("StreamViewType") != table.stream:
            yield Finding(f"the stream of {name} shows {stream.get('StreamViewType')}, not {table.stream}")


def _recovery(examination: Examination) -> Iterator[Finding]:
    if not examination.target.environment.data.point_in_time_recovery:
        raise NotTriedError("the environment does not want it (data.point_in_time_recovery)")
    for _, name, _ in _existing(examination):
        answer = examination.target.read("dynamodb", "describe_continuous_backups", TableName=name)
        recovery = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
            yield Finding(f"{name} has no point-in-time recovery; lost data could not be restored")


def _protection(examination: Examination) -> Iterator[Finding]:
    if not examination.target.environment.data.deletion_protection:
        raise NotTriedError("the environment does not want it (data.deletion_protection)")
    for _, name, found in _existing(examination):
        if not found.get("DeletionProtectionEnabled"):
            yield Finding(f"{name} has no deletion protection")


_REVERT: Final = "Deploy with `npx cdk deploy -c env={env} --all --revert-drift`."

CHECKS: Final = (
    Check(
        id="D401",
        title="Every table exists, is active and has its key",
        looks_at="DynamoDB DescribeTable, and contract/tables.py",
        cause="The table was deleted, or the deployed revision is older; requests that use it end with 500.",
        remedy="Deploy: `make deploy ENV={env}`. A deleted table with users' data is restored from a backup first: "
        "`aws dynamodb restore-table-to-point-in-time`.",
        run=_exist,
        needs=("D101",),
    ),
    Check(
        id="D402",
        title="Every index exists and is active",
        looks_at="DynamoDB DescribeTable: GlobalSecondaryIndexes",
        cause="An index was deleted or is still being filled; queries of it fail, and sweeps find nothing.",
        remedy="Wait while it is CREATING. Otherwise " + _REVERT[0].lower() + _REVERT[1:],
        run=_indexes,
        needs=("D101",),
    ),
    Check(
        id="D403",
        title="Time to live is on where items must expire",
        looks_at="DynamoDB DescribeTimeToLive",
        cause="It was turned off by hand; tables grow, and published events and idempotency records stay.",
        remedy=_REVERT + " Or `aws dynamodb update-time-to-live --table-name TABLE --time-to-live-specification "
        "Enabled=true,AttributeName=expiresAt`.",
        run=_time_to_live,
        needs=("D101",),
    ),
    Check(
        id="D404",
        title="The Outbox table has its stream",
        looks_at="DynamoDB DescribeTable: StreamSpecification",
        cause="The stream was turned off; events that a request could not publish arrive a minute late, by the sweep.",
        remedy=_REVERT + " A new stream has a new ARN: deploy Data first, then Routes.",
        run=_streams,
        needs=("D101",),
    ),
    Check(
        id="D405",
        title="Point-in-time recovery is on where the environment wants it",
        looks_at="DynamoDB DescribeContinuousBackups, and data.point_in_time_recovery",
        cause="It was turned off by hand; data that is lost from now on cannot be restored.",
        remedy="Run `aws dynamodb update-continuous-backups --table-name TABLE --point-in-time-recovery-specification "
        "PointInTimeRecoveryEnabled=true`.",
        run=_recovery,
        needs=("D101",),
    ),
    Check(
        id="D406",
        title="Deletion protection is on where the environment wants it",
        looks_at="DynamoDB DescribeTable: DeletionProtectionEnabled, and data.deletion_protection",
        cause="It was turned off by hand; the table can be deleted by mistake.",
        remedy="Run `aws dynamodb update-table --table-name TABLE --deletion-protection-enabled`.",
        run=_protection,
        needs=("D101",),
    ),
)
