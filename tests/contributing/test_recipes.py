"""Each kind of change, made in a copy of the repository, with one listed file forgotten at a time.

CONTRIBUTING.md lists the files of each kind with the check that notices a forgotten one. These tests read the list from
the page: the full change passes every check, and without the files of one row its check fails and says what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from tests.contributing.change import Change
from tests.contributing.edits import append, edit, replace
from tests.contributing.page import Row, kinds
from tests.contributing.recipe import Recipe
from tests.contributing.recipes import RECIPES
from tests.contributing.tree import Tree

pytestmark = pytest.mark.timeout(300)

ALL = [pytest.param(recipe, id=recipe.heading) for recipe in RECIPES]
ROWS = [
    pytest.param(recipe, row, id=f"{recipe.heading}-{row.id}") for recipe in RECIPES for row in kinds()[recipe.heading]
]


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    """The copy in which this process makes the changes."""
    with Tree(tmp_path_factory.mktemp("tree")) as copy:
        yield copy


@cache
def _change(tree: Tree, heading: str) -> Change:
    return Change(tree, next(recipe for recipe in RECIPES if recipe.heading == heading), kinds()[heading])


@pytest.fixture
def change(tree: Tree, recipe: Recipe) -> Change:
    """The change of a recipe, found once for all tests of its kind."""
    return _change(tree, recipe.heading)


def test_every_kind_of_change_on_the_page_has_a_recipe() -> None:
    assert [recipe.heading for recipe in RECIPES] == list(kinds())


@pytest.mark.parametrize("recipe", ALL)
def test_full_change_has_exactly_the_listed_files_and_passes_every_check(change: Change) -> None:
    change.require_listed()
    change.require_complete()


@pytest.mark.parametrize(("recipe", "row"), ROWS)
def test_forgotten_file_is_noticed_by_the_check_that_the_page_names(change: Change, row: Row) -> None:
    change.require_noticed(row)


NOTICED = "pytest tests/completeness/test_indexes.py"
UNNOTICED = "pytest tests/contract/test_contract.py"


@pytest.mark.parametrize("recipe", [each for each in ALL if each.id == "An index"])
def test_wrong_tables_are_noticed(tree: Tree, recipe: Recipe) -> None:
    """These tests can fail: a table that lacks a file, lists one too many, or names a check that notices nothing."""
    rows = kinds()[recipe.heading]
    with pytest.raises(AssertionError, match=r"An index: the table lacks contract/tables\.py"):
        Change(tree, recipe, rows[1:]).require_listed()
    with pytest.raises(AssertionError, match=r"An index: the change has no edit of contract/events\.py"):
        Change(tree, recipe, (*rows, Row(("contract/events.py",), NOTICED))).require_listed()
    items = Row(("contract/items.py",), UNNOTICED)
    with pytest.raises(AssertionError, match=r"without contract/items\.py, this passes: pytest tests/contract"):
        Change(tree, recipe, (items, *rows)).require_noticed(items)


def test_what_a_command_wrote_before_it_failed_is_put_back(tree: Tree) -> None:
    """The next recipe in the same copy begins with the original files."""
    tree.restore()
    present = tree.files()
    edits = (
        edit("contract/channels.py", "", replace("and the end of the call", "and its end")),
        edit("tests/snapshots/prod/Data.yaml", "", append("{")),
    )
    with pytest.raises(AssertionError, match=r"asyncapi\.json: written[\s\S]*yaml\.\w+\.\w+Error"):
        Change(tree, Recipe("An index", edits), kinds()["An index"])
    tree.restore()
    assert tree.files() == present
