"""A repository on GitHub as `gh api` shows it: a program on the PATH that answers from a file and records requests."""

from __future__ import annotations

import io
import json
import os
import stat
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPOSITORY = "example-edu/chat"
RUN = 77
HEAD = "a" * 40
_PROGRAM = """#!{python}
import json, pathlib, sys
root = pathlib.Path({root!r})
arguments = sys.argv[1:]
assert arguments[0] == "api", arguments
body = json.loads(sys.stdin.read()) if "--input" in arguments else None
with (root / "requests.jsonl").open("a") as file:
    file.write(json.dumps({{"arguments": arguments[1:], "body": body}}) + "\\n")
path = arguments[1].partition("?")[0]
answer = root / "answers" / path
if body is None and not answer.is_file():
    sys.exit("gh: Not Found (HTTP 404)")
if body is None:
    sys.stdout.buffer.write(answer.read_bytes())
else:
    print(json.dumps({{"id": 1}}))
"""


@dataclass
class GitHub:
    """The repository; each attribute is what GitHub answers.

    Attributes:
        directory: where the program and its answers are.
        pulls: the open pull requests with the head of the run.
        artifacts: the artifacts of the run.
        archive: the content of the artifact.
        comments: the pages of comments of pull request 5.
    """

    directory: Path
    pulls: list[dict[str, Any]] = field(default_factory=lambda: [pull(5)])
    artifacts: list[dict[str, Any]] = field(default_factory=lambda: [artifact()])
    archive: bytes = b""
    comments: list[list[dict[str, Any]]] = field(default_factory=lambda: [[]])

    def environment(self, event: dict[str, Any]) -> dict[str, str]:
        """Write the program with its answers, and return the environment of a workflow step."""
        program = self.directory / "bin" / "gh"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(_PROGRAM.format(python=sys.executable, root=str(self.directory)), encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self._answer("pulls", json.dumps(self.pulls).encode())
        self._answer(f"actions/runs/{RUN}/artifacts", json.dumps({"artifacts": self.artifacts}).encode())
        self._answer("actions/artifacts/9/zip", self.archive)
        self._answer("issues/5/comments", json.dumps(self.comments).encode())
        (self.directory / "event.json").write_text(json.dumps(event), encoding="utf-8")
        return {
            "PATH": os.pathsep.join([str(program.parent), os.environ["PATH"]]),
            "GITHUB_EVENT_PATH": str(self.directory / "event.json"),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_SERVER_URL": "https://github.com",
            "GH_TOKEN": "made-up",
        }

    def _answer(self, path: str, content: bytes) -> None:
        file = self.directory / "answers" / "repos" / REPOSITORY / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Return the requests so far: arguments and body."""
        file = self.directory / "requests.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
        return [json.loads(line) for line in lines]

    @property
    def written(self) -> list[dict[str, Any]]:
        """Return the requests that write."""
        return [each for each in self.requests if each["body"] is not None]


def pull(number: int, **changes: Any) -> dict[str, Any]:
    """Return a pull request of a fork; `sha`, `head_id` and `base` change it."""
    return {
        "number": number,
        "head": {"sha": changes.get("sha", HEAD), "repo": {"id": changes.get("head_id", 2)}},
        "base": {"repo": {"full_name": changes.get("base", REPOSITORY)}},
    }


def artifact(**changes: Any) -> dict[str, Any]:
    """Return the artifact with the report."""
    return {"id": 9, "name": "change-report", "expired": False, "size_in_bytes": 1_000, **changes}


def event(**changes: Any) -> dict[str, Any]:
    """Return the event of a finished run of a fork, which names no pull request."""
    run = {
        "id": RUN,
        "event": "pull_request",
        "head_sha": HEAD,
        "head_branch": "feature",
        "head_repository": {"id": 2, "owner": {"login": "other-owner"}},
        "pull_requests": [],
    }
    return {"workflow_run": {**run, **changes}}


def archive(**files: str | bytes) -> bytes:
    """Return an archive of files; `comment_md` becomes comment.md."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files.items():
            opened.writestr(name.replace("_", "."), content)
    return buffer.getvalue()
