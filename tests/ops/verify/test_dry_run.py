"""The dry run: every question is put to the local cloud by the same calls as to AWS."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.emulator.credentials import CredentialStore
from local.testing import LocalCloud
from ops.verify import __main__ as command
from ops.verify.catalogue import QUESTIONS
from ops.verify.events_questions import PREFIX as EVENTS
from ops.verify.question import State
from ops.verify.temporary import PREFIX

ASKED = (
    *(question.id for question in QUESTIONS if not question.id.startswith(EVENTS)),
    "events-second-init",  # a row and a probe
    "events-identifier",  # a probe on an Event API of its own
    "events-idle-before-init",  # a row that waits
    "events-lifetime-close",  # never asked
)
"""Every question but those about AppSync Events, of which one of each kind: the end-to-end suite has all of them."""
NOT_ANSWERED_HERE = {
    "chime-meeting-resource",
    "events-idle-before-init",
    "events-lifetime-close",
    *(question.id for question in QUESTIONS if question.not_local),
}
"""Questions that the local cloud cannot answer."""
STRICTER_HERE = {"failed-creation-of-a-table"}
"""Strict mode takes the less favourable answer: a protected table is not deleted, and the rollback fails."""


@pytest.mark.timeout(900)
def test_questions_are_answered_as_assumed_or_have_a_reason(
    local_cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in CredentialStore(local_cloud.state.credentials_file).operator().environment().items():
        monkeypatch.setenv(name, value)
    file, page = tmp_path / "outputs.json", tmp_path / "page.md"
    file.write_text(json.dumps(local_cloud.document), encoding="utf-8")
    chosen = ["--only", *ASKED, "--outputs-file", str(file), "--json", "--markdown", str(page)]
    status = command.main(["--dry-run", *chosen])
    answers = {each["id"]: each for each in json.loads(capsys.readouterr().out)["answers"]}
    assert set(answers) == set(ASKED)
    assert {id for id, each in answers.items() if each["state"] == State.DIFFERS} == STRICTER_HERE
    not_asked = {id: each["seen"] for id, each in answers.items() if each["state"] == State.NOT_ASKED}
    assert set(not_asked) == NOT_ANSWERED_HERE, not_asked
    assert all(not_asked.values())
    assert status == command.STATUS_DIFFERS
    assert f"{len(ASKED)} questions" in page.read_text(encoding="utf-8")
    assert _left_over(local_cloud) == []


def _left_over(cloud: LocalCloud) -> list[str]:
    stacks = cloud.aws("cloudformation").describe_stacks()["Stacks"]
    tables = cloud.aws("dynamodb").list_tables()["TableNames"]
    roles = cloud.aws("iam").list_roles()["Roles"]
    names = [*(each["StackName"] for each in stacks), *tables, *(each["RoleName"] for each in roles)]
    return [name for name in names if name.startswith(PREFIX)]
