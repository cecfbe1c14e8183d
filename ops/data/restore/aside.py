"""Restores every table aside, under its name with `-restored-` and a time, and says what the copies lack."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

import botocore.exceptions

from contract.tables import TABLES, Table
from ops.data.pace import Pace
from ops.data.table_access import TableAccess
from ops.errors import CommandError

_AT_ONCE: Final = 40
"""Restores at a time; an account may have 50 (Amazon DynamoDB: quotas)."""
_POLL_SECONDS: Final = 20
_STAMP: Final = re.compile(r"\d{8}T\d{6}Z")


def stamp_of(moment: datetime) -> str:
    """Return the part of a restored table's name that says its time."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def parse_moment(text: str) -> datetime:
    """Read an ISO date with a time zone.

    Raises:
        CommandError: it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{text} is no time such as 2026-11-29T08:30:00Z.") from error
    if moment.tzinfo is None:
        raise CommandError(f"{text} has no time zone. Write UTC as Z: {text}Z.")
    return moment


def require_stamp(stamp: str) -> str:
    """Return the time of restored copies as it stands in their names.

    Raises:
        CommandError: it is none.
    """
    if not _STAMP.fullmatch(stamp):
        raise CommandError(f"{stamp} is no time of restored copies such as 20261129T083000Z; `aside` prints it.")
    return stamp


class DynamoRestores:
    """The requests to DynamoDB that restore a table.

    The local emulator takes `to_point_in_time` without an error, but copies the present items. Tests of the time
    therefore use `from_backup`, which the emulator carries out truly, and compare the request with the documentation.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def to_point_in_time(self, source: str, target: str, moment: datetime) -> None:
        """Start a restore to a moment (Amazon DynamoDB: RestoreTableToPointInTime)."""
        self._client.restore_table_to_point_in_time(
            SourceTableName=source, TargetTableName=target, RestoreDateTime=moment
        )

    def from_backup(self, source: str, target: str, moment: datetime) -> None:
        """Start a restore from the newest on-demand backup until a moment (Amazon DynamoDB: RestoreTableFromBackup).

        Raises:
            CommandError: there is no backup.
        """
        backup = self._newest_backup(source, moment)
        if backup is None:
            raise CommandError(
                f"{source} has no backup from before {moment.isoformat()}. See `aws dynamodb list-backups`."
            )
        self._client.restore_table_from_backup(TargetTableName=target, BackupArn=backup)

    def _newest_backup(self, source: str, moment: datetime) -> str | None:
        request: dict[str, Any] = {"TableName": source, "BackupType": "ALL"}
        found: list[tuple[datetime, str]] = []
        while True:
            page = self._client.list_backups(**request)
            for each in page["BackupSummaries"]:
                if each["BackupStatus"] == "AVAILABLE" and each["BackupCreationDateTime"] <= moment:
                    found.append((each["BackupCreationDateTime"], each["BackupArn"]))
            if "LastEvaluatedBackupArn" not in page:
                return max(found)[1] if found else None
            request["ExclusiveStartBackupArn"] = page["LastEvaluatedBackupArn"]


class Aside:
    """Restores the tables of an environment aside.

    Args:
        live: the live tables.
        moment: the time to restore to.
        pace: prints progress.
        sleep: pauses between two looks at the restores.
    """

    def __init__(
        self, live: TableAccess, moment: datetime, pace: Pace, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._live = live
        self._moment = moment
        self._copies = live.restored(stamp_of(moment))
        self._pace = pace
        self._sleep = sleep
        self._restores = DynamoRestores(live.client)

    def plan(self) -> list[tuple[str, str, str]]:
        """Return source, target and state of each restore; the state is `absent` where it has not begun."""
        return [(self._live.name(table), self._copies.name(table), self._state(table)) for table in TABLES]

    def run(self, *, from_backups: bool = False) -> None:
        """Start every restore that has not begun, and wait until all are done. A repeated call continues.

        Raises:
            CommandError: a table has no backup.
        """
        start = self._restores.from_backup if from_backups else self._restores.to_point_in_time
        waiting = [table for table in TABLES if self._state(table) == "absent"]
        while True:
            states = {table.entity: self._state(table) for table in TABLES}
            running = sum(state not in ("absent", "ACTIVE") for state in states.values())
            for table in waiting[: _AT_ONCE - running]:
                start(self._live.name(table), self._copies.name(table), self._moment)
            waiting = waiting[max(0, _AT_ONCE - running) :]
            done = sum(self._state(table) == "ACTIVE" for table in TABLES)
            self._pace.report(f"{done} of {len(TABLES)} tables are restored", last=done == len(TABLES))
            if done == len(TABLES):
                return
            self._sleep(_POLL_SECONDS)

    def _state(self, table: Table) -> str:
        try:
            described = self._live.client.describe_table(TableName=self._copies.name(table))
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return "absent"
            raise
        return str(described["Table"]["TableStatus"])

    def lacking(self) -> list[str]:
        """Return a line for each setting that a live table has and its restored copy has not.

        A restore does not take over time to live, streams, point-in-time recovery, tags and deletion protection (Amazon
        DynamoDB: restoring a table to a point in time). Copies that are deleted afterwards need none of them.
        """
        lines = []
        for table in TABLES:
            live, copy = self._settings(self._live.name(table)), self._settings(self._copies.name(table))
            missing = [name for name, value in live.items() if value and not copy[name]]
            if missing:
                lines.append(f"{self._copies.name(table)} lacks: {', '.join(missing)}")
        return lines

    def _settings(self, name: str) -> dict[str, bool]:
        client = self._live.client
        described = client.describe_table(TableName=name)["Table"]
        ttl = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"]
        backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
        return {
            "time to live": ttl in ("ENABLED", "ENABLING"),
            "stream": bool(described.get("StreamSpecification", {}).get("StreamEnabled")),
            "point-in-time recovery": recovery == "ENABLED",
            "tags": bool(client.list_tags_of_resource(ResourceArn=described["TableArn"]).get("Tags")),
            "deletion protection": bool(described.get("DeletionProtectionEnabled")),
        }

    def discard(self) -> Iterable[str]:
        """Delete the restored copies, which hold personal data, and yield the name of each."""
        for table in TABLES:
            if self._state(table) != "absent":
                name = self._copies.name(table)
                self._live.client.delete_table(TableName=name)
                yield name
