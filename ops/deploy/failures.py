"""What to do about a failed stack operation, by the reason that CloudFormation gives."""

from __future__ import annotations

import re
from typing import Final

from ops.deploy.events import Failure

PAGE: Final = "docs/how-to/recover-a-failed-deploy.md"

PROCEDURES: Final = (
    (
        r"Export (?P<name>\S+) cannot be (deleted|updated) as it is in use by (?P<users>.+)",
        "Another stack imports what this one no longer exports. First deploy a revision of {users} that does not "
        "import it (python -m ops.deploy --env {environment} --only {short_users}), then repeat.",
        "an-export-is-in-use",
    ),
    (
        r"already exists",
        "The name is taken by a resource outside of this stack. Repeat the command: it finds left-over tables, deletes "
        "the empty ones and imports the others. Anything else with that name has to be deleted by hand.",
        "a-name-is-taken",
    ),
    (
        r"custom-named resource requires replacing",
        "A property changed that replaces the resource, and its name is unchanged. Give the new resource another name.",
        "a-name-is-taken",
    ),
    (
        r"(rollback trigger|alarm).*(ALARM|breach|trigger)",
        "An alarm fired during the update, and CloudFormation restored the state before. Read the alarm's runbook in "
        "docs/how-to/answer-an-alarm.md, correct the cause, and deploy again.",
        "an-alarm-rolled-the-update-back",
    ),
    (
        r"more than one GSI creation or deletion",
        "DynamoDB makes one index change per update: deploy them one by one.",
        "an-index-change",
    ),
    (
        r"(Updates are not allowed for property|Existing schema attributes cannot be modified|AttributeDataType)",
        "Cognito does not change this property of an existing user pool: restore its value.",
        "the-user-pool",
    ),
    (
        r"(deletion protection|protected against deletion)",
        "A protected resource cannot be deleted: keep it in the template, or turn its protection off first.",
        "termination-or-deletion-protection",
    ),
    (
        r"(not authorized to perform|AccessDenied)",
        "The execution role of the bootstrap may not do this: grant it, or bootstrap again with a wider policy.",
        "a-permission-is-missing",
    ),
    (
        r"(Rate exceeded|Throttl|ConflictException|TooManyRequests)",
        "AWS was asked too often, or by two at once. Repeat the command.",
        "aws-was-busy",
    ),
)
"""Pattern of the reason, what to do, and the section of the page."""


def explain(stack: str, environment: str, failure: Failure | None) -> str:
    """Return why a stack's operation failed and what to do.

    Args:
        stack: name of the stack.
        environment: name of the environment.
        failure: the first failure; None if CloudFormation reported none.
    """
    if failure is None:
        return f"{stack} failed, and CloudFormation gives no reason. See {PAGE}."
    what = f"{stack}: {failure.logical_id} ({failure.type}) {failure.status}: {failure.reason}"
    for pattern, action, section in PROCEDURES:
        if found := re.search(pattern, failure.reason, re.IGNORECASE | re.DOTALL):
            users = found.groupdict().get("users", "").rstrip(" .")
            short = " ".join(name.split("-")[1] for name in re.split(r"[,\s]+", users) if name.count("-") >= 2)
            text = action.format(users=users, short_users=short, environment=environment)
            return f"{what}\n{text}\nMore: {PAGE}#{section}"
    return f"{what}\nCorrect the cause and repeat the command. More: {PAGE}"
