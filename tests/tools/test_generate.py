"""The command that writes every generated file, and its `--check`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.generate import conformance
from tools.generate.__main__ import COMMAND, ROOT, main, outdated, write
from tools.generate.registry import DOCUMENTS

_SMALL = {"docs/one.md": lambda: "one\n", "docs/two.md": lambda: "two\n", "three.json": lambda: "{}\n"}


def test_generated_files_of_the_repository_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{name}: up to date" for name in DOCUMENTS]


def test_every_file_with_a_generated_notice_is_written_by_the_command() -> None:
    generated = {str(path.relative_to(ROOT)) for path in (ROOT / "contract/generated").iterdir()}
    handlers = {f"appsync_js/{path.name}" for path in (ROOT / "appsync_js").glob("*.js")}
    pages = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "docs").rglob("*.md")
        if "`python -m tools.generate`" in path.read_text("utf-8")
    }
    assert generated | handlers | pages <= set(DOCUMENTS)


def test_check_names_each_outdated_file_with_the_command_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, _SMALL)
    (tmp_path / "docs/one.md").write_text("changed by hand\n")
    (tmp_path / "three.json").unlink()
    capsys.readouterr()
    assert outdated(tmp_path, _SMALL) == ["docs/one.md", "three.json"]
    printed = capsys.readouterr()
    assert printed.out.splitlines() == ["docs/two.md: up to date"]
    assert printed.err.splitlines() == [
        f"docs/one.md is out of date: run `{COMMAND}`",
        f"three.json is missing: run `{COMMAND}`",
    ]
    assert (tmp_path / "docs/one.md").read_text() == "changed by hand\n"
    assert not (tmp_path / "three.json").exists()


def test_write_replaces_only_outdated_files_and_reports_each_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, _SMALL)
    (tmp_path / "docs/one.md").write_text("changed by hand\n")
    untouched = (tmp_path / "docs/two.md").stat().st_mtime_ns
    capsys.readouterr()
    write(tmp_path, _SMALL)
    printed = capsys.readouterr().out.splitlines()
    assert printed == ["docs/one.md: written", "docs/two.md: unchanged", "three.json: unchanged"]
    assert (tmp_path / "docs/one.md").read_text() == "one\n"
    assert (tmp_path / "docs/two.md").stat().st_mtime_ns == untouched


def test_check_fails_until_the_command_has_written_every_file_and_writing_is_repeatable(tmp_path: Path) -> None:
    arguments = ["--root", str(tmp_path)]
    assert main([*arguments, "--check"]) == 1
    assert main(arguments) == 0
    assert main([*arguments, "--check"]) == 0
    first = {name: (tmp_path / name).read_bytes() for name in DOCUMENTS}
    (tmp_path / "contract/generated/types.ts").write_text("")
    assert main(arguments) == 0
    assert {name: (tmp_path / name).read_bytes() for name in DOCUMENTS} == first


def test_failure_of_the_conformance_suite_is_reported_with_its_error_output(tmp_path: Path) -> None:
    (tmp_path / "conformance_suite").mkdir()
    (tmp_path / "conformance_suite/page.py").write_text("raise ValueError('row 7 has no promise')\n")
    with pytest.raises(conformance.ConformancePageError, match=r"exit code 1:\n(?s:.*)row 7 has no promise"):
        conformance.page(tmp_path)
