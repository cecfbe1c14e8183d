"""Which tests stay in one process where several share the fast tests."""

from __future__ import annotations

import pytest

from tests.conftest import group_of


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/handlers/calls/test_races.py::test_one[a]", "tests/handlers/calls/test_races.py"),
        ("tests/stacks/test_nag.py::test_one", "tests/stacks"),
        ("tests/stacks/test_app.py::test_one[dev]", "tests/stacks/test_app.py"),
        ("tests/handlers/messages/test_interleavings.py::a[x]", "tests/handlers/messages/test_interleavings.py::a[x]"),
        ("tests/packages/test_standalone.py::test_one[a]", "tests/packages/test_standalone.py::test_one[a]"),
        ("tests/contributing/test_recipes.py::test_one[A route-x.py]", "tests/contributing/test_recipes.py::A route"),
        ("tests/contributing/test_recipes.py::test_two[A route]", "tests/contributing/test_recipes.py::A route"),
    ],
)
def test_tests_that_share_a_set_up_stay_together(nodeid: str, group: str) -> None:
    assert group_of(nodeid) == group
