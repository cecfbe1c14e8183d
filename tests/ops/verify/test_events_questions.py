"""The questions about AppSync Events: one for each assumption, asked by the suite or with a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from appsync_events_local import assumptions
from conformance_suite.rows import rows_of
from conformance_suite.table import Target

from ops.errors import CommandError
from ops.verify.asking import ask
from ops.verify.catalogue import selected
from ops.verify.deployment import SuiteRecord
from ops.verify.events_consequences import CODE, NOT_ASKED, PRODUCT
from ops.verify.events_questions import QUESTIONS, assumption_ids, question_id
from ops.verify.question import Answer, CannotAskError, State
from ops.verify.suite import Suite
from tests.harness.e2e.handler_probes import HANDLER_PROBES
from tests.harness.e2e.probes import PROBES
from tests.ops.verify.recorded import RecordedAws

ROOT = Path(__file__).resolve().parents[3]
SERVICE = ROOT / "packages/appsync-events-local/src/appsync_events_local"
KNOWN = {each.id for each in assumptions.all_assumptions()}
ASKED = {
    *(str(row.assumption) for row in rows_of(Target.AWS) if row.assumption is not None),
    *(probe.id for probe in PROBES),
    *(probe.id for probe in HANDLER_PROBES),
}


def test_every_assumption_is_asked_about_or_has_a_reason() -> None:
    missing = sorted(KNOWN - ASKED - set(NOT_ASKED))
    assert not missing, (
        f"nothing asks AWS about {', '.join(missing)}; add a row to the conformance suite or a probe to "
        "tests/harness/e2e, or say why not in ops/verify/events_consequences.py (NOT_ASKED)"
    )
    assert sorted(ASKED & set(NOT_ASKED)) == []
    assert sorted({*ASKED, *NOT_ASKED, *PRODUCT} - KNOWN) == []


def test_every_assumption_names_what_to_correct() -> None:
    valued = {each.id for each in assumptions.all_assumptions() if each.value is not None}
    lacking = sorted(KNOWN - valued - set(CODE))
    assert not lacking, (
        f"ops/verify/events_consequences.py lacks {', '.join(lacking)}; add to CODE the module that implements it"
    )
    assert sorted(set(CODE) & valued) == []
    assert [file for file in set(CODE.values()) if not (SERVICE / file).is_file()] == []
    for question in QUESTIONS:
        consequence = question.answer("differs").consequence
        assert f"assumptions/{_topic(question.id)}.py" in consequence


def _topic(id: str) -> str:
    return next(
        topic for topic, listed in assumptions.by_topic().items() if id in {question_id(each.id) for each in listed}
    )


def answered(recorded: RecordedAws, *records: SuiteRecord) -> Answer:
    recorded.records.by_assumption = {"second-init": list(records)}
    (question,) = selected(["events-second-init"])
    return ask(question, recorded.deployment())


def test_equal_behaviour_is_as_assumed(recorded: RecordedAws) -> None:
    answer = answered(recorded, SuiteRecord("row", True, "as expected"), SuiteRecord("probe", True, "connection_ack"))
    assert (answer.state, answer.seen) == (State.AS_ASSUMED, "2 rows: row, probe")


def test_one_different_row_differs(recorded: RecordedAws) -> None:
    answer = answered(recorded, SuiteRecord("row", True, "as expected"), SuiteRecord("probe", False, "no\nresponse"))
    assert (answer.state, answer.seen) == (State.DIFFERS, "probe: no response")
    assert answer.given is not None
    assert "protocol/connection.py" in answer.given.consequence


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        ([], "did not report on it"),
        ([SuiteRecord("probe", None, "could not be observed: TimeoutError()")], "TimeoutError"),
    ],
)
def test_without_observation_it_could_not_be_asked(
    recorded: RecordedAws, records: list[SuiteRecord], reason: str
) -> None:
    answer = answered(recorded, *records)
    assert answer.state is State.NOT_ASKED
    assert reason in answer.seen


def test_reason_is_given_without_asking(recorded: RecordedAws) -> None:
    (question,) = selected(["events-lifetime-close"])
    answer = ask(question, recorded.deployment())
    assert (answer.state, answer.seen) == (State.NOT_ASKED, NOT_ASKED["lifetime-close"])


def test_suite_is_run_once_with_the_selected_assumptions() -> None:
    commands: list[list[str]] = []

    def run(arguments: list[str], variables: object) -> int:
        commands.append(arguments)
        assert variables == {"AWS_ENDPOINT_URL": "http://localhost:1"}
        assert json.loads(Path(arguments[arguments.index("--target") + 1]).read_text()) == {"region": "us-east-1"}
        line = {"assumption": "second-init", "by": "probe", "same": True, "observed": "connection_ack"}
        Path(arguments[arguments.index("--answers") + 1]).write_text(json.dumps(line) + "\n", encoding="utf-8")
        return 0

    chosen = assumption_ids(selected(["events-second-init", "events-lifetime-close", "cors*"]))
    suite = Suite({"region": "us-east-1"}, {"AWS_ENDPOINT_URL": "http://localhost:1"}, chosen, run)
    assert suite.of("second-init") == [SuiteRecord("probe", True, "connection_ack")]
    assert suite.of("no-init") == []
    (command,) = commands
    assert command[command.index("--assumptions") + 1] == "second-init"


def test_suite_that_could_not_start_is_a_reason() -> None:
    suite = Suite({}, {}, ["second-init"], lambda arguments, variables: 4)
    with pytest.raises(CannotAskError, match="status 4"):
        suite.of("second-init")


def test_unknown_question_is_refused() -> None:
    with pytest.raises(CommandError, match="--list"):
        selected(["events-nonsense"])
