"""A template with any wrong values gives problems, never an exception."""

import copy
import json
from pathlib import Path
from typing import Any

from appsync_events_local.template import TemplateSettings, read_apis
from appsync_events_local.template.files import Stack
from appsync_events_local.template.short_forms import load_yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from service_harness.example_api import TEMPLATE

FOREIGN = load_yaml(TEMPLATE.read_text())
WRONG = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.text(max_size=5), st.just([]), st.just({}),
    st.just({"Ref": "Ticker"}), st.just({"Ref": 5}), st.just({"Fn::GetAtt": ["Ticker"]}), st.just({"Fn::Sub": "${"}),
    st.just({"Fn::Join": [[], 5]}), st.just({"Fn::If": ["Live", {"Ref": "Nothing"}]}), st.just({"Fn::FindInMap": "x"}),
    st.just({"Fn::Select": [{}, []]}), st.just({"Condition": "Live"}), st.just([["x"], {"y": None}]),
)  # fmt: skip


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in a document."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for key, child in children for place in places(child, (*path, key)))]


PLACES = [place for place in places(FOREIGN) if place]


def replaced(document: Any, place: tuple[Any, ...], value: Any) -> None:
    for key in place[:-1]:
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return
    last = place[-1]
    if isinstance(document, dict) or (isinstance(document, list) and isinstance(last, int) and last < len(document)):
        document[last] = value


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(PLACES), WRONG), min_size=1, max_size=3))
def test_template_with_wrong_values_gives_problems_instead_of_an_exception(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    document = copy.deepcopy(FOREIGN)
    for place, value in changes:
        replaced(document, place, copy.deepcopy(value))
    templates = read_apis([Stack("t", Path("t.yaml"), document)], TemplateSettings("localhost:1"))
    for problem in templates.problems:
        assert problem.remedy
        assert "\n" not in problem.finding()
    for api in templates.apis:
        json.dumps(api.registration.body)
