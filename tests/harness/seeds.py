"""Conversations as the conversations routes store them, written directly to the tables."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from contract import tables
from handlers.adapters.dynamodb.codec import to_item
from tests.harness.emulator import AwsResources


def user_ids(count: int) -> list[str]:
    """Return new user ids."""
    return [str(uuid.uuid4()) for _ in range(count)]


def seed_conversation(
    aws: AwsResources, participants: Sequence[str], *, kind: str | None = None, **attributes: Any
) -> str:
    """Store a conversation with its members and return its id; a group's first participant is its admin.

    Args:
        kind: DM or GROUP; by default what the number of participants suggests.
        attributes: further attributes of the conversation.
    """
    conversation_id = str(uuid.uuid4())
    kind = kind or ("DM" if len(participants) == 2 else "GROUP")
    admins = list(participants[:1]) if kind == "GROUP" else []
    created = "2026-01-01T00:00:00.000Z"
    conversation = {
        "conversationId": conversation_id,
        "type": kind,
        "participants": list(participants),
        "admins": admins,
        "createdBy": participants[0],
        "createdAt": created,
        "updatedAt": created,
        "version": 1,
        "latestSeq": 0,
        "latestChange": 0,
        **attributes,
    }
    aws.put(tables.CONVERSATIONS, conversation)
    if kind == "GROUP":
        counter = {
            "conversationId": conversation_id,
            "version": conversation["version"],
            "latestSeq": conversation["latestSeq"],
            "lastTimestampMs": 0,
            "pendingSeq": {},
            "pendingAt": {},
        }
        aws.put(tables.CONVERSATION_COUNTERS, counter)
    for user_id in participants:
        member = {
            "userId": user_id,
            "conversationId": conversation_id,
            "role": "ADMIN" if user_id in admins else "MEMBER",
            "type": kind,
            "joinedAt": created,
            "lastReadSeq": 0,
        }
        aws.put(tables.CONVERSATION_MEMBERS, member)
    return conversation_id


def numbers(aws: AwsResources, conversation_id: str) -> dict[str, Any]:
    """Return latestSeq and lastMessageAt as stored: of a group's counter, else of the conversation.

    No reservation of a number may be pending.
    """
    counter = aws.item(tables.CONVERSATION_COUNTERS, conversationId=conversation_id)
    if counter is not None:
        assert (counter["pendingSeq"], counter["pendingAt"]) == ({}, {})
        return counter
    conversation = aws.item(tables.CONVERSATIONS, conversationId=conversation_id)
    assert conversation is not None
    assert not conversation.get("pendingSeq")
    assert not conversation.get("pendingAt")
    return conversation


def undelivered(aws: AwsResources) -> list[dict[str, Any]]:
    """Return the outbox records that are not delivered: that of a direct message is emptied, not deleted."""
    return [record for record in aws.scan(tables.OUTBOX) if "event" in record]


def block(aws: AwsResources, conversation_id: str, blocker: str) -> None:
    """Store that one participant of a direct conversation blocks the other."""
    aws.dynamodb.update_item(
        TableName=aws.table(tables.CONVERSATIONS),
        Key=to_item({"conversationId": conversation_id}),
        UpdateExpression="ADD blockedBy :blocker, version :one",
        ExpressionAttributeValues=to_item({":blocker": {blocker}, ":one": 1}),
    )


def unblock(aws: AwsResources, conversation_id: str, blocker: str) -> None:
    """Store that a participant of a direct conversation no longer blocks the other."""
    aws.dynamodb.update_item(
        TableName=aws.table(tables.CONVERSATIONS),
        Key=to_item({"conversationId": conversation_id}),
        UpdateExpression="DELETE blockedBy :blocker ADD version :one",
        ExpressionAttributeValues=to_item({":blocker": {blocker}, ":one": 1}),
    )
