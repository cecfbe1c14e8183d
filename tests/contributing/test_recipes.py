"""Each kind of change, made in a copy of the repository, with one listed file forgotten at a time.

CONTRIBUTING.md lists the files of each kind with the check that notices a forgotten one. These tests read the list from
the page: the full change passes every check, and without the files of one row its check fails and says what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from tests.contributing.page import GENERATE_CHECK, Row, kinds
from tests.contributing.recipe import Recipe
from tests.contributing.recipes import RECIPES
from tests.contributing.tree import Tree

State = dict[str, str | None]


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    """The copy in which this process tries the changes."""
    with Tree(tmp_path_factory.mktemp("tree")) as copy:
        yield copy


def _group(recipe: Recipe) -> list[pytest.MarkDecorator]:
    return [pytest.mark.xdist_group(f"contributing: {recipe.heading}"), pytest.mark.timeout(300)]


ALL = [pytest.param(recipe, id=recipe.heading, marks=_group(recipe)) for recipe in RECIPES]
ROWS = [
    pytest.param(recipe, row, id=f"{recipe.heading}-{row.id}", marks=_group(recipe))
    for recipe in RECIPES
    for row in kinds()[recipe.heading]
]


class Change:
    """A recipe in a copy: the files of the full change, before and after it."""

    def __init__(self, tree: Tree, recipe: Recipe) -> None:
        self.tree = tree
        self.recipe = recipe
        self.rows = kinds()[recipe.heading]
        tree.restore()
        self.before: State = {}
        self.after: State = {}
        for edit in recipe.edits:
            self._record({name: (tree.read(name), text) for name, text in tree.apply(edit).items()})
        self.by_hand = frozenset(self.after)
        for command in [f"{GENERATE_CHECK.removesuffix(' --check')}", *recipe.updates.values()]:
            self._record_command(command)

    def _record(self, changes: dict[str, tuple[str | None, str]]) -> None:
        for name, (old, text) in changes.items():
            if old != text:
                self.before.setdefault(name, old)
                self.after[name] = text
                self.tree.write(name, text)

    def _record_command(self, command: str) -> None:
        """Run a command that writes files, and record what it wrote."""
        present = self.tree.files()
        code, output = self.tree.run(command)
        assert code == 0, f"{command}\n{output}"
        written = {name: content for name, content in self.tree.files().items() if present.get(name) != content}
        for name, content in written.items():
            old = present.get(name)
            self.before.setdefault(name, None if old is None else old.decode())
            self.after[name] = content.decode()
            self.tree.note(name, self.before[name])

    def set_up(self, without: Row | None = None) -> list[str]:
        """Write the full change, but not the files of a row; return the forgotten files."""
        forgotten = [name for name in self.after if without and self.row_of(name) is without]
        for name, text in self.after.items():
            self.tree.write(name, self.before[name] if name in forgotten else text)
        return forgotten

    def row_of(self, name: str) -> Row | None:
        """Return the first row that lists a file."""
        return next((row for row in self.rows if row.matches(name)), None)


@cache
def _change(tree: Tree, heading: str) -> Change:
    return Change(tree, next(recipe for recipe in RECIPES if recipe.heading == heading))


@pytest.fixture
def change(tree: Tree, recipe: Recipe) -> Change:
    """The full change of a recipe, not written yet."""
    made = _change(tree, recipe.heading)
    tree.restore()
    return made


def test_every_kind_of_the_page_has_a_recipe() -> None:
    assert [recipe.heading for recipe in RECIPES] == list(kinds())


@pytest.mark.parametrize("recipe", ALL)
def test_full_change_touches_exactly_the_listed_files_and_passes_every_check(change: Change, recipe: Recipe) -> None:
    unlisted = sorted(name for name in change.after if change.row_of(name) is None)
    assert not unlisted, f"CONTRIBUTING.md, {recipe.heading}: the table lacks {', '.join(unlisted)}"
    unused = [row.files for row in change.rows if not any(change.row_of(name) is row for name in change.after)]
    assert not unused, f"CONTRIBUTING.md, {recipe.heading}: the change needs no edit of {unused}"
    for row in change.rows:
        files = [name for name in change.after if change.row_of(name) is row]
        for file in row.files:
            assert any(Row((file,), row.check).matches(name) for name in files), f"the change needs no edit of {file}"
        generated = {name for name in files if name not in change.by_hand}
        assert generated == (set(files) if row.is_generated or row.check in recipe.updates else set())
    change.set_up()
    commands = list(dict.fromkeys(recipe.command(row) for row in change.rows if row.check not in recipe.updates))
    tests = [command.removeprefix("pytest ") for command in commands if command.startswith("pytest ")]
    for command in [f"pytest {' '.join(tests)}", *(each for each in commands if not each.startswith("pytest "))]:
        code, output = change.tree.run(command)
        assert code == 0, f"{command}\n{output}"


@pytest.mark.parametrize(("recipe", "row"), ROWS)
def test_forgotten_file_is_noticed_by_the_check_that_the_page_names(change: Change, recipe: Recipe, row: Row) -> None:
    forgotten = change.set_up(without=row)
    code, output = change.tree.run(recipe.command(row))
    assert code not in (0, 5), f"without {forgotten}, this passes: {recipe.command(row)}\n{output}"
    expected = [edit.says for edit in recipe.edits for name in forgotten if name in change.tree.names(edit)]
    if row.is_generated:
        expected = [f"{name} is out of date: run `python -m tools.generate`" for name in forgotten]
    elif row.check in recipe.updates:
        expected = ["make snapshots"]
    assert expected
    for text in expected:
        assert text in output, f"without {forgotten}, {recipe.command(row)} does not say {text!r}:\n{output}"
