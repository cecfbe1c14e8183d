"""The permission report separates used, unused and missing permissions, and every exception has a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local.__main__ import main
from local.permissions.exceptions import REASONS, Reason, why_unused
from local.permissions.report import Right, as_text, report_of

TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/T"
ROLE: dict[str, Any] = {
    "owner": "PantherKolab-messages-local",
    "grants": [["T", "dynamodb:GetItem", TABLE], ["T", "dynamodb:PutItem", TABLE], ["T", "dynamodb:Query", TABLE]],
    "used": [["dynamodb:GetItem", "dynamodb:GetItem", TABLE]],
    "refused": [["sqs:SendMessage", "arn:aws:sqs:us-east-1:000000000000:Q"]],
}
BOOTSTRAP = {"owner": "", "grants": [["", "s3:*", "*"]], "used": [], "refused": []}


def excuse_put(right: Right) -> str | None:
    return "only a restore puts" if right.action == "dynamodb:PutItem" else None


def test_used_unused_and_missing_permissions_are_separate() -> None:
    (report,) = report_of({"role": ROLE, "cdk-hnb659fds-deploy-role": BOOTSTRAP}, excuse_put)
    assert [right.action for right in report.used] == ["dynamodb:GetItem"]
    assert [(right.action, reason) for right, reason in report.excused] == [("dynamodb:PutItem", "only a restore puts")]
    assert [right.action for right in report.unused] == ["dynamodb:Query"]
    assert [right.action for right in report.missing] == ["sqs:SendMessage"]
    text = as_text([report])
    for line in (
        "+ dynamodb:GetItem               table/T",
        "o dynamodb:PutItem               table/T  (only a restore puts)",
        "- dynamodb:Query                 table/T",
        "! sqs:SendMessage                Q",
        "1 used, 1 unused, with a reason, 1 unused, 1 missing",
    ):
        assert line in text


def test_a_use_counts_for_the_grant_that_allowed_it() -> None:
    wide = {**ROLE, "grants": [["", "dynamodb:Get*", "*"]], "used": [["dynamodb:GetItem", "dynamodb:Get*", "*"]]}
    (report,) = report_of({"role": wide}, lambda right: None)
    assert (len(report.used), report.unused) == (1, [])


def test_a_reason_is_for_its_owner_action_and_resource_only() -> None:
    reason = Reason("messages", "dynamodb:Query", "*:table/T", "…")
    right = Right("PantherKolab-messages-local", "dynamodb:Query", TABLE)
    assert reason.covers(right)
    assert not reason.covers(Right("PantherKolab-users-local", right.action, right.resource))
    assert not reason.covers(Right(right.owner, "dynamodb:GetItem", right.resource))
    assert not reason.covers(Right(right.owner, right.action, TABLE + "2"))
    assert Reason("What the handlers *", "*", "*", "…").covers(Right("What the handlers of x may do", "a:b", "*"))


def test_no_exception_covers_a_permission_that_it_does_not_name() -> None:
    for reason in REASONS:
        assert reason.why.strip()
        assert "*" not in (reason.owner, reason.action)
        assert reason.resource != "*" or reason.action.startswith("dynamodb:ListStreams"), reason
    assert why_unused(Right("PantherKolab-new-local", "s3:GetObject", "*")) is None


def test_the_command_reads_what_a_stopped_cloud_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["permissions", "--state", str(tmp_path)]) == 1
    assert "nothing is deployed" in capsys.readouterr().err
    generation = tmp_path / "emulator" / "000003"
    generation.mkdir(parents=True)
    (generation.parent / "current").write_text(generation.name)
    for refused, code in ((ROLE["refused"], 1), ([], 0)):
        payload = {"roles": {"role": {**ROLE, "refused": refused}}}
        (generation / "permissions.json").write_text(json.dumps({"payload": payload}))
        assert main(["permissions", "--state", str(tmp_path)]) == code
        assert "PantherKolab-messages-local" in capsys.readouterr().out
