"""What a request needs: the IAM actions and resources behind an API operation.

The mapping of operations is ministack's (from botocore's models and the Service Authorization Reference), with what it
does not know: batches of queues, and Chime. The parts of a transaction stand for themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ministack.core import iam_actions

from local.emulator.chime import service_model as chime_model
from local.emulator.settings import ACCOUNT_ID

_NAMED_OTHERWISE = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}
"""Operations whose permission is another's (Amazon SQS developer guide, "Amazon SQS API permissions")."""

Query = dict[str, list[str]]
Headers = dict[str, str]


@dataclass(frozen=True)
class Need:
    """One action on one resource (`*` where the action has none)."""

    action: str
    resource: str


@dataclass(frozen=True)
class Request:
    """A request of an AWS service, as the dispatcher gets it."""

    service: str
    operation: str
    method: str
    path: str
    headers: Headers
    body: bytes
    query: Query
    region: str


def needs_of(request: Request) -> list[Need] | None:
    """What must be allowed for a request.

    Returns:
        The needs; an empty list for unsigned operations; None when the operation is unknown.
    """
    if request.operation in iam_actions.unsigned_operations(request.service):
        return []
    if request.service == "chime":
        return _chime(request)
    action = iam_actions.extract_iam_action(
        request.service, request.method, request.path, request.headers, request.body, request.query
    )
    if action is None:
        return None
    place = (request.region, ACCOUNT_ID)
    if request.service == "dynamodb":
        parts = iam_actions.dynamodb_transaction_checks(action, request.body, *place)
        if parts:
            return list(dict.fromkeys(Need(*part) for part in parts))
        return _each(action, iam_actions.dynamodb_resource_arns(request.body, *place))
    if request.service == "events":
        return _each(action, iam_actions.eventbridge_resource_arns(request.body, *place))
    resource = iam_actions.extract_resource_arn(
        request.service, request.method, request.path, request.headers, request.body, request.query, *place
    )
    return [Need(_NAMED_OTHERWISE.get(action, action), resource)]


def context_of(request: Request) -> dict[str, Any]:
    """Condition keys that a request carries."""
    if request.service == "dynamodb":
        context: dict[str, Any] = iam_actions.dynamodb_service_context(request.body)
        return context
    return {}


def _each(action: str, resources: list[str]) -> list[Need]:
    return [Need(action, resource) for resource in resources or ["*"]]


def _chime(request: Request) -> list[Need] | None:
    """Actions of Amazon Chime (Service Authorization Reference).

    AWS checks calls that name no meeting against the ARN of any meeting, as its refusals show ("is not authorized to
    perform: chime:CreateMeeting on resource: arn:aws:chime:us-east-1:…:meeting/*").
    """
    found = chime_model.route(request.method, request.path, request.query)
    if found is None:
        return None
    meeting = found.path_parameters.get("MeetingId", "*")
    return [Need(f"chime:{found.operation}", f"arn:aws:chime:{request.region}:{ACCOUNT_ID}:meeting/{meeting}")]
