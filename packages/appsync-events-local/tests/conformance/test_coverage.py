"""Nothing that is known of AppSync Events is forgotten: every promise has a row, a test, or a place in the page."""

import ast
import functools
from pathlib import Path

import pytest
from appsync_events_local import assumptions
from conformance_suite.fact import Fact
from conformance_suite.facts import SECTIONS
from conformance_suite.page import PAGE, page
from conformance_suite.rows import ROWS

ROOT = Path(__file__).resolve().parents[4]
FACTS = [fact for section in SECTIONS.values() for fact in section]


@functools.cache
def names_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    named = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return named | {target.id for target in targets if isinstance(target, ast.Name)}


@pytest.mark.parametrize("fact", FACTS, ids=[fact.id for fact in FACTS])
def test_every_promise_is_shown_or_stands_among_what_is_not_imitated(fact: Fact) -> None:
    rows = [row.id for row in ROWS if fact.id in row.facts]
    if fact.instead is not None:
        assert not rows, "what is not imitated cannot have rows"
        return
    assert rows or fact.tests, "neither a row nor a test shows this"
    for test in fact.tests:
        file, name = test.split("::")
        assert name in names_in(ROOT / file), f"{file} has no {name}"


def test_rows_show_promises_that_are_listed() -> None:
    listed = {fact.id for fact in FACTS}
    assert len(listed) == len(FACTS)
    assert {fact for row in ROWS for fact in row.facts} <= listed


def test_what_is_unverified_is_one_of_the_choices() -> None:
    known = {choice.id for choice in assumptions.all_assumptions()}
    assert {row.choice for row in ROWS if row.choice is not None} <= known


def test_rows_have_names_of_their_own_and_a_place_to_run() -> None:
    assert len({row.id for row in ROWS}) == len(ROWS)
    assert [row.id for row in ROWS if not row.places()] == []


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m conformance_suite.page"
