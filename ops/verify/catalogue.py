"""Every question, by family, in the order of the first account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ops.errors import CommandError
from ops.verify import (
    chime_questions,
    events_questions,
    function_questions,
    gateway_questions,
    log_questions,
    metric_questions,
    stack_questions,
)
from ops.verify.question import Question

FAMILIES: Final[Mapping[str, Sequence[Question]]] = {
    "Chime SDK meetings": chime_questions.QUESTIONS,
    "Logs": log_questions.QUESTIONS,
    "CloudFormation": stack_questions.QUESTIONS,
    "CloudWatch metrics": metric_questions.QUESTIONS,
    "Lambda": function_questions.QUESTIONS,
    "HTTP API": gateway_questions.QUESTIONS,
    "AppSync Events": events_questions.QUESTIONS,
}
QUESTIONS: Final = tuple(question for family in FAMILIES.values() for question in family)


def selected(ids: Iterable[str]) -> list[Question]:
    """Return the questions with these ids, or all of them.

    Args:
        ids: ids of questions, or the beginning of an id followed by `*`; empty for all questions.

    Raises:
        CommandError: no question has an id.
    """
    wanted = list(ids)
    if not wanted:
        return list(QUESTIONS)
    for id in wanted:
        if not any(_matches(question, id) for question in QUESTIONS):
            raise CommandError(f"There is no question {id}. To list all: python -m ops.verify --list")
    return [question for question in QUESTIONS if any(_matches(question, id) for id in wanted)]


def _matches(question: Question, id: str) -> bool:
    return question.id.startswith(id[:-1]) if id.endswith("*") else question.id == id
