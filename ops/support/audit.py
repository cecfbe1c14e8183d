"""The audit log: who did what to which environment, when, and why.

Each line is a JSON object in the log group `PantherKolab-Audit-{environment}` of CloudWatch Logs, which the Operations
stack creates. A line is written before the action, so that an action without a line is impossible, and a second one
with its result.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec
from botocore.exceptions import ClientError

from ops import aws, outputs
from ops.errors import CommandError
from stacks.naming import AUDIT_LOG, Names
from stacks.outputs import STACK_REGION

Action = Literal["read-content", "redrive", "end-call", "disable-user", "enable-user", "sync-users"]
Result = Literal["started", "done", "failed"]
REASON_CHARACTERS: Final = 500
"""Longest reason."""


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an operator does.

    Args:
        action: the command.
        subject: the id of the message, call, user or queue.
        reason: the operator's reason.
        result: whether the line stands before or after the action.
        detail: what the action did, in one sentence.
    """

    action: Action
    subject: str
    reason: str
    result: Result | None = None
    detail: str | None = None


class AuditLog:
    """Writes audit lines.

    Args:
        logs: a botocore client of CloudWatch Logs.
        sts: a botocore client of AWS STS, which names the operator.
        environment: name of the environment.
    """

    def __init__(self, logs: Any, sts: Any, environment: str) -> None:
        self._logs = logs
        self._sts = sts
        self._environment = environment
        self._caller: str | None = None

    @classmethod
    def deployed(cls, environment: str) -> AuditLog:
        """Return the audit log of a deployed environment.

        Raises:
            CommandError: the environment is not deployed.
        """
        stacks = outputs.read_stacks(environment, outputs.cloudformation)
        region = outputs.value(STACK_REGION, environment, stacks)
        return cls(aws.client("logs", region), aws.client("sts", region), environment)

    def write(self, record: AuditRecord) -> None:
        """Write one line.

        Raises:
            CommandError: the reason is missing or too long, or the line could not be written: the action must not be
                done then.
        """
        if not record.reason.strip() or len(record.reason) > REASON_CHARACTERS:
            raise CommandError(f"--reason must have 1 to {REASON_CHARACTERS} characters.")
        now = datetime.now(UTC)
        caller = self._who()
        fields = {name: value for name, value in msgspec.structs.asdict(record).items() if value is not None}
        line = {"at": now.isoformat(timespec="milliseconds"), "who": caller, "environment": self._environment, **fields}
        group = Names(self._environment).of(AUDIT_LOG)
        stream = f"{now:%Y-%m-%d}/{hashlib.sha256(caller.encode()).hexdigest()[:12]}"
        event = {"timestamp": round(time.time() * 1000), "message": json.dumps(line, ensure_ascii=False)}
        try:
            self._create_stream(group, stream)
            self._logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])
        except ClientError as error:
            raise CommandError(
                f"The audit line could not be written, so nothing was done: {error}. The log group {group} is part of "
                f"the Operations stack; the permissions are logs:CreateLogStream and logs:PutLogEvents on it."
            ) from error

    def _create_stream(self, group: str, stream: str) -> None:
        try:
            self._logs.create_log_stream(logGroupName=group, logStreamName=stream)
        except self._logs.exceptions.ResourceAlreadyExistsException:
            return

    def _who(self) -> str:
        """Return the ARN of the operator (AWS STS: GetCallerIdentity, which needs no permission)."""
        if self._caller is None:
            self._caller = str(self._sts.get_caller_identity()["Arn"])
        return self._caller


def audited(audit: AuditLog, record: AuditRecord, act: Callable[[], str]) -> str:
    """Write a line, do an action, and write a line with its result.

    Args:
        audit: the audit log.
        record: what is done.
        act: does it, and returns what it did in one sentence.

    Returns:
        What the action did.

    Raises:
        CommandError: the first line could not be written; nothing was done. Errors of the action are passed on.
    """
    audit.write(msgspec.structs.replace(record, result="started"))
    try:
        done = act()
    except BaseException as error:
        audit.write(msgspec.structs.replace(record, result="failed", detail=f"{type(error).__name__}: {error}"[:500]))
        raise
    audit.write(msgspec.structs.replace(record, result="done", detail=done))
    return done
