"""The list of questions: ids, answers and consequences."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ops.verify.catalogue import FAMILIES, QUESTIONS, selected
from ops.verify.question import Question

ROOT = Path(__file__).resolve().parents[3]
REVIEWED = (
    "chime-meeting-resource",
    "log-of-the-event-api",
    "http-routes-in-parallel",
    "sum-without-data",
    "age-of-a-delayed-message",
    "metric-filters-on-log-lines",
    "snapstart-on-arm64",
    "dimensions-of-event-metrics",
    "failed-creation-of-a-table",
)
"""What a review of the templates could not decide without an account."""
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*)`")


def test_ids_are_unique_and_keep_to_one_form() -> None:
    ids = [question.id for question in QUESTIONS]
    assert len(set(ids)) == len(ids)
    assert [id for id in ids if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)+", id)] == []
    assert set(REVIEWED) <= set(ids)


@pytest.mark.parametrize("question", QUESTIONS, ids=[question.id for question in QUESTIONS])
def test_every_answer_has_a_consequence_that_names_what_exists(question: Question) -> None:
    assert question.text.endswith("?")
    assert question.how
    assert question.source
    assert len(question.answers) >= 2
    assert len({answer.key for answer in question.answers}) == len(question.answers)
    for answer in question.answers:
        assert answer.text
        assert answer.consequence
        named = PATH.findall(answer.consequence)
        assert [path for path in named if not path.startswith(".local/") and not (ROOT / path).exists()] == []


def test_selection_by_id_and_by_beginning() -> None:
    assert selected([]) == list(QUESTIONS)
    assert [each.id for each in selected(["cors*"])] == [each.id for each in FAMILIES["HTTP API"]]
    assert [each.id for each in selected(["snapstart-on-arm64"])] == ["snapstart-on-arm64"]
