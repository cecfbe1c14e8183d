"""The dry run: every question is put to the local cloud by the same calls as to AWS."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.emulator.credentials import CredentialStore
from local.testing import LocalCloud
from ops.verify import __main__ as command

NOT_ANSWERED_HERE = {
    "chime-meeting-resource",
    "log-of-the-event-api",
    "metric-filters-on-log-lines",
    "sum-without-data",
    "age-of-a-delayed-message",
    "dimensions-of-event-metrics",
}
"""Questions that the local cloud cannot answer; of AppSync Events those of `NOT_ASKED`."""


@pytest.mark.timeout(600)
def test_every_question_is_asked_here_or_has_a_reason(
    local_cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in CredentialStore(local_cloud.state.credentials_file).operator().environment().items():
        monkeypatch.setenv(name, value)
    file, page = tmp_path / "outputs.json", tmp_path / "page.md"
    file.write_text(json.dumps(local_cloud.document), encoding="utf-8")
    status = command.main(["--dry-run", "--outputs-file", str(file), "--json", "--markdown", str(page)])
    answers = {each["id"]: each for each in json.loads(capsys.readouterr().out)["answers"]}
    for each in answers.values():
        print(each["state"], each["id"], each["seen"])
    assert status == 0
