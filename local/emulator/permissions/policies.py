"""What roles allow: their policies, parsed once, and the decision on one action and resource."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from ministack.core.iam_evaluator import (
    EvalContext,
    ParsedStatement,
    _first_match,
    _resolve_managed_policy_document,
    fnmatch_iam,
    fnmatch_iam_cs,
    parse_policy_document,
)
from ministack.services import iam

from local.emulator.settings import ACCOUNT_ID

Decision = Literal["allowed", "not allowed", "denied"]


@dataclass(frozen=True)
class Verdict:
    """The decision on one need.

    Attributes:
        decision: `not allowed` by any statement, or `denied` by one.
        action_pattern: of the statement that allowed it.
        resource_pattern: of the statement that allowed it.
    """

    decision: Decision
    action_pattern: str = ""
    resource_pattern: str = ""


@dataclass(frozen=True)
class Grant:
    """One action on one resource that a role's statement allows."""

    statement: str
    action: str
    resource: str


Documents = tuple[str, ...]


class RolePolicies:
    """Reads roles where the emulator keeps them."""

    def __init__(self, region: str) -> None:
        self._region = region

    def decide(self, role: str, action: str, resource: str, context: Mapping[str, Any]) -> Verdict:
        """Whether a role may do something.

        Args:
            role: its name; one that does not exist may nothing.
            action: for example `dynamodb:GetItem`.
            resource: an ARN, or `*` for actions without a resource.
            context: the service's condition keys of the request.
        """
        documents = self._documents(role)
        if not documents:
            return Verdict("not allowed")
        if _has_conditions(documents):
            return _decision(documents, role, action, resource, self._region, context)
        return _decision_without_conditions(documents, role, action, resource, self._region)

    def has_conditions(self, role: str) -> bool:
        """Whether any statement of a role has a condition, so that the context of a request matters."""
        return _has_conditions(self._documents(role))

    def grants(self, role: str) -> list[Grant]:
        """Everything that a role's statements allow, one action and resource a line."""
        return [
            Grant(statement.sid, action, resource)
            for statement in _statements(self._documents(role))
            if statement.effect == "Allow"
            for action in statement.actions
            for resource in statement.resources
        ]

    def _documents(self, role: str) -> Documents:
        found = iam._roles.get_scoped(ACCOUNT_ID, None, role)
        if found is None:
            return ()
        inline = (found.get("InlinePolicies") or {}).values()
        attached = (_resolve_managed_policy_document(arn, ACCOUNT_ID) for arn in found.get("AttachedPolicies", ()))
        return tuple(_text(document) for document in (*inline, *attached) if document)


def _text(document: str | dict[str, Any]) -> str:
    return document if isinstance(document, str) else json.dumps(document)


@lru_cache(maxsize=512)
def _statements(documents: Documents) -> tuple[ParsedStatement, ...]:
    return tuple(statement for document in documents for statement in parse_policy_document(document))


@lru_cache(maxsize=512)
def _has_conditions(documents: Documents) -> bool:
    return any(statement.conditions for statement in _statements(documents))


@lru_cache(maxsize=8192)
def _decision_without_conditions(documents: Documents, role: str, action: str, resource: str, region: str) -> Verdict:
    return _decision(documents, role, action, resource, region, {})


def _decision(
    documents: Documents, role: str, action: str, resource: str, region: str, context: Mapping[str, Any]
) -> Verdict:
    """IAM's evaluation within one account: an explicit deny wins, then an allow, then nothing is allowed."""
    asked = EvalContext(
        principal_arn=f"arn:aws:iam::{ACCOUNT_ID}:role/{role}",
        principal_type="AssumedRole",
        principal_account=ACCOUNT_ID,
        action=action,
        resource_arn=resource,
        region=region,
        service_context={name.lower(): value for name, value in context.items()},
    )
    statements = list(_statements(documents))
    if _first_match(asked, statements, "Deny"):
        return Verdict("denied")
    allowing = _first_match(asked, statements, "Allow")
    if allowing is None:
        return Verdict("not allowed")
    return Verdict(
        "allowed",
        next((pattern for pattern in allowing.actions if fnmatch_iam(action, pattern)), "NotAction"),
        next((pattern for pattern in allowing.resources if fnmatch_iam_cs(resource, pattern)), "NotResource"),
    )
