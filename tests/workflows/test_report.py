"""The step that makes the report: the comment of all environments, and the step's command on a small change."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ops.change_report.finding import Finding, Severity
from ops.change_report.render.as_markdown import as_comment
from ops.change_report.report import Report
from ops.pull_requests import report
from ops.pull_requests.comment import COMMENT_FILE, COMMENT_LIMIT, MARKER, body_of
from stacks.packaging import ROOT
from tests.workflows.workflow import workflow

INSTALLED = (".venv/.ready", "node_modules/.ready", ".build/.wheels-ready")


def _compare(texts: dict[str, tuple[int, str | None]], seen: list[list[str]]) -> report.Compare:
    """Return a comparison that writes a text for each environment and returns a status."""

    def compare(arguments: list[str]) -> int:
        seen.append(arguments)
        status, text = texts[arguments[1]]
        if text is not None:
            Path(arguments[arguments.index("--comment") + 1]).write_text(text, encoding="utf-8")
        return status

    return compare


def test_comment_has_the_report_of_every_environment_in_order(tmp_path: Path) -> None:
    seen: list[list[str]] = []
    texts: dict[str, tuple[int, str | None]] = {
        "dev": (0, f"{MARKER}\n## Change report: dev\n"),
        "prod": (1, f"{MARKER}\n## Change report: prod\n"),
    }
    assert report.make("main", tmp_path / "new" / "reports", ["dev", "prod"], _compare(texts, seen)) == 1
    text = (tmp_path / "new" / "reports" / COMMENT_FILE).read_text(encoding="utf-8")
    assert text == "## Change report: dev\n\n## Change report: prod\n"
    assert [arguments[:4] for arguments in seen] == [["--env", each, "--base", "main"] for each in ("dev", "prod")]
    assert all(int(arguments[-1]) <= COMMENT_LIMIT // 2 for arguments in seen)


def test_failed_comparison_is_named_and_outweighs_a_refusal(tmp_path: Path) -> None:
    texts: dict[str, tuple[int, str | None]] = {"dev": (2, None), "prod": (1, "## Change report: prod")}
    assert report.make("main", tmp_path, ["dev", "prod"], _compare(texts, [])) == 2
    text = (tmp_path / COMMENT_FILE).read_text(encoding="utf-8")
    assert "## Change report: dev\n\n⚠️ The comparison failed" in text
    assert "## Change report: prod" in text


def test_comment_of_three_large_reports_fits(tmp_path: Path) -> None:
    finding = Finding(Severity.EXPOSED, "exposure.route", "Stack", "Resource", "text " * 40, "why", "do", ("P",))
    large = Report("prod", "a", "b", (finding,) * 2_000)
    limits: list[int] = []

    def compare(arguments: list[str]) -> int:
        limits.append(int(arguments[-1]))
        text = as_comment(large, limit=limits[-1])
        assert len(text) <= limits[-1]
        Path(arguments[arguments.index("--comment") + 1]).write_text(text, encoding="utf-8")
        return 0

    assert report.make("main", tmp_path, ["dev", "staging", "prod"], compare) == 0
    text = (tmp_path / COMMENT_FILE).read_text(encoding="utf-8")
    assert "The rest is in the artifact" not in body_of(text, "https://github.com/example-edu/chat/actions/runs/1")


def test_unknown_environment_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        report.main(["--base", "main", "--directory", "x", "--env", "production"])
    assert caught.value.code == 2
    assert "'dev', 'prod', 'staging'" in capsys.readouterr().err


def _git(root: Path, *arguments: str) -> None:
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.edu", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(root), *author, *arguments], check=True, timeout=60, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """This repository with the environment dev only, and a commit that changes its fan-out limit."""
    root = tmp_path / "checkout"
    ignored = shutil.ignore_patterns(".git", ".venv", "node_modules", ".build", ".local", "cdk.out*", "__pycache__")
    shutil.copytree(ROOT, root, ignore=ignored)
    for name in (".venv", "node_modules"):
        (root / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / ".build", root / ".build", ignore=shutil.ignore_patterns("revisions", "change-report"))
    for name in ("staging", "prod"):
        (root / "environments" / f"{name}.toml").unlink()
    (root / ".gitignore").write_text((root / ".gitignore").read_text() + "/.venv\n/node_modules\n", encoding="utf-8")
    _git(root, "init", "--quiet", "--initial-branch", "main")
    _git(root, "add", ".")
    _git(root, "commit", "--quiet", "--message", "base")
    file = root / "environments" / "dev.toml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("fanout_limit = 50", "fanout_limit = 60"), encoding="utf-8"
    )
    _git(root, "commit", "--quiet", "--all", "--message", "change")
    _look_old(root)
    return root


def _look_old(root: Path) -> None:
    """Make everything that is installed newer than its sources, so that make installs nothing."""
    ready = min((ROOT / name).stat().st_mtime for name in INSTALLED)
    for path in root.rglob("*"):
        if not path.is_symlink() and path.is_file() and root / ".build" not in path.parents:
            os.utime(path, (ready - 10, ready - 10))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_command_of_the_step_reports_a_change_and_the_artifact_is_what_is_published(checkout: Path) -> None:
    """The workflow's own commands, up to the body of the comment."""
    given = workflow("pull-request.yml")
    script = given.step("Report what the change does to every environment")["run"]
    finished = subprocess.run(
        ["bash", "-e", "-c", script], cwd=checkout, capture_output=True, text=True, timeout=580, env={**os.environ}
    )
    assert finished.returncode == 0, finished.stderr
    upload = given.step("Keep the report")["with"]
    files = {path.name for path in checkout.glob(upload["path"])}
    assert files == {COMMENT_FILE, "dev.md"}
    comment = (checkout / ".build" / "change-report" / COMMENT_FILE).read_text(encoding="utf-8")
    assert comment.startswith("## Change report: dev\n")
    assert "FANOUT_LIMIT" in comment
    assert "50" in comment
    assert body_of(comment, "https://github.com/example-edu/chat/actions/runs/1").startswith(MARKER)
