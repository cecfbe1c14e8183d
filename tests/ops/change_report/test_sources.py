"""The source files behind a change of the functions' code."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from ops.change_report.comparison import Comparison, Revision
from ops.change_report.finding import Severity
from ops.change_report.report import find
from ops.change_report.sources import changed_files, importing_functions
from tests.ops.change_report.environment import EditedEnvironment

ROOT = Path(__file__).parents[3]
FILES = {
    "handlers/entry/messages.py": "from handlers.core.send import send\n",
    "handlers/entry/calls.py": "from handlers.core import ring\n",
    "handlers/core/__init__.py": "",
    "handlers/core/send.py": "from contract.limits import MAXIMUM\nsend = MAXIMUM\n",
    "handlers/core/ring.py": "",
    "handlers/core/unused.py": "",
    "contract/limits.py": "MAXIMUM = 1\n",
}
ENTRIES = {"messages": "handlers/entry/messages.py", "calls": "handlers/entry/calls.py"}


@pytest.fixture
def checkouts(tmp_path: Path) -> tuple[Path, Path]:
    """Two equal checkouts with two functions."""
    for side in ("before", "after"):
        for name, content in FILES.items():
            file = tmp_path / side / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, "utf-8")
    return tmp_path / "before", tmp_path / "after"


def test_changed_added_and_removed_files_are_found(checkouts: tuple[Path, Path]) -> None:
    before, after = checkouts
    (after / "contract/limits.py").write_text("MAXIMUM = 2\n", "utf-8")
    (after / "handlers/core/new.py").write_text("", "utf-8")
    (after / "handlers/core/unused.py").unlink()
    assert changed_files(before, after) == ["contract/limits.py", "handlers/core/new.py", "handlers/core/unused.py"]
    assert changed_files(None, after) == []


def test_functions_that_import_a_file_directly_or_not_are_named(checkouts: tuple[Path, Path]) -> None:
    files = ["contract/limits.py", "handlers/core/ring.py", "handlers/core/unused.py", "handlers/requirements.lock"]
    assert importing_functions(checkouts[1], files, ENTRIES) == {
        "contract/limits.py": ["messages"],
        "handlers/core/ring.py": ["calls"],
        "handlers/core/unused.py": [],
        "handlers/requirements.lock": ["calls", "messages"],
    }


def _with_code(environment: EditedEnvironment, digit: str) -> dict[str, Any]:
    templates = copy.deepcopy(environment.templates)
    for resource in templates["PantherKolab-Routes-prod"]["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Code"]["S3Key"] = f"{digit * 64}.zip"
    return templates


@pytest.mark.parametrize(
    ("file", "severity"),
    [("handlers/core/send.py", Severity.BEHAVES_DIFFERENTLY), ("handlers/core/unused.py", Severity.NOISE)],
)
def test_changed_code_names_the_files_and_their_functions(
    checkouts: tuple[Path, Path], file: str, severity: Severity
) -> None:
    before, after = checkouts
    (after / file).write_text("changed = True\n", "utf-8")
    prod = EditedEnvironment()
    (found,) = find(Comparison(Revision(_with_code(prod, "1"), before), Revision(_with_code(prod, "2"), after)))
    assert (found.rule, found.severity) == ("behaviour.code", severity)
    assert found.details[0].startswith(f"{file}: ")
    assert ("PantherKolab-messages-prod" in found.details[0]) == (severity is Severity.BEHAVES_DIFFERENTLY)


def test_finding_says_where_the_resource_is_defined() -> None:
    before, after = EditedEnvironment(), EditedEnvironment()
    after.properties("Routes", "HttpSendMessage")["AuthorizationType"] = "NONE"
    after.properties("Data", "Messages")["DeletionProtectionEnabled"] = False
    found = find(Comparison(Revision(before.templates, ROOT), Revision(after.templates, ROOT)))
    sources = {each.rule: each.source for each in found}
    assert sources["data.deletion-protection"].startswith("contract/tables.py:")
    assert sources["exposed.public-route"].startswith("contract/routes.py:")
