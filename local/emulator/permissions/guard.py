"""Decides on what is done under a role, records it, and refuses as AWS would."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from typing import Any

from ministack.core.iam_actions import access_denied_response, identity_denial_message

from local.emulator.credentials import CredentialStore, role_session
from local.emulator.permissions.ledger import Ledger
from local.emulator.permissions.needs import Need, Request, context_of, needs_of
from local.emulator.permissions.owners import owners
from local.emulator.permissions.policies import Decision, RolePolicies

_LOGGER = logging.getLogger("local.permissions.report")

STATE = "permissions"
"""Name of the file in which grants and uses are kept."""

_STATUSES = {"dynamodb": 400}
"""DynamoDB developer guide, "Error handling": AccessDeniedException comes with 400, where other services have 403."""

Response = tuple[int, dict[str, str], Any]


class PermissionGuard:
    """The one place that is asked whether a role may do something.

    Args:
        store: whose an access key is.
        region: of the local cloud.
    """

    def __init__(self, store: CredentialStore, region: str) -> None:
        self._store = store
        self._policies = RolePolicies(region)
        self._ledger = Ledger()

    def refusal(self, access_key_id: str, request: Request) -> Response | None:
        """What a request is answered with when its signer may not make it; None when it may.

        Args:
            access_key_id: who signed; keys that are no role's are not checked.
            request: the request.
        """
        session = self._store.session_of(access_key_id)
        if session is None:
            return None
        needs = needs_of(request)
        if needs is None:
            needs = [Need(f"{request.service}:{request.operation or request.method}", "*")]
        context = context_of(request) if self._policies.has_conditions(session.role) else {}
        for need in needs:
            decision = self.decide(session.role, need, context)
            if decision != "allowed":
                return _denied(request, need, session.arn, explicit=decision == "denied")
        return None

    def allows_all(self, role: str, needs: Iterable[Need]) -> bool:
        """Whether a role may do all of what is no request of its own: what AWS's services do in its name."""
        refused = [need for need in needs if self.decide(role, need, {}) != "allowed"]
        return not refused

    def decide_for(self, principal_arn: str, need: Need) -> Decision:
        """The decision on a principal by its ARN; a principal that is not a role's session is not restricted."""
        session = role_session(principal_arn)
        return "allowed" if session is None else self.decide(session.role, need, {})

    def decide(self, role: str, need: Need, context: dict[str, Any]) -> Decision:
        """Decide and record."""
        verdict = self._policies.decide(role, need.action, need.resource, context)
        self._ledger.record(role, need, verdict)
        if verdict.decision != "allowed":
            _LOGGER.warning("role %s: %s on %s is %s", role, need.action, need.resource, verdict.decision)
        return verdict.decision

    def state(self) -> dict[str, Any]:
        """Grants and uses of every role, as they are kept on disk and as the report reads them."""
        return {
            "roles": {
                role: {
                    "owner": owner,
                    "grants": [[each.statement, each.action, each.resource] for each in self._policies.grants(role)],
                    **self._ledger.of(role),
                }
                for role, owner in sorted(owners().items())
            }
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on with what an earlier process recorded."""
        self._ledger.restore(state["roles"])


def _denied(request: Request, need: Need, principal: str, *, explicit: bool) -> Response:
    request_id = str(uuid.uuid4())
    message = identity_denial_message(need.action, principal, need.resource, explicit)
    answer: Response = access_denied_response(
        request.service,
        need.action,
        principal,
        request_id,
        message=message,
        headers=request.headers,
        resource_arn=need.resource,
        explicit_deny=explicit,
    )
    status, headers, body = answer
    headers.setdefault("x-amzn-requestid", request_id)
    return _STATUSES.get(request.service, status), headers, body
