"""The command loads a local cloud, and refuses what it may not do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.emulator.credentials import CredentialStore
from local.testing import LocalCloud
from ops.load.__main__ import main


def test_every_message_of_a_load_is_received_and_everyone_reconnects_after_a_storm(
    local_cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in CredentialStore(local_cloud.state.credentials_file).operator().environment().items():
        monkeypatch.setenv(name, value)
    outputs, results, drawing = tmp_path / "outputs.json", tmp_path / "load.json", tmp_path / "load.svg"
    outputs.write_text(json.dumps(local_cloud.document), encoding="utf-8")
    files = ["--outputs", str(outputs), "--json", str(results), "--plot", str(drawing)]
    assert main(["--env", "local", "--users", "6", "--group", "3", "--seconds", "3", "--storm", *files]) == 0
    (run,) = json.loads(results.read_text("utf-8"))["runs"]
    assert run["accepted"] == sum(each["offered"] for each in run["seconds"]) > 0
    assert (run["errors"], run["lost"]) == ({}, 0)
    assert run["latencies"]["received"]["count"] == 2 * run["accepted"]
    assert run["reconnectStorm"]["count"] == 6
    assert "6 connections cut" in capsys.readouterr().out
    assert drawing.read_text("utf-8").startswith("<svg")
    users = local_cloud.aws("cognito-idp").list_users(UserPoolId=local_cloud.document["userPoolId"])["Users"]
    assert [user for user in users if "load-" in str(user)] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--users", "3"], "cannot be divided"),
        (["--env", "nowhere"], "nowhere"),
        (["--rate", "100"], "--rate"),
    ],
)
def test_load_that_cannot_be_made_ends_with_a_reason(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--env", "local", *arguments]) == 2
    assert message in capsys.readouterr().err
