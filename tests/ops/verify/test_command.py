"""The command line of ops.verify: confirmation, listing, order, exit status, Ctrl-C."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from ops.errors import CommandError
from ops.verify import __main__ as command
from ops.verify import asking
from ops.verify.asking import ask_all
from ops.verify.catalogue import QUESTIONS, selected
from ops.verify.deployment import Deployment, Waiting
from ops.verify.question import Answer, Observation, Question, State
from ops.verify.suite import CREATING
from stacks.config.load import load
from tests.ops.verify.recorded import RecordedAws


def test_verifying_prod_requires_confirmation() -> None:
    with pytest.raises(CommandError, match="CONFIRM=prod"):
        command.check(load("prod"), {})
    command.check(load("prod"), {"CONFIRM": "prod"})
    command.check(load("dev"), {})


def test_list_prints_every_question(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [question.id for question in QUESTIONS]


def test_environment_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--only", "cors*"]) == 1
    assert "--env" in capsys.readouterr().err


def test_unknown_question_starts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--env", "dev", "--only", "nonsense"]) == 1
    assert "There is no question nonsense" in capsys.readouterr().err


def test_announcement_names_what_is_created_and_the_cost() -> None:
    text = command.announcement(selected(["snapstart-on-arm64", "sum-without-data", "cors*"]))
    assert "a stack with a role and a function version" in text
    assert "0.02 $" in text
    assert command.announcement(selected(["cors*", "http-routes-in-parallel"])) == ""


@pytest.mark.parametrize("entered", ["", "n", "nonsense"])
def test_without_consent_nothing_is_asked(entered: str) -> None:
    with pytest.raises(CommandError, match="Nothing was asked"):
        command.confirm(selected(["snapstart-on-arm64"]), False, lambda text: entered)


def test_consent_is_asked_for_only_where_something_is_created() -> None:
    shown: list[str] = []

    def read(text: str) -> str:
        shown.append(text)
        return "y"

    command.confirm(selected(["cors*"]), False, read)
    command.confirm(selected(["snapstart-on-arm64"]), True, read)
    assert shown == []
    command.confirm(selected(["snapstart-on-arm64"]), False, read)
    assert len(shown) == 1


def test_without_a_terminal_consent_is_an_argument() -> None:
    def closed(text: str) -> str:
        raise EOFError

    with pytest.raises(CommandError, match="--yes"):
        command.confirm(selected(["snapstart-on-arm64"]), False, closed)


@dataclass
class SuiteOfStatus:
    """A suite that ends with a status."""

    status: int
    runs: list[Sequence[str]] = field(default_factory=list)

    def test(self, arguments: Sequence[str]) -> int:
        self.runs.append(arguments)
        return self.status


def answering(question: Question, key: str) -> Question:
    return replace(question, ask=lambda deployment: Observation(key, "seen"))


def run(
    recorded: RecordedAws, monkeypatch: pytest.MonkeyPatch, keys: list[str], status: int = 0, *arguments: str
) -> tuple[int, SuiteOfStatus]:
    """Run the command on dev with one question for each key."""
    (routes,) = selected(["http-routes-in-parallel"])
    questions = [replace(answering(routes, key), id=f"question-{number}") for number, key in enumerate(keys)]
    suite = SuiteOfStatus(status)
    monkeypatch.setattr(command.catalogue, "selected", lambda ids: questions)
    monkeypatch.setattr(command, "connect", lambda *_: (recorded.deployment(), suite))
    return command.main(["--env", "dev", *arguments]), suite


@pytest.mark.parametrize(
    ("keys", "suite", "expected"),
    [(["none", "none"], 0, 0), (["none", "failed"], 0, 3), (["none"], 1, 1), (["failed"], 1, 1)],
)
def test_exit_status(
    recorded: RecordedAws, monkeypatch: pytest.MonkeyPatch, keys: list[str], suite: int, expected: int
) -> None:
    status, ran = run(recorded, monkeypatch, keys, suite)
    assert status == expected
    assert ran.runs == [[]]


def test_some_questions_run_no_suite(recorded: RecordedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    _, chosen = run(recorded, monkeypatch, ["none"], 1, "--only", "x")
    _, without = run(recorded, monkeypatch, ["none"], 1, "--no-suite")
    assert (chosen.runs, without.runs) == ([], [])


def test_run_that_creates_nothing_asks_and_tests_the_rest(
    recorded: RecordedAws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reading, creating = selected(["http-routes-in-parallel"]) + selected(["age-of-a-delayed-message"])
    suite = SuiteOfStatus(0)
    monkeypatch.setattr(
        command.catalogue, "selected", lambda ids: [answering(reading, "none"), answering(creating, "unused")]
    )
    monkeypatch.setattr(command, "connect", lambda *_: (recorded.deployment(), suite))
    assert command.main(["--env", "dev", "--no-create", "--json"]) == 0
    assert [each["id"] for each in json.loads(capsys.readouterr().out)["answers"]] == ["http-routes-in-parallel"]
    assert suite.runs == [["--ignore", "tests/e2e/test_conformance.py"]]


def test_every_test_that_creates_a_stack_by_itself_is_left_out() -> None:
    """`test_handler_behaviour.py` creates one only where assumptions are asked about."""
    suite = Path(__file__).resolve().parents[3] / "tests" / "e2e"
    creating = {f"tests/e2e/{file.name}" for file in suite.glob("test_*.py") if "temporary_stack" in file.read_text()}
    assert creating - {"tests/e2e/test_handler_behaviour.py"} == set(CREATING)


def test_page_is_printed_and_written(
    recorded: RecordedAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "page.md"
    run(recorded, monkeypatch, ["failed"], 0, "--json", "--markdown", str(file))
    (answer,) = json.loads(capsys.readouterr().out)["answers"]
    assert answer["state"] == "differs"
    assert "| question-0 |" in file.read_text(encoding="utf-8")


def test_an_unexpected_form_of_one_answer_does_not_lose_the_others(recorded: RecordedAws) -> None:
    def fail(deployment: Deployment) -> Observation:
        raise KeyError("Meeting")

    (routes,) = selected(["http-routes-in-parallel"])
    questions = [replace(routes, id="broken", ask=fail), answering(routes, "none")]
    answers = ask_all(questions, recorded.deployment(), Waiting(), lambda answer: None)
    assert [each.state for each in answers] == [State.NOT_ASKED, State.AS_ASSUMED]
    assert "KeyError" in answers[0].seen


def test_interrupt_ends_waits_and_keeps_what_was_answered(
    recorded: RecordedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Waiting()
    deployment = replace(recorded.deployment(), pause=waiting.pause)
    (routes,) = selected(["http-routes-in-parallel"])
    cleaned: list[str] = []
    started = threading.Event()

    def answer_later(deployment: Deployment) -> Observation:
        started.wait()
        return Observation("none", "seen")

    def wait(deployment: Deployment) -> Observation:
        started.set()
        try:
            deployment.pause(600)
        finally:
            cleaned.append("deleted")
        raise AssertionError("the wait was not interrupted")

    def report(answer: Answer) -> None:
        raise KeyboardInterrupt

    questions = [replace(routes, ask=answer_later), replace(routes, id="waiting", ask=wait)]
    answers = ask_all(questions, deployment, waiting, report)
    assert [(each.state, each.seen) for each in answers] == [
        (State.AS_ASSUMED, "seen"),
        (State.NOT_ASKED, "the command was interrupted"),
    ]
    assert cleaned == ["deleted"]


def test_local_cloud_says_why_it_cannot_answer(recorded: RecordedAws) -> None:
    (question,) = selected(["sum-without-data"])
    answer = asking.ask(question, replace(recorded.deployment(), local=True))
    assert answer.seen == "here, because the local cloud does not evaluate metric math"
