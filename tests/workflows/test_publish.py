"""The step that writes the comment, as the workflow runs it, against a recording `gh`; and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ops.pull_requests.comment import COMMENT_LIMIT, MARKER, body_of, harmless
from ops.pull_requests.publish import ARTIFACT_BYTES_MAX, AUTHOR, COMMENT_BYTES_MAX
from stacks.packaging import ROOT
from tests.workflows.github import HEAD, REPOSITORY, GitHub, archive, artifact, event, pull
from tests.workflows.workflow import workflow

REPORT = "## Change report: prod\n\n✅ No changes.\n"
OWN_COMMENT = {"id": 31, "user": {"login": AUTHOR}, "body": f"{MARKER}\nold"}


@pytest.fixture
def github(tmp_path: Path) -> GitHub:
    return GitHub(tmp_path, archive=archive(comment_md=REPORT))


def _run(github: GitHub, given: dict[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command of the workflow's step, with an interpreter that has no package installed."""
    script = workflow("publish-report.yml").step("Write the comment")["run"]
    environment = github.environment(given or event())
    bare = github.directory / "bin" / "python3"
    bare.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -S "$@"\n', encoding="utf-8")
    bare.chmod(0o700)
    return subprocess.run(
        ["bash", "-e", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )


def test_first_report_of_a_pull_request_creates_the_comment(github: GitHub) -> None:
    finished = _run(github)
    assert finished.returncode == 0, finished.stderr
    assert "Pull request 5: the comment was created" in finished.stdout
    (request,) = github.written
    assert request["arguments"] == [f"repos/{REPOSITORY}/issues/5/comments", "--method", "POST", "--input", "-"]
    assert request["body"]["body"].startswith(f"{MARKER}\n## Change report: prod\n\n✅ No changes.")
    assert f"https://github.com/{REPOSITORY}/actions/runs/77" in request["body"]["body"]
    assert "made-up" not in finished.stdout + finished.stderr


def test_later_report_updates_the_same_comment(github: GitHub) -> None:
    other = {"id": 30, "user": {"login": "other-owner"}, "body": f"{MARKER}\nplanted"}
    ghost = {"id": 29, "user": None, "body": None}
    github.comments = [[ghost, other], [OWN_COMMENT, {**OWN_COMMENT, "id": 32}]]
    assert _run(github).returncode == 0
    (request,) = github.written
    assert request["arguments"][:3] == [f"repos/{REPOSITORY}/issues/comments/31", "--method", "PATCH"]


def test_comment_of_someone_else_with_the_marker_is_not_touched(github: GitHub) -> None:
    github.comments = [[{"id": 30, "user": {"login": "other-owner"}, "body": f"{MARKER}\nplanted"}]]
    assert _run(github).returncode == 0
    (request,) = github.written
    assert request["arguments"][2] == "POST"


def test_pull_request_is_found_by_the_event_and_not_by_the_artifact(github: GitHub) -> None:
    github.archive = archive(comment_md=REPORT, number="1", pull_request_json='{"number": 1}')
    assert _run(github).returncode == 0
    (request,) = github.written
    assert "/issues/5/" in request["arguments"][0]
    asked = github.requests[0]["arguments"]
    assert asked[0] == f"repos/{REPOSITORY}/pulls"
    assert "head=other-owner:feature" in asked


@pytest.mark.parametrize(
    "other",
    [pull(6, sha="b" * 40), pull(6, head_id=3), pull(6, base="other-owner/chat")],
    ids=["commit", "fork", "base"],
)
def test_pull_request_with_another_commit_or_repository_is_left_alone(github: GitHub, other: dict[str, Any]) -> None:
    github.pulls = [other]
    finished = _run(github)
    assert finished.returncode == 0
    assert "No open pull request has this head any more" in finished.stdout
    assert github.written == []


def test_several_pull_requests_of_one_head_are_distinguished_by_the_event(github: GitHub) -> None:
    github.pulls = [pull(5), pull(6)]
    finished = _run(github)
    assert finished.returncode == 1
    assert "Several pull requests have the head other-owner:feature" in finished.stderr
    assert github.written == []
    assert _run(github, event(pull_requests=[{"number": 5}])).returncode == 0
    assert "/issues/5/" in github.written[0]["arguments"][0]


def test_number_in_the_event_must_have_the_head(github: GitHub) -> None:
    github.pulls = [pull(5, sha="b" * 40)]
    assert _run(github, event(pull_requests=[{"number": 5}])).returncode == 0
    assert github.written == []


@pytest.mark.parametrize("artifacts", [[], [artifact(name="other")], [artifact(expired=True)]])
def test_run_without_report_writes_nothing(github: GitHub, artifacts: list[dict[str, Any]]) -> None:
    github.artifacts = artifacts
    finished = _run(github)
    assert finished.returncode == 0
    assert "The run left no report" in finished.stdout
    assert github.written == []


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "two artifacts": ({"artifacts": [artifact(), artifact(id=10)]}, "has 2 artifacts change-report, not one"),
    "a large artifact": ({"artifacts": [artifact(size_in_bytes=ARTIFACT_BYTES_MAX + 1)]}, "allowed: 4000000"),
    "a large archive": ({"archive": b"PK" + bytes(ARTIFACT_BYTES_MAX)}, "allowed: 4000000"),
    "no archive": ({"archive": b"not a zip"}, "not a valid archive"),
    "no comment": ({"archive": archive(other_md=REPORT)}, "has no file comment.md"),
    "a comment elsewhere": ({"archive": archive(**{"../comment_md": REPORT})}, "has no file comment.md"),
    "a comment that unpacks to much": ({"archive": archive(comment_md="x" * (COMMENT_BYTES_MAX + 1))}, "has more than"),
    "no text": ({"archive": archive(comment_md=b"\xff\xfe\x00")}, "is not UTF-8"),
}


