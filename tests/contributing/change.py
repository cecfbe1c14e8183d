"""A recipe in a copied tree: the files of the full change, and the change without the files of one row."""

from __future__ import annotations

from tests.contributing.page import GENERATE, Row
from tests.contributing.recipe import Recipe
from tests.contributing.tree import Tree

_NO_TESTS = 5
"""The exit code of pytest when it has collected no test."""


class Change:
    """The full change of a recipe, found once by making it.

    Args:
        tree: the copy; its files are the original ones again afterwards.
        recipe: the change.
        rows: the table of its kind in CONTRIBUTING.md.
    """

    def __init__(self, tree: Tree, recipe: Recipe, rows: tuple[Row, ...]) -> None:
        self.tree = tree
        self.recipe = recipe
        self.rows = rows
        self.before: dict[str, str | None] = {}
        self.after: dict[str, str] = {}
        tree.restore()
        for edit in recipe.edits:
            for name, text in tree.apply(edit).items():
                self._record(name, tree.read(name), text)
                tree.write(name, text)
        self._by_hand = frozenset(self.after)
        for command in (GENERATE, *recipe.updates.values()):
            self._record_command(command)
        tree.restore()

    def _record(self, name: str, old: str | None, text: str) -> None:
        self.before.setdefault(name, old)
        self.after[name] = text

    def _record_command(self, command: str) -> None:
        """Run a command that writes files, and record what it has written."""
        present = self.tree.files()
        code, output = self.tree.run(command)
        for name, content in self.tree.files().items():
            old = present.get(name)
            if content != old:
                self._record(name, None if old is None else old.decode(), content.decode())
                self.tree.note(name, self.before[name])
        # Only now, so that `restore` also knows what a command wrote before it failed.
        assert code == 0, f"{command}\n{output}"

    def row_of(self, name: str) -> Row | None:
        """Return the first row that lists a file."""
        return next((row for row in self.rows if row.matches(name)), None)

    def _files(self, row: Row) -> list[str]:
        return [name for name in self.after if self.row_of(name) is row]

    def require_listed(self) -> None:
        """Require that the table lists exactly the files of the change.

        Raises:
            AssertionError: the table lacks a file, or lists one that the change does not need.
        """
        where = f"CONTRIBUTING.md, {self.recipe.heading}"
        unlisted = sorted(name for name in self.after if self.row_of(name) is None)
        assert not unlisted, f"{where}: the table lacks {', '.join(unlisted)}"
        for row in self.rows:
            for file in row.files:
                needed = any(Row((file,), row.check).matches(name) for name in self._files(row))
                assert needed, f"{where}: the change has no edit of {file}"
            written = [name for name in self._files(row) if name not in self._by_hand]
            if not row.is_generated and row.check not in self.recipe.updates:
                assert not written, f"{where}: a command writes {', '.join(written)}; the row must name its check"

    def require_complete(self) -> None:
        """Require that the full change passes every check of the table.

        Raises:
            AssertionError: a check fails; the message has its output.
        """
        self._write()
        checks = {self.recipe.command(row): row for row in self.rows if row.check not in self.recipe.updates}
        tests = [command.removeprefix("pytest ") for command in checks if command.startswith("pytest ")]
        others = [command for command in checks if not command.startswith("pytest ")]
        for command in [f"pytest {' '.join(tests)}", *others]:
            code, output = self.tree.run(command)
            assert code == 0, f"{command}\n{output}"

    def require_noticed(self, row: Row) -> None:
        """Require that the check of a row fails and says what is missing when the files of the row are forgotten.

        Raises:
            AssertionError: the check passes, or its message is another one.
        """
        forgotten = self._files(row)
        self._write(without=forgotten)
        command = self.recipe.command(row)
        code, output = self.tree.run(command)
        assert code not in (0, _NO_TESTS), f"without {', '.join(forgotten)}, this passes: {command}\n{output}"
        for text in self._messages(row, forgotten):
            assert text in output, f"without {', '.join(forgotten)}, {command} does not say: {text}\n{output}"

    def _messages(self, row: Row, forgotten: list[str]) -> list[str]:
        if row.is_generated:
            return [f"{name} is out of date: run `{GENERATE}`" for name in forgotten]
        if row.check in self.recipe.updates:
            return ["run: make snapshots"]
        found = [each.says for each in self.recipe.edits if set(self.tree.names(each)) & set(forgotten)]
        assert found, f"the recipe has no edit of {row.files}"
        return found

    def _write(self, without: list[str] | None = None) -> None:
        """Write the full change, but not some of its files."""
        self.tree.restore()
        for name, text in self.after.items():
            self.tree.write(name, self.before[name] if name in (without or []) else text)
