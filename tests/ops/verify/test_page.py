"""The page of answers, in each of its forms."""

from __future__ import annotations

import datetime
import json

import pytest

from ops.verify import catalogue
from ops.verify.page import Page, as_json, as_markdown, as_text
from ops.verify.question import Answer, Question, State

AT = datetime.datetime(2026, 11, 1, 12, 0, tzinfo=datetime.UTC)


def question(id: str) -> Question:
    (found,) = catalogue.selected([id])
    return found


@pytest.fixture
def page() -> Page:
    """A page with one answer of each state."""
    age, routes, log = (
        question(id) for id in ("age-of-a-delayed-message", "http-routes-in-parallel", "log-of-the-event-api")
    )
    return Page(
        "dev",
        "eu-west-1",
        AT,
        [
            Answer(age, State.DIFFERS, "0 s | 480 s after sending", age.answer("excluded")),
            Answer(routes, State.AS_ASSUMED, "30 routes created, 0 conflicts", routes.answer("none")),
            Answer(log, State.NOT_ASKED, "AWS refused a request: AccessDeniedException"),
        ],
    )


def test_text_has_every_answer_by_state(page: Page) -> None:
    text = as_text(page)
    assert text.startswith(
        "Answers of dev (eu-west-1), 2026-11-01 12:00 UTC\n3 questions: 1 as assumed, 1 differs, 1 could not be asked\n"
    )
    places = [text.index(each) for each in ("AS ASSUMED", "http-routes", "DIFFERS", "age-of", "COULD NOT", "log-of")]
    assert places == sorted(places)
    assert "    do: the alarm CallsRingLate fires late" in text
    assert all(len(line) <= 110 for line in text.splitlines())


def test_markdown_has_a_table_for_each_state(page: Page) -> None:
    lines = as_markdown(page).splitlines()
    assert [line for line in lines if line.startswith("## ")] == [
        "## As assumed",
        "## Differs: something has to be changed",
        "## Could not be asked",
    ]
    (row,) = (line for line in lines if line.startswith("| age-of"))
    assert "0 s \\| 480 s" in row
    assert "stacks/monitoring/alarms.py" in row


def test_json_has_every_field(page: Page) -> None:
    document = json.loads(as_json(page))
    assert document["environment"] == "dev"
    assert [(each["id"], each["state"]) for each in document["answers"]] == [
        ("age-of-a-delayed-message", "differs"),
        ("http-routes-in-parallel", "as assumed"),
        ("log-of-the-event-api", "could not be asked"),
    ]
    assert document["answers"][0]["consequence"].startswith("the alarm CallsRingLate")
    assert document["answers"][2]["answer"] is None


def test_page_without_differences_has_no_such_section(page: Page) -> None:
    assert "DIFFERS" not in as_text(Page("dev", "eu-west-1", AT, page.answers[1:]))
