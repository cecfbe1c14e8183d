"""Every fact about AppSync Events is shown by a row or a test, or is listed as not imitated."""

import ast
import functools
import inspect
import re
from pathlib import Path

import pytest
from appsync_events_local import assumptions
from appsync_events_local.protocol.connection import Connection
from conformance_suite.fact import Fact
from conformance_suite.facts import SECTIONS
from conformance_suite.page import page
from conformance_suite.rows import ROWS

SUITE = Path(__file__).resolve().parents[1]
FACTS = [fact for section in SECTIONS.values() for fact in section]


@functools.cache
def names_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    named = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return named | {target.id for target in targets if isinstance(target, ast.Name)}


@pytest.mark.parametrize("fact", FACTS, ids=[fact.id for fact in FACTS])
def test_every_fact_is_shown_by_a_row_or_a_test_or_is_not_imitated(fact: Fact) -> None:
    rows = [row.id for row in ROWS if fact.id in row.facts]
    if fact.instead is not None:
        assert not rows, "a fact that is not imitated cannot have rows"
        return
    shown = rows or fact.tests or fact.repository_tests
    assert shown, f"neither a row nor a test shows {fact.id}; add a row to conformance_suite/*_rows.py"
    for test in fact.tests:
        file, name = test.split("::")
        assert name in names_in(SUITE / file), f"{file} has no {name}"


def test_every_fact_of_a_row_is_listed_once() -> None:
    listed = {fact.id for fact in FACTS}
    assert len(listed) == len(FACTS)
    unlisted = sorted({fact for row in ROWS for fact in row.facts} - listed)
    assert not unlisted, f"conformance_suite/facts.py lacks {', '.join(unlisted)}; add the fact that the row shows"


def test_every_assumption_of_a_row_is_listed() -> None:
    known = {choice.id for choice in assumptions.all_assumptions()}
    unlisted = sorted({row.assumption for row in ROWS if row.assumption is not None} - known)
    assert not unlisted, f"appsync_events_local/assumptions lacks {', '.join(unlisted)}; add what the row assumes"


def test_property_tests_send_every_frame_that_a_client_may_send() -> None:
    handled = re.findall(r'case "(\w+)":', inspect.getsource(Connection._dispatch))
    text = (SUITE / "protocol/test_protocol_properties.py").read_text(encoding="utf-8")
    absent = [kind for kind in handled if f'"{kind}"' not in text]
    assert not absent, f"protocol/test_protocol_properties.py does not send {', '.join(absent)}; add it to its frames"


def test_rows_have_unique_ids_and_at_least_one_target() -> None:
    assert len({row.id for row in ROWS}) == len(ROWS)
    assert [row.id for row in ROWS if not row.targets()] == []


def test_the_page_lists_every_fact() -> None:
    text = page()
    assert [fact.id for fact in FACTS if f"| {fact.promise} |" not in text] == []
