"""The command line of the doctor: selection, output, exit status, and order of checks."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops.deployed.target import Target
from ops.doctor import __main__ as command
from ops.doctor.check import Check, Outcome
from ops.doctor.examination import Examination
from ops.doctor.finding import Finding, NotTriedError
from ops.doctor.running import exit_status, run
from ops.errors import CommandError
from stacks.config.load import load
from tests.ops.doctor.recorded import KEYS, REGION


def check(id: str, *findings: Finding, needs: tuple[str, ...] = (), error: Exception | None = None) -> Check:
    def make(examination: Examination) -> tuple[Finding, ...]:
        if error:
            raise error
        return findings

    texts = {"title": id, "looks_at": "x", "cause": "A cause.", "remedy": "Do it in {env}."}
    return Check(id=id, run=make, needs=needs, **texts)


@pytest.fixture
def examination() -> Examination:
    return Examination(Target(load("dev"), REGION, lambda service, region: None, KEYS))


def test_outcomes(examination: Examination) -> None:
    checks = [
        check("D101"),
        check("D102", Finding("a", warning=True)),
        check("D103", Finding("a", warning=True), Finding("b")),
        check("D104", error=NotTriedError("there is none")),
        check("D105", error=ValueError("an unexpected answer")),
        check("D106", needs=("D103",)),
        check("D107", needs=("D102",)),
        check("D108", needs=("D106",)),
    ]
    results = run(checks, examination)
    expected = [
        *(Outcome.OK, Outcome.WARNING, Outcome.FAILED, Outcome.NOT_TRIED, Outcome.NOT_TRIED),
        *(Outcome.NOT_TRIED, Outcome.OK, Outcome.NOT_TRIED),
    ]
    assert [result.outcome for result in results] == expected
    assert results[3].reason == "there is none"
    assert "an unexpected answer" in results[4].reason
    assert (results[5].reason, results[7].reason) == ("D103 did not pass", "D106 did not pass")


def test_exit_status_counts_failures_only(examination: Examination) -> None:
    assert exit_status(run([check("D101", Finding("a", warning=True))], examination)) == 0
    assert exit_status(run([check("D101", Finding("a"))], examination)) == 1


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, examination: Examination) -> list[Check]:
    """The checks that the command makes, instead of those of the catalogue."""
    checks = [
        check("D501", Finding("the queue q does not exist")),
        check("D502"),
        check("D601", error=NotTriedError("x")),
    ]
    monkeypatch.setattr(command, "selected", lambda ids: checks)
    monkeypatch.setattr(command, "connect", lambda environment: examination.target)
    return checks


def test_report_shows_cause_remedy_and_page_of_a_failure(made: list[Check], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--env", "dev"]) == 1
    text = capsys.readouterr().out
    assert "✗ D501" in text
    assert "cause: A cause." in text
    assert "do: Do it in dev." in text
    assert "docs/reference/doctor.md#d501" in text
    assert "D502" not in text
    assert text.endswith("1 of 3 checks failed (1 ok, 0 warning, 1 failed, 1 not tried).\n")


def test_verbose_report_shows_every_check(made: list[Check], capsys: pytest.CaptureFixture[str]) -> None:
    command.main(["--env", "dev", "--verbose"])
    text = capsys.readouterr().out
    assert "✓ D502" in text
    assert "not tried because x" in text


def test_json_has_one_object_for_each_check(made: list[Check], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--env", "dev", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["failed"] == ["D501"]
    assert [(each["id"], each["outcome"]) for each in document["checks"]] == [
        ("D501", "failed"),
        ("D502", "ok"),
        ("D601", "not tried"),
    ]
    assert document["checks"][0]["findings"] == [{"text": "the queue q does not exist", "warning": False}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Name the environment"),
        (["--env", "nowhere"], "There is no environment 'nowhere'"),
        (["--env", "dev", "--token-file", "gone.txt"], "gone.txt cannot be read"),
    ],
)
def test_command_that_cannot_run_has_status_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(arguments) == 2
    assert message in capsys.readouterr().err


def test_unknown_id_has_status_2(
    examination: Examination, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "connect", lambda environment: examination.target)
    assert command.main(["--env", "dev", "--only", "D999"]) == 2
    assert "There is no check D999" in capsys.readouterr().err


def test_list_prints_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(command.CHECKS)
    assert lines == sorted(lines)


def chosen(**values: Any) -> argparse.Namespace:
    return argparse.Namespace(**{"token_file": None, "channel": None, "origin": None, "read_only": False, **values})


def test_temporary_user_needs_confirmation_where_data_is_protected() -> None:
    dev = load("dev")
    protected = replace(dev, data=replace(dev.data, removal="retain"))
    assert command.question_of(chosen(), dev, {}).with_user
    assert not command.question_of(chosen(read_only=True), dev, {}).with_user
    assert not command.question_of(chosen(), protected, {}).with_user
    assert command.question_of(chosen(), protected, {"CONFIRM": "dev"}).with_user


def test_token_is_read_from_a_file_and_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "token.txt"
    file.write_text("Bearer eyJ.secret.x\n")
    question = command.question_of(chosen(token_file=str(file)), load("dev"), {})
    assert question.token == "eyJ.secret.x"
    assert "secret" not in repr(question)


def test_what_a_check_created_is_deleted_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    deleted: list[str] = []

    def make(examination: Examination) -> tuple[Finding, ...]:
        examination.at_end(lambda: deleted.append("user"))
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "selected", lambda ids: [replace(check("D711"), run=make)])
    target = Target(load("dev"), REGION, lambda service, region: None, KEYS)
    with pytest.raises(KeyboardInterrupt):
        command.examine(target, command.Question())
    assert deleted == ["user"]


def test_command_error_is_a_reason(examination: Examination) -> None:
    (result,) = run([check("D101", error=CommandError("no outputs"))], examination)
    assert (result.outcome, result.reason) == (Outcome.NOT_TRIED, "no outputs")


def test_account_ids_and_mail_addresses_are_masked(examination: Examination) -> None:
    found = Finding("role arn:aws:iam::123456789012:role/r of ada@example.edu")
    results = run(
        [check("D101", found), check("D102", error=NotTriedError("arn:aws:sns:eu:123456789012:t"))], examination
    )
    assert results[0].findings[0].text == "role arn:aws:iam::(account):role/r of (mail)"
    assert results[1].reason == "arn:aws:sns:eu:(account):t"
