"""Conversations as the conversations routes leave them, for tests of what happens in them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from handlers.adapters.dynamodb.codec import from_item, to_item
from tests.harness.handlers.cloud import World


def user_ids(count: int) -> list[str]:
    """Return fresh user ids."""
    return [str(uuid.uuid4()) for _ in range(count)]


def seed_conversation(world: World, participants: Sequence[str], *, kind: str | None = None, **attributes: Any) -> str:
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
    put(world, "CONVERSATIONS_TABLE", conversation)
    for user_id in participants:
        member = {
            "userId": user_id,
            "conversationId": conversation_id,
            "role": "ADMIN" if user_id in admins else "MEMBER",
            "type": kind,
            "joinedAt": created,
            "lastReadSeq": 0,
        }
        put(world, "CONVERSATION_MEMBERS_TABLE", member)
    return conversation_id


def put(world: World, table: str, item: dict[str, Any]) -> None:
    """Store an item; `table` is the variable that names the table."""
    world.dynamodb.put_item(TableName=world.variables[table], Item=to_item(item))


def get(world: World, table: str, **key: Any) -> dict[str, Any] | None:
    """Read an item, consistently."""
    answer = world.dynamodb.get_item(TableName=world.variables[table], Key=to_item(key), ConsistentRead=True)
    return from_item(answer["Item"]) if "Item" in answer else None


def rows(world: World, table: str) -> list[dict[str, Any]]:
    """Return everything that a table holds."""
    pages = world.dynamodb.get_paginator("scan").paginate(TableName=world.variables[table], ConsistentRead=True)
    return [from_item(item) for page in pages for item in page["Items"]]


def block(world: World, conversation_id: str, blocker: str) -> None:
    """Let one participant of a direct conversation block the other."""
    world.dynamodb.update_item(
        TableName=world.variables["CONVERSATIONS_TABLE"],
        Key=to_item({"conversationId": conversation_id}),
        UpdateExpression="ADD blockedBy :blocker, version :one",
        ExpressionAttributeValues=to_item({":blocker": {blocker}, ":one": 1}),
    )


def unblock(world: World, conversation_id: str, blocker: str) -> None:
    """Let a participant of a direct conversation unblock the other."""
    world.dynamodb.update_item(
        TableName=world.variables["CONVERSATIONS_TABLE"],
        Key=to_item({"conversationId": conversation_id}),
        UpdateExpression="DELETE blockedBy :blocker ADD version :one",
        ExpressionAttributeValues=to_item({":blocker": {blocker}, ":one": 1}),
    )
