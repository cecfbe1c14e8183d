"""What a rule of strict mode is, and what the rules of one service have in common."""

from __future__ import annotations

from typing import Annotated, NamedTuple, Self

import msgspec

Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=10_000)]


class Rule(NamedTuple):
    """One rule.

    Attributes:
        field: the field of the service's switches that turns it on and off.
        request: what a client does.
        effect: what AWS does then, and the rule too.
        alone: what ministack does without the rule.
        source: the page of AWS's documentation, with its section.
        link: its address.
    """

    field: str
    request: str
    effect: str
    alone: str
    source: str
    link: str


class Switches(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """Switches of one service's rules, each a `bool` named as the rule's field, and their sizes, which are numbers."""

    @classmethod
    def off(cls) -> Self:
        """Return the switches with every rule off."""
        fields = msgspec.structs.fields(cls)
        return cls(**{each.name: False for each in fields if each.type is bool})
