"""The set algebra of policy statements: what is granted after a change that was not granted before.

A grant is one action on one resource for one principal under one condition. A grant is covered by another one whose
action and resource patterns include it, whose principal is the same or everyone, and whose condition is the same or
absent. Deny statements, and statements with NotAction, NotResource or NotPrincipal, are compared as a whole: a Deny
that is gone or narrower widens access (AWS IAM: policy evaluation logic).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from ops.change_report.comparison import as_list, text

_NEGATIVE: Final = ("NotAction", "NotResource", "NotPrincipal")
_EVERYONE: Final = '{"AWS": "*"}'


@dataclass(frozen=True)
class Grant:
    """One permission.

    Args:
        action: pattern of the action, for example `dynamodb:GetItem`.
        resource: pattern of the resource's ARN, with references as `${Name}`.
        principal: who is granted it, as JSON; empty for the role that has the policy.
        condition: the condition, as JSON; empty if there is none.
    """

    action: str
    resource: str
    principal: str = ""
    condition: str = ""

    def covers(self, other: Grant) -> bool:
        """Return whether this grant allows everything that the other one allows."""
        return (
            _matches(self.action.lower(), other.action.lower())
            and _matches(self.resource, other.resource)
            and self.principal in (other.principal, _EVERYONE)
            and self.condition in ("", other.condition)
        )

    def __str__(self) -> str:
        """Return it in words."""
        principal = f" for {self.principal}" if self.principal else ""
        return f"{self.action} on {self.resource}{principal}{f' if {self.condition}' if self.condition else ''}"


def _matches(pattern: str, value: str) -> bool:
    return fnmatchcase(value, pattern.replace("[", "[[]"))


def grants(statements: Iterable[Mapping[str, Any]]) -> tuple[Grant, ...]:
    """Return the grants of the Allow statements that name actions and resources."""
    return tuple(
        grant
        for statement in statements
        if statement["Effect"] == "Allow" and not any(key in statement for key in _NEGATIVE)
        for grant in _grants(statement)
    )


def _grants(statement: Mapping[str, Any]) -> Iterator[Grant]:
    condition = json.dumps(statement["Condition"], sort_keys=True) if statement.get("Condition") else ""
    resources = [text(each) for each in as_list(statement.get("Resource"))] or ["*"]
    for principal in _principals(statement.get("Principal")):
        for action in as_list(statement.get("Action")):
            for resource in resources:
                yield Grant(str(action), resource, principal, condition)


def _principals(value: Any) -> list[str]:
    if value is None:
        return [""]
    if value == "*":
        return [_EVERYONE]
    return [json.dumps({kind: text(each)}) for kind, names in sorted(value.items()) for each in as_list(names)]


def _others(statements: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the statements that are compared as a whole, without their names."""
    return [
        json.dumps({key: value for key, value in statement.items() if key != "Sid"}, sort_keys=True)
        for statement in statements
        if statement["Effect"] != "Allow" or any(key in statement for key in _NEGATIVE)
    ]


def widened(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what is allowed after, and was not before, one line each.

    Args:
        before, after: the statements of one role, or of one resource's policy.
    """
    old = grants(before)
    lines = [str(grant) for grant in grants(after) if not any(each.covers(grant) for each in old)]
    earlier, later = _others(before), _others(after)
    lines += [f"no longer refused: {each}" for each in earlier if '"Deny"' in each and each not in later]
    lines += [each for each in later if '"Allow"' in each and each not in earlier]
    return lines


def narrowed(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what was allowed before, and is not any more, one line each."""
    return widened(after, before)


def document(value: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """Return the statements of a policy document."""
    return as_list((value or {}).get("Statement"))
