"""A question that only AWS can answer: what it asks, the possible answers, and the consequence of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ops.verify.deployment import Deployment


class CannotAskError(Exception):
    """The question could not be asked; the message says why."""


@dataclass(frozen=True)
class PossibleAnswer:
    """One possible answer.

    Args:
        key: its name within the question.
        text: the answer in plain words.
        consequence: the file or setting to change if AWS gives it; for the assumed answer, what rests on it.
    """

    key: str
    text: str
    consequence: str


@dataclass(frozen=True)
class Observation:
    """What a question observed.

    Args:
        key: the possible answer.
        seen: the values that it was concluded from.
    """

    key: str
    seen: str


Ask = Callable[[Deployment], Observation]


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question.

    Args:
        id: its name, which never changes.
        text: the question in plain words.
        how: the calls that ask it.
        source: why it is open: what the documentation leaves out.
        answers: the possible answers; the first is the one that the code assumes.
        ask: asks it; raises CannotAskError if that is impossible.
        creates: what it creates in the account and deletes again; empty if it only reads.
        cost: the cost of asking, in US dollars.
        minutes: how long asking takes on AWS.
        not_local: why the local cloud cannot answer; empty if it can.
        not_asked: why it is never asked; empty if it is.
    """

    id: str
    text: str
    how: str
    source: str
    answers: tuple[PossibleAnswer, ...]
    ask: Ask
    creates: str = ""
    cost: float = 0.0
    minutes: float = 0.1
    not_local: str = ""
    not_asked: str = ""

    @property
    def assumed(self) -> PossibleAnswer:
        """Return the answer that the code assumes."""
        return self.answers[0]

    def answer(self, key: str) -> PossibleAnswer:
        """Return a possible answer by its key."""
        return next(each for each in self.answers if each.key == key)


class State(StrEnum):
    """What became of a question."""

    AS_ASSUMED = "as assumed"
    DIFFERS = "differs"
    NOT_ASKED = "could not be asked"


@dataclass(frozen=True)
class Answer:
    """What became of one question.

    Args:
        question: the question.
        state: whether the answer is the assumed one.
        seen: what was observed, or why it could not be asked.
        given: the answer; None if it could not be asked.
    """

    question: Question
    state: State
    seen: str
    given: PossibleAnswer | None = None
