"""Publishes the change report of a pull request as one comment: `python3 -m ops.pull_requests.publish`.

Runs in a workflow of the event workflow_run, which belongs to the main branch and has a token that may write comments.
The report is the artifact of a run whose code the pull request controls, so that nothing in it is trusted: the pull
request is found by the event, the artifact is read in memory up to a size, and its text is made harmless.

Environment: GITHUB_EVENT_PATH, GITHUB_REPOSITORY, GITHUB_SERVER_URL, and GH_TOKEN for the command `gh`.
Exit status: 0 published, or nothing to publish; 1 the artifact was refused, or GitHub refused a request.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from ops.errors import CommandError
from ops.pull_requests.comment import ARTIFACT, COMMENT_FILE, COMMENT_LIMIT, MARKER, body_of

AUTHOR: Final = "github-actions[bot]"
"""Author of the comments that a workflow's token writes; the marker in a comment of anyone else counts for nothing."""
ARTIFACT_BYTES_MAX: Final = 4_000_000
COMMENT_BYTES_MAX: Final = 4 * COMMENT_LIMIT
_SECONDS: Final = 60

Gh = Callable[..., bytes]


def run_gh(*arguments: str, body: Mapping[str, Any] | None = None) -> bytes:
    """Run `gh api` and return its output.

    Args:
        arguments: the arguments after `gh api`.
        body: the JSON body of the request; None for none.

    Raises:
        CommandError: GitHub refused the request.
    """
    command = ["gh", "api", *arguments, *(("--input", "-") if body is not None else ())]
    given = json.dumps(body).encode() if body is not None else None
    finished = subprocess.run(command, input=given, capture_output=True, timeout=_SECONDS)
    if finished.returncode != 0:
        raise CommandError(f"gh api {arguments[0]} failed: {finished.stderr.decode(errors='replace').strip()[-500:]}")
    return finished.stdout


def pull_request_of(run: Mapping[str, Any], repository: str, gh: Gh) -> int | None:
    """Return the number of the open pull request whose head a run tested; None if there is none any more.

    The event of a run of a fork names no pull request, so that it is looked up by the head of the run, which GitHub
    itself recorded.

    Raises:
        CommandError: several pull requests have this head.
    """
    head = f"{run['head_repository']['owner']['login']}:{run['head_branch']}"
    arguments = ("--method", "GET", "-f", "state=open", "-f", f"head={head}", "-f", "per_page=100")
    found = [
        each["number"]
        for each in json.loads(gh(f"repos/{repository}/pulls", *arguments))
        if each["head"]["sha"] == run["head_sha"]
        and each["head"]["repo"] is not None
        and each["head"]["repo"]["id"] == run["head_repository"]["id"]
        and each["base"]["repo"]["full_name"] == repository
    ]
    known = {each["number"] for each in run.get("pull_requests") or ()} & set(found)
    numbers = sorted(known) or found
    if len(numbers) > 1:
        raise CommandError(f"Several pull requests have the head {head}: {numbers}; no comment is written")
    return int(numbers[0]) if numbers else None


def read_comment(run_id: int, repository: str, gh: Gh) -> str | None:
    """Return the text that a run left for the comment; None if it left no report.

    Raises:
        CommandError: the artifact is not one that the workflow of a pull request writes.
    """
    listed = json.loads(gh(f"repos/{repository}/actions/runs/{run_id}/artifacts?per_page=100"))["artifacts"]
    artifacts = [each for each in listed if each["name"] == ARTIFACT and not each["expired"]]
    if not artifacts:
        return None
    if len(artifacts) > 1:
        raise CommandError(f"Run {run_id} has {len(artifacts)} artifacts {ARTIFACT}, not one")
    (artifact,) = artifacts
    if artifact["size_in_bytes"] > ARTIFACT_BYTES_MAX:
        raise CommandError(f"The artifact has {artifact['size_in_bytes']} bytes; allowed: {ARTIFACT_BYTES_MAX}")
    return _text_of(gh(f"repos/{repository}/actions/artifacts/{int(artifact['id'])}/zip"))


def _text_of(archive: bytes) -> str:
    """Return the comment in an archive, which is read in memory and never unpacked.

    Raises:
        CommandError: the archive, the file or its text is not valid, or too large.
    """
    if len(archive) > ARTIFACT_BYTES_MAX:
        raise CommandError(f"The artifact has {len(archive)} bytes; allowed: {ARTIFACT_BYTES_MAX}")
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened, opened.open(COMMENT_FILE) as file:
            content = file.read(COMMENT_BYTES_MAX + 1)
    except KeyError as error:
        raise CommandError(f"The artifact has no file {COMMENT_FILE}") from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise CommandError(f"The artifact is not a valid archive: {error}") from error
    if len(content) > COMMENT_BYTES_MAX:
        raise CommandError(f"{COMMENT_FILE} has more than {COMMENT_BYTES_MAX} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CommandError(f"{COMMENT_FILE} is not UTF-8: {error}") from error


def write_comment(number: int, body: str, repository: str, gh: Gh) -> str:
    """Write the one comment of a pull request: update it, or create it; return which of the two."""
    listed = json.loads(gh(f"repos/{repository}/issues/{number}/comments?per_page=100", "--paginate", "--slurp"))
    ids = [
        each["id"]
        for page in listed
        for each in page
        if each["user"] is not None and each["user"]["login"] == AUTHOR and (each["body"] or "").startswith(MARKER)
    ]
    if ids:
        gh(f"repos/{repository}/issues/comments/{int(ids[0])}", "--method", "PATCH", body={"body": body})
        return "updated"
    gh(f"repos/{repository}/issues/{number}/comments", "--method", "POST", body={"body": body})
    return "created"


def publish(event: Mapping[str, Any], repository: str, server: str, gh: Gh) -> str:
    """Publish the report of the run that an event is about, and return what was done.

    Raises:
        CommandError: the artifact was refused, or GitHub refused a request.
    """
    run = event["workflow_run"]
    number = pull_request_of(run, repository, gh)
    if number is None:
        return "No open pull request has this head any more; a newer run publishes its own report."
    text = read_comment(int(run["id"]), repository, gh)
    if text is None:
        return "The run left no report; its log says why."
    body = body_of(text, f"{server}/{repository}/actions/runs/{int(run['id'])}")
    return f"Pull request {number}: the comment was {write_comment(number, body, repository, gh)}."


def main(variables: Mapping[str, str] = os.environ, gh: Gh = run_gh) -> int:
    """Publish the report of the event in GITHUB_EVENT_PATH; print the error and return 1 if it failed."""
    try:
        event = json.loads(Path(variables["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        print(publish(event, variables["GITHUB_REPOSITORY"], variables["GITHUB_SERVER_URL"], gh))
    except KeyError as error:
        print(f"{error} is missing: this command runs in a workflow of the event workflow_run", file=sys.stderr)
        return 1
    except CommandError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
