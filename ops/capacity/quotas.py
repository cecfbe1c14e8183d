"""What bounds an environment, from `ops/capacity/quotas.toml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import msgspec

_FILE: Final = Path(__file__).with_name("quotas.toml")


class Quota(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bound.

    Args:
        id: stable name.
        title: what is bounded.
        demand: the figure of `Demand` that it bounds.
        value: the most.
        unit: of the value.
        source: where the value comes from.
        effect: what users see above it.
        remedy: what to do before that.
        adjustable: whether AWS raises it on request.
        ours: whether it is a setting or limit of this repository.
    """

    id: str
    title: str
    demand: str
    value: float
    unit: str
    source: str
    effect: str
    remedy: str
    adjustable: bool = False
    ours: bool = False


@cache
def quotas() -> tuple[Quota, ...]:
    """Return the bounds, in the order of the file."""
    return tuple(msgspec.toml.decode(_FILE.read_bytes(), type=dict[str, list[Quota]])["quota"])
