"""One promise of AppSync Events, and how a list of them is written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """One promise.

    Attributes:
        id: what rows name.
        promise: in our words.
        tests: `file::test` from the top of the repository, where rows do not (or not alone) show it.
        instead: if it is not imitated: what happens instead.
    """

    id: str
    promise: str
    tests: tuple[str, ...] = ()
    instead: str | None = None


def fact(id: str, promise: str, *tests: str) -> Fact:
    return Fact(id, promise, tests)


def not_imitated(id: str, promise: str, instead: str) -> Fact:
    return Fact(id, promise, (), instead)
