"""An audit log whose lines a test reads."""

from __future__ import annotations

import json
from typing import Any

from ops.support.audit import AuditLog
from stacks.naming import AUDIT_LOG, Names
from tests.harness.emulator import AwsResources

OPERATOR = "arn:aws:sts::123456789012:assumed-role/Support/grace"


class FixedCaller:
    """AWS STS with one caller."""

    def get_caller_identity(self) -> dict[str, str]:
        """Return the caller."""
        return {"Arn": OPERATOR}


class AuditLines:
    """The audit log of one test's environment, on the emulator's CloudWatch Logs.

    Args:
        aws: the environment.
        deployed: whether the Operations stack has created the log group.
    """

    def __init__(self, aws: AwsResources, *, deployed: bool = True) -> None:
        self._logs = aws.emulator.client("logs")
        self._group = Names(aws.environment).of(AUDIT_LOG)
        if deployed:
            self._logs.create_log_group(logGroupName=self._group)
        self.log = AuditLog(self._logs, FixedCaller(), aws.environment)

    def of(self, environment: str) -> AuditLog:
        """Return the audit log, as the commands ask for it."""
        return self.log

    def lines(self) -> list[dict[str, Any]]:
        """Return every line, oldest first."""
        found = self._logs.filter_log_events(logGroupName=self._group)["events"]
        return [json.loads(each["message"]) for each in found]

    def results(self) -> list[tuple[str, str, str | None]]:
        """Return action, subject and result of every line."""
        return [(line["action"], line["subject"], line.get("result")) for line in self.lines()]
