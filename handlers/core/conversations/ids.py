"""Ids derived from their inputs (name-based UUIDs), so that a repeated request finds the first result."""

from __future__ import annotations

import uuid
from typing import Final

_NAMESPACE: Final = uuid.UUID("0b1d3d4e-5c55-5f0c-9d0f-6f1a2c3b4d5e")


def direct_id(first: str, second: str) -> str:
    """Return the id of the direct conversation of two users, independent of their order."""
    return str(uuid.uuid5(_NAMESPACE, "dm#" + "#".join(sorted((first, second)))))


def old_direct_id(first: str, second: str) -> str:
    """Return the id that the old application gave to the direct conversation of two users."""
    return "dm_" + "_".join(sorted((first, second)))


def group_id(creator: str, temp_id: str) -> str:
    """Return the id of the group that a user creates with a tempId."""
    return str(uuid.uuid5(_NAMESPACE, f"group#{creator}#{temp_id}"))
