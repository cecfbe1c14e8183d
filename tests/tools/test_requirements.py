"""The page of requirements: every number has a meaning, and a test that shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.generate import requirements

LISTED = {number: text for numbers in requirements.sections().values() for number, text in numbers.items()}


def test_every_mentioned_number_is_listed() -> None:
    mentioned = requirements.mentioned(requirements.ROOT)
    unknown = {number: files for number, files in mentioned.items() if number not in LISTED}
    assert unknown == {}, "add these numbers to tools/generate/requirements.toml, or write what is meant"


@pytest.fixture(scope="module")
def shown() -> dict[str, list[requirements.Mention]]:
    return requirements.shown(requirements.ROOT)


@pytest.mark.parametrize("number", LISTED)
def test_every_listed_number_is_named_by_a_test(number: str, shown: dict[str, list[requirements.Mention]]) -> None:
    assert shown.get(number), f"no test names {number} in its docstring: {LISTED[number]}"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("P1, (T6b) `H31`. G:1014-1108; T1\u2013T10; S2: ends", ["P1", "T6b", "H31", "G:1014", "T1", "T10", "S2"]),
        ("MP3 XP1 P1x P11 P1_ x-P1 P1-mode /P1 P1/x #P1 :P1 P1:x P1=2 $P1 @P1 T1.example P99 H265x", []),
    ],
)
def test_numbers_within_words_paths_and_addresses_are_ignored(text: str, numbers: list[str]) -> None:
    assert requirements.NUMBER.findall(text) == numbers


def test_transitions_by_the_system_count_only_in_files_about_calls(tmp_path: Path) -> None:
    (tmp_path / "calls.py").write_text("# S3")
    (tmp_path / "assets.py").write_text("# stored in S3")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "calls.py").write_text("# T1")
    assert requirements.mentioned(tmp_path) == {"S3": ["calls.py"]}


def test_a_test_shows_the_numbers_of_its_docstring_and_comments_and_of_its_module_docstring(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    lines = (
        '"""P1."""',
        "def test_a() -> None:",
        '    """T2."""',
        "    assert 1  # H3",
        "def helper() -> None:",
        '    """T9."""',
    )
    (tmp_path / "tests" / "test_one.py").write_text("\n".join(lines))
    assert requirements.shown(tmp_path) == {
        "P1": [("tests/test_one.py", "")],
        "T2": [("tests/test_one.py", "test_a")],
        "H3": [("tests/test_one.py", "test_a")],
    }
