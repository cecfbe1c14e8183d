"""One documented behaviour of AppSync Events, and the functions that list them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """One behaviour that AWS documents or that clients have observed.

    Attributes:
        id: the name by which rows refer to it.
        promise: the behaviour, in our words.
        tests: `file::test` below this suite's directory, where rows do not show the behaviour, or not all of it.
        repository_tests: `file::test` from the top of the repository that holds this package. They are outside the
            package, so only a test of the repository can look for them.
        instead: for a behaviour that the service does not imitate: what it does instead.
    """

    id: str
    promise: str
    tests: tuple[str, ...] = ()
    repository_tests: tuple[str, ...] = ()
    instead: str | None = None


def fact(id: str, promise: str, *tests: str, repository_tests: tuple[str, ...] = ()) -> Fact:
    return Fact(id, promise, tests, repository_tests)


def not_imitated(id: str, promise: str, instead: str) -> Fact:
    return Fact(id, promise, instead=instead)
