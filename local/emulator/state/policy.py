"""Which requests must be saved, and how soon."""

from __future__ import annotations

from enum import Enum


class Saving(Enum):
    """What a request that succeeded requires of the state store."""

    NOTHING = "it read, or its loss does no harm"
    JOURNALLED = "the DynamoDB journal holds it already"
    BEFORE_ANSWER = "rewrite the service's file before the caller gets its answer"
    SOON = "rewrite the service's file within a second"
    GENERATION = "a new generation, before the answer or when the running stack operation is over"


_READS = (
    "Get",
    "AdminGet",
    "AdminList",
    "Describe",
    "List",
    "Head",
    "BatchGet",
    "TransactGet",
    "Query",
    "Scan",
    "Search",
    "Lookup",
    "Estimate",
    "Validate",
    "Detect",
    "Select",
    "Test",
    "Simulate",
    "Preview",
)
_DYNAMODB_SCHEMA = (
    "CreateTable",
    "DeleteTable",
    "UpdateTable",
    "UpdateTimeToLive",
    "UpdateContinuousBackups",
    "TagResource",
    "UntagResource",
    "RestoreTable",
    "ImportTable",
    "CreateBackup",
    "DeleteBackup",
    "PutResourcePolicy",
)
# At-least-once delivery makes a forgotten receive or delete harmless: the message is delivered again.
_SQS_REPEATABLE = ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility")
# Written by every function call, and worth nothing to the user's data.
_TELEMETRY = frozenset({"logs", "monitoring", "cloudtrail"})
_STATELESS = frozenset({"sts", "dynamodbstreams", "lambda:Invoke"})
# Objects are written through by the emulator; only buckets and their settings are in the snapshot.
STACK_SERVICE = "cloudformation"


def saving_for(service: str, operation: str, method: str) -> Saving:
    """What a successful request must do before or after its answer.

    Args:
        service: ministack's service name, for example `cognito-idp`.
        operation: the API operation, or an empty text where the protocol is plain REST.
        method: the HTTP method.
    """
    if service in _TELEMETRY or service in _STATELESS or f"{service}:{operation}" in _STATELESS:
        return Saving.NOTHING
    if operation.startswith(_READS) or (not operation and method in ("GET", "HEAD", "OPTIONS")):
        return Saving.NOTHING
    if service == "dynamodb":
        return Saving.GENERATION if operation.startswith(_DYNAMODB_SCHEMA) else Saving.JOURNALLED
    if service == STACK_SERVICE:
        return Saving.GENERATION
    if service == "sqs" and operation.startswith(_SQS_REPEATABLE):
        return Saving.SOON
    return Saving.BEFORE_ANSWER
