"""Tables of CONTRIBUTING.md, and edits that do not fit their file."""

from __future__ import annotations

import re

import pytest

from tests.contributing.edits import AnchorError, after, append, before, edit, replace
from tests.contributing.page import GENERATE, PAGE, ROOT, Row, kinds, tables

HEAD = "## A kind\n\n| file | change | check |\n| --- | --- | --- |\n"


def test_table_has_the_files_and_the_check_of_each_row() -> None:
    text = (
        f"{HEAD}| `a.py`, `docs/{{page}}.md` | Both. | `pytest tests/a.py` |\n\nText.\n\n## Another\n\n| a |\n| - |\n"
    )
    assert tables(text) == {"A kind": (Row(("a.py", "docs/{page}.md"), "pytest tests/a.py"),)}


@pytest.mark.parametrize("row", ["| a.py | x | `pytest a` |", "| `a.py` | x | pytest |", "| `a.py` | x | `a` or `b` |"])
def test_row_without_files_or_without_exactly_one_command_is_refused(row: str) -> None:
    with pytest.raises(ValueError, match=r"CONTRIBUTING\.md, A kind: a row must have files and one command"):
        tables(f"{HEAD}{row}\n")


def test_row_with_too_few_cells_is_refused() -> None:
    with pytest.raises(ValueError, match=r"CONTRIBUTING\.md, A kind: a row must have 3 cells"):
        tables(f"{HEAD}| `a.py` | x |\n")


def test_placeholder_stands_for_one_part_of_a_path() -> None:
    row = Row(("handlers/core/{domain}/{use case}.py",), "pytest a")
    assert row.matches("handlers/core/messages/pin.py")
    assert not row.matches("handlers/core/messages/deep/pin.py")
    assert not row.matches("handlers/core/pin.py")


def test_generated_files_are_in_rows_that_name_the_check_of_the_generator() -> None:
    for heading, rows in kinds().items():
        for row in rows:
            assert row.is_generated == (row.check == f"{GENERATE} --check"), heading


def test_edits_change_the_text_in_their_order() -> None:
    each = edit("a", "", after("one", " two"), before("one", "zero "), replace("two", "2"), append("!"))
    assert each.change("one") == "zero one 2!"


@pytest.mark.parametrize("text", ["", "one one"])
def test_anchor_that_does_not_stand_once_in_the_file_is_an_error(text: str) -> None:
    with pytest.raises(AnchorError, match=f"occurs {text.count('one')} times: 'one'"):
        after("one", "two")(text)


def test_every_path_that_the_page_names_exists() -> None:
    named = re.findall(r"`([\w./-]+/[\w./-]+)`", PAGE.read_text(encoding="utf-8"))
    absent = [path for path in named if not (ROOT / path).exists()]
    assert not absent, f"CONTRIBUTING.md names paths that do not exist: {', '.join(absent)}"