@pytest.mark.parametrize(("changes", "expected"), REFUSED.values(), ids=REFUSED)
def test_artifact_of_another_form_is_refused(github: GitHub, changes: dict[str, Any], expected: str) -> None:
    for name, value in changes.items():
        setattr(github, name, value)
    finished = _run(github)
    assert finished.returncode == 1
    assert expected in finished.stderr
    assert "Traceback" not in finished.stderr
    assert github.written == []


def test_error_of_github_fails_the_step(github: GitHub) -> None:
    finished = _run(github, event(id=78))
    assert finished.returncode == 1
    assert "gh api repos/example-edu/chat/actions/runs/78/artifacts" in finished.stderr
    assert "HTTP 404" in finished.stderr


def test_branch_name_is_data_and_no_command(github: GitHub) -> None:
    branch = "x$(touch pwned)`touch pwned`;'\"&|"
    assert _run(github, event(head_branch=branch)).returncode == 0
    assert f"head=other-owner:{branch}" in github.requests[0]["arguments"]
    assert not (ROOT / "pwned").exists()


@pytest.mark.parametrize(
    "active",
    [
        "@example-edu/everyone",
        "![](https://example.org/x.png)",
        "[click](https://example.org)",
        "[click][1]\n\n[1]: https://example.org",
        "https://example.org",
        "www.example.org",
        "<img src=x>",
        "<a href=x>",
        "<!-- hidden -->",
        "</details><b>",
        "#1",
        "&#64;everyone",
        "&commat;everyone",
        MARKER,
        "\u202egnp.exe",
        "\x1b[31m",
        "\x00",
    ],
)
def test_text_of_the_pull_request_mentions_links_and_loads_nothing(active: str) -> None:
    text = harmless(f"before {active} after")
    assert active not in text
    assert text.startswith("before ")
    assert text.endswith(" after")


def test_report_stays_as_it_is_readable() -> None:
    table = "| severity | findings |\n| --- | --- |"
    report = f"\n{table}\n\n- **A \\[x\\] &lt;b&gt;** *do* `a.b`\n\n```\n- x\n+ y\n```\n✅ ❌ …"
    assert harmless(report) == report
    details = "<details><summary>More</summary>\n\nx\n\n</details>"
    assert harmless(details) == details


def test_comment_fits_the_limit_of_github() -> None:
    body = body_of("line @x\n" * 20_000, f"https://github.com/{REPOSITORY}/actions/runs/1")
    assert len(body) <= COMMENT_LIMIT
    assert "The rest is in the artifact" in body
    assert body.endswith("actions/runs/1)\n")


def test_command_without_an_event_says_where_it_runs() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "ops.pull_requests.publish"],
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert finished.returncode == 1
    assert "GITHUB_EVENT_PATH" in finished.stderr
    assert HEAD not in finished.stderr
