"""Ids that follow from what they name, so that asking twice finds the first answer."""

from __future__ import annotations

import uuid
from typing import Final

_NAMESPACE: Final = uuid.UUID("0b1d3d4e-5c55-5f0c-9d0f-6f1a2c3b4d5e")


def direct_id(first: str, second: str) -> str:
    """Return the id of the direct conversation of two users, whichever of them asks: a name-based UUID."""
    return str(uuid.uuid5(_NAMESPACE, "dm#" + "#".join(sorted((first, second)))))


def group_id(creator: str, temp_id: str) -> str:
    """Return the id of the group that a creator asked for under a tempId: a name-based UUID."""
    return str(uuid.uuid5(_NAMESPACE, f"group#{creator}#{temp_id}"))
