"""Exporting one person: everything of the person, and of others their user ids only."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.harness.call_functions import CallFunctions
from tests.harness.chime import running_chime
from tests.ops.data.campus import Campus


@pytest.fixture
def people(campus: Campus) -> tuple[str, str]:
    """Ada, who is exported, and Grace, after a conversation, a group that Ada has left, and a block."""
    ada, grace = campus.sign_up("Ada", "Lovelace"), campus.sign_up("Grace", "Hopper")
    functions = campus.functions
    direct, group = functions.direct(ada, grace), functions.group(grace, ada)
    functions.send_ok(ada, direct, "mine")
    functions.send_ok(ada, group, "mine too")
    functions.send_ok(grace, direct, "written by Grace")
    functions.call_ok(ada, "leaveGroup", conversationId=group)
    with running_chime() as chime:
        calls = CallFunctions(campus.aws, chime)
        calls.act("reject", grace, calls.ring(ada, grace))
    functions.call_ok(ada, "blockUser", userId=grace)
    functions.call_ok(grace, "blockUser", userId=ada)
    return ada, grace


def read(directory: Path) -> dict[str, Any]:
    """Return the content of each file of an export."""
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in directory.iterdir()}


def test_export_has_everything_of_the_person_and_only_ids_of_others(
    campus: Campus, people: tuple[str, str], tmp_path: Path
) -> None:
    ada, grace = people
    target = tmp_path / "export"
    assert campus.command("export", "--user", "ada.lovelace@example.edu", "--output", str(target)) == 0
    files = read(target)
    assert files["profile.json"][0]["email"] == "ada.lovelace@example.edu"
    assert sorted(each["content"] for each in files["messages.json"]) == ["mine", "mine too"]
    (conversation,) = files["conversations.json"]
    assert set(conversation["participants"]) == {ada, grace}
    assert conversation["membership"]["lastReadSeq"] == 1
    (call,) = files["calls.json"]
    assert call["ownPart"]["name"] == "Ada Lovelace"
    assert [each["blockedUserId"] for each in files["blocks.json"]] == [grace]
    text = "".join(path.read_text(encoding="utf-8") for path in target.iterdir())
    assert "Hopper" not in text
    assert "written by Grace" not in text
    assert oct(target.stat().st_mode)[-3:] == "700"


def test_manifest_has_the_hash_of_each_file(campus: Campus, people: tuple[str, str], tmp_path: Path) -> None:
    target = tmp_path / "export.zip"
    assert campus.command("export", "--user", people[0], "--output", str(target)) == 0
    with zipfile.ZipFile(target) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        names = {each["name"]: each for each in manifest["files"]}
        assert set(archive.namelist()) == {*names, "manifest.json"}
        for name, each in names.items():
            assert hashlib.sha256(archive.read(name)).hexdigest() == each["sha256"]
            assert len(json.loads(archive.read(name))) == each["items"]
    assert manifest["userId"] == people[0]


def test_dry_run_counts_and_an_existing_target_is_refused(
    campus: Campus, people: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert campus.command("export", "--user", people[0], "--json") == 0
    assert json.loads(capsys.readouterr().out)["messages.json"] == 2
    assert campus.command("export", "--user", people[0], "--output", str(tmp_path)) == 2
    assert "exists. Choose another --output" in capsys.readouterr().err
    assert campus.command("export", "--user", "unknown", "--output", str(tmp_path / "new")) == 2
    assert "There is no profile of the user unknown" in capsys.readouterr().err
