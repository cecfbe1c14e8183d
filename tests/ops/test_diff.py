"""ops.diff: two revisions are synthesised without credentials, compared, and refused by a threshold."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ops import cdk, diff
from ops.change_report.finding import Finding, Severity
from ops.change_report.report import Report
from ops.change_report.revisions import default_base
from ops.errors import CommandError

APP = """
import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs

app = cdk.App()
stack = cdk.Stack(app, "Small", stack_name=f"Small-{app.node.get_context('env')}")
sqs.Queue(stack, "Queue", queue_name="QUEUE")
app.synth()
"""
MAKEFILE = """
setup:
	mkdir -p .venv/bin node_modules/.bin
	printf '#!/bin/sh\\nexec {python} "$$@"\\n' > .venv/bin/python
	chmod +x .venv/bin/python
	ln -sf {cli} node_modules/.bin/cdk
	touch .installed
"""


def _git(root: Path, *arguments: str) -> str:
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.edu", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(root), *author, *arguments]
    return subprocess.run(command, check=True, timeout=30, capture_output=True, text=True).stdout


def _commit(root: Path, message: str) -> None:
    _git(root, "add", ".")
    _git(root, "commit", "--quiet", "--message", message)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a small app whose queue was renamed after the last commit."""
    root = tmp_path / "repository"
    root.mkdir()
    _git(root, "init", "--quiet", "--initial-branch", "main")
    (root / ".gitignore").write_text(".build\n.venv\nnode_modules\n.installed\n", encoding="utf-8")
    (root / "cdk.json").write_text('{"app": "python app.py"}', encoding="utf-8")
    (root / "app.py").write_text(APP.replace("QUEUE", "committed"), encoding="utf-8")
    (root / "requirements.lock").write_text("old\n", encoding="utf-8")
    (root / "Makefile").write_text(MAKEFILE.format(python=sys.executable, cli=cdk.cli()), encoding="utf-8")
    _commit(root, "base")
    (root / "app.py").write_text(APP.replace("QUEUE", "working"), encoding="utf-8")
    return root


@pytest.mark.slow
def test_checkout_is_compared_with_a_revision_and_not_changed(repository: Path) -> None:
    """Requirement P6."""
    report = diff.build("test", "HEAD", appendix=True, root=repository)
    (found,) = report.findings
    assert (found.rule, found.stack) == ("behaviour.setting", "Small-test")
    assert found.details == ("QueueName: committed → working",)
    assert "[-] committed" in report.appendix
    assert "[+] working" in report.appendix
    assert report.head.endswith("-dirty")
    assert len(_git(repository, "worktree", "list").splitlines()) == 1
    assert "working" in (repository / "app.py").read_text(encoding="utf-8")


@pytest.mark.slow
def test_base_with_other_locks_is_synthesised_by_its_own_tools_which_are_kept(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A newer library changes the templates, so the base must not be synthesised by it."""
    (repository / "requirements.lock").write_text("new\n", encoding="utf-8")
    for _ in range(2):
        assert diff.build("test", "HEAD", appendix=False, root=repository).findings
    (kept,) = (repository / ".build" / "revisions").iterdir()
    assert (kept / ".installed").is_file()
    assert "its lock files differ" in capsys.readouterr().err


def test_error_quotes_a_failed_installation(repository: Path) -> None:
    (repository / "Makefile").write_text("setup:\n\techo no network >&2; false\n", encoding="utf-8")
    _commit(repository, "broken")
    (repository / "requirements.lock").write_text("new\n", encoding="utf-8")
    with pytest.raises(CommandError, match="no network"):
        diff.build("test", "HEAD", appendix=False, root=repository)


def test_error_names_an_unknown_revision(repository: Path) -> None:
    with pytest.raises(CommandError, match="no-such-revision"):
        diff.build("test", "no-such-revision", appendix=False, root=repository)


@pytest.mark.slow
def test_error_quotes_a_failed_synthesis(repository: Path) -> None:
    (repository / "app.py").write_text("import sys; sys.exit('settings are wrong')", encoding="utf-8")
    with pytest.raises(CommandError, match="settings are wrong"):
        diff.build("test", "HEAD", appendix=False, root=repository)


def test_base_is_the_deployed_revision_else_the_last_tag_else_the_main_branch(repository: Path) -> None:
    commit = _git(repository, "rev-parse", "HEAD").strip()
    assert default_base(repository, lambda: None) == "main"
    _git(repository, "tag", "v1.2.0")
    assert default_base(repository, lambda: None) == "v1.2.0"
    assert default_base(repository, lambda: "unknown-revision") == "v1.2.0"
    assert default_base(repository, lambda: f"v1.2.0-0-g{commit[:12]}-dirty") == f"v1.2.0-0-g{commit[:12]}"


def test_error_asks_for_a_base_where_there_is_none(tmp_path: Path) -> None:
    _git(tmp_path, "init", "--quiet", "--initial-branch", "other")
    with pytest.raises(CommandError, match="--base REVISION"):
        default_base(tmp_path, lambda: None)


def _finding(severity: Severity) -> Finding:
    return Finding("data.index", severity, "An index is removed", "Queries fail.", "Keep it.", "Small-test")


@pytest.mark.parametrize(
    ("environment", "severity", "options", "status"),
    [
        ("prod", Severity.DATA_AT_RISK, [], 1),
        ("prod", Severity.EXPOSED, [], 0),
        ("dev", Severity.DATA_AT_RISK, [], 0),
        ("dev", Severity.REFUSED, [], 1),
        ("dev", Severity.NOISE, ["--fail-on", "noise"], 1),
        ("prod", Severity.REFUSED, ["--fail-on", "none"], 0),
        ("prod", Severity.DATA_AT_RISK, ["--accept", "data.index=nothing queries it"], 0),
        ("prod", Severity.DATA_AT_RISK, ["--accept", "data.index"], 2),
    ],
)
def test_exit_status_is_set_by_the_threshold_of_the_environment_and_the_accepted_findings(
    monkeypatch: pytest.MonkeyPatch, environment: str, severity: Severity, options: list[str], status: int
) -> None:
    monkeypatch.setattr(diff, "build", lambda name, base, appendix: Report(name, base, "head", (_finding(severity),)))
    assert diff.main(["--env", environment, "--base", "HEAD", *options]) == status


def test_every_form_is_written_to_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = Report("prod", "HEAD", "head", (_finding(Severity.REFUSED),))
    monkeypatch.setattr(diff, "build", lambda *arguments, **options: report)
    forms = ("text", "markdown", "html", "json", "comment")
    files = [option for form in forms for option in (f"--{form}", str(tmp_path / form))]
    assert diff.main(["--env", "prod", "--base", "HEAD", *files]) == 1
    assert "An index is removed" in capsys.readouterr().out
    for form in forms:
        assert "An index is removed" in (tmp_path / form).read_text(encoding="utf-8")
    assert json.loads((tmp_path / "json").read_text(encoding="utf-8"))["threshold"] == "data-at-risk"


def test_unknown_environment_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert diff.main(["--env", "production", "--base", "HEAD"]) == 2
    assert "production" in capsys.readouterr().err


@pytest.mark.parametrize("limit", ["0", "999", "65001", "many", "-1"])
def test_limit_of_the_comment_is_one_that_github_accepts(limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        diff.main(["--env", "dev", f"--comment-limit={limit}"])
    assert caught.value.code == 2
    assert "must be a number from 1000 to 65000" in capsys.readouterr().err
