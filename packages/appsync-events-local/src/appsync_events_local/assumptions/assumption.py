"""The type of an assumption."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Assumption(Generic[T]):
    """What the service does at one point that AWS does not document.

    Attributes:
        id: its name in the documentation, the conformance table and the questions of `make verify`.
        question: the undocumented point.
        behaviour: what the service does.
        reason: why.
        value: the value that the code reads; `None` if the behaviour is not a value.
    """

    id: str
    question: str
    behaviour: str
    reason: str
    value: T


def behaviour(id: str, question: str, behaviour: str, reason: str) -> Assumption[None]:
    """An assumption without a value."""
    return Assumption(id, question, behaviour, reason, None)
