"""The order of a deployment: nothing is changed before the confirmation; recoveries first; then stack by stack."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops.deploy import deployment
from ops.deploy.alarms import Triggers
from ops.deploy.change_sets import ChangeSet, Target
from ops.deploy.deployment import EXIT_SMOKE, Options, Preparation, carry_out, go_back_command, report_text
from ops.deploy.orphans import Orphan
from ops.deploy.recovery import Recovery
from ops.deploy.smoke import Result
from ops.deploy.stack_states import StackState
from ops.errors import CommandError
from ops.preflight import DeployedStack, Plan
from stacks.config.load import load
from tests.ops.recorded_cloudformation import tools
from tests.stacks.synthesis import assembly, templates

STAGING = load("staging", variables={})
DATA, ROUTES = "PantherKolab-Data-staging", "PantherKolab-Routes-staging"
TRIGGERS = Triggers(("arn:alarm",), 5)


def plan(*, deployed: bool = True, revision: str | None = "v1-0-gabc-dirty") -> Plan:
    new = {f"PantherKolab-{name}-staging": template for name, template in templates("staging").items()}
    old = {name: DeployedStack("UPDATE_COMPLETE", True, revision, template) for name, template in new.items()}
    return Plan(old if deployed else {}, new)


class Steps:
    """Records what a deployment does, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[Any] = []
        self.targets: dict[str, Target] = {}
        self.lines: list[str] = []
        self.result = Result(())
        monkeypatch.setattr(deployment.recovery, "recover", lambda each, *rest: self.done.append(each.stack.name))
        monkeypatch.setattr(deployment.orphans, "delete_empty", lambda each, tools: self.done.append(each.table))
        monkeypatch.setattr(deployment.orphans, "find_orphans", lambda plan, make_client: [])
        monkeypatch.setattr(deployment.change_sets, "prepare", self._prepare)
        monkeypatch.setattr(deployment.change_sets, "check_surprises", self._check)
        monkeypatch.setattr(deployment.change_sets, "execute", self._execute)

    def _prepare(self, target: Target, tools: Any) -> ChangeSet | None:
        self.targets[target.construct] = target
        self.done.append(("prepare", target.construct))
        return None if target.construct == "Identity" else ChangeSet(target.stack, [])

    def _check(self, change_set: ChangeSet, comparison: Any, tools: Any) -> None:
        self.done.append(("check", change_set.stack.split("-")[1]))

    def _execute(self, target: Target, environment: str, tools: Any) -> str:
        self.done.append(("execute", target.construct))
        return "UPDATE_COMPLETE"

    def run(self, prepared: Preparation, answer: str = "staging", only: tuple[str, ...] = ()) -> int:
        return carry_out(
            STAGING,
            Path(assembly("staging")),
            Options(only),
            tools(None, self.lines, read=lambda question: answer),
            prepared,
            lambda *_: self.result,
        )


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(monkeypatch)


def test_every_stack_is_prepared_compared_and_executed_in_order(steps: Steps) -> None:
    assert steps.run(Preparation(plan(), (), (), TRIGGERS)) == 0
    expected: list[Any] = []
    for name in ("Data", "Identity", "Events", "Routes", "Operations"):
        expected.append(("prepare", name))
        if name != "Identity":  # which does not change
            expected += [("check", name), ("execute", name)]
    assert steps.done == expected


def test_chosen_stacks_are_deployed_in_the_chosen_order(steps: Steps) -> None:
    steps.run(Preparation(plan(), (), (), TRIGGERS), only=("Routes", "Events"))
    assert [each[1] for each in steps.done if each[0] == "execute"] == ["Routes", "Events"]


def test_alarms_watch_the_stacks_that_can_raise_them_if_they_exist(steps: Steps) -> None:
    steps.run(Preparation(plan(), (), (), TRIGGERS))
    watched = {name for name, target in steps.targets.items() if target.triggers == TRIGGERS}
    assert watched == {"Events", "Routes"}
    steps.run(Preparation(plan(deployed=False), (), (), TRIGGERS))
    assert {target.triggers for target in steps.targets.values()} == {Triggers()}


def test_nothing_is_changed_without_confirmation(steps: Steps) -> None:
    recovery = Recovery(StackState(ROUTES, "ROLLBACK_COMPLETE", protected=True))
    prepared = Preparation(plan(), (recovery,), (Orphan(DATA, "Empty", empty=True),), TRIGGERS)
    with pytest.raises(CommandError, match="Nothing was changed"):
        steps.run(prepared, answer="yes")
    assert steps.done == []
    assert [line.strip().startswith("First: ") for line in steps.lines] == [True, True]


def test_half_way_stacks_are_recovered_and_empty_left_over_tables_deleted_first(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty, filled = Orphan(DATA, "Empty", empty=True), Orphan(DATA, "Filled", empty=False)
    steps.run(Preparation(plan(), (), (empty, filled), TRIGGERS))
    assert steps.done[:2] == ["Empty", ("prepare", "Data")]
    assert steps.targets["Data"].import_existing
    assert not steps.targets["Routes"].import_existing
    steps.done.clear()
    monkeypatch.setattr(deployment.orphans, "find_orphans", lambda plan, make_client: [empty])
    recovery = Recovery(StackState(DATA, "ROLLBACK_FAILED"))
    steps.run(Preparation(plan(deployed=False), (recovery,), (), TRIGGERS))
    assert steps.done[:2] == [DATA, "Empty"]


def test_table_with_data_that_a_recovery_leaves_behind_is_imported(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled = Orphan(DATA, "Filled", empty=False)
    monkeypatch.setattr(deployment.orphans, "find_orphans", lambda plan, make_client: [filled])
    recovery = Recovery(StackState(DATA, "ROLLBACK_FAILED"))
    steps.run(Preparation(plan(deployed=False), (recovery,), (), TRIGGERS))
    assert steps.targets["Data"].import_existing


def test_failed_smoke_test_has_an_exit_status_of_its_own(steps: Steps) -> None:
    steps.result = Result(("the canary failed",))
    assert steps.run(Preparation(plan(), (), (), TRIGGERS)) == EXIT_SMOKE == 3
    assert steps.lines[-1].strip() == "FAILED: the canary failed"


def test_command_to_go_back_names_the_revision_that_was_deployed_before() -> None:
    assert go_back_command("staging", plan()) == "make rollback ENV=staging TO=v1-0-gabc"
    assert go_back_command("staging", plan(revision=None)) == ""
    assert go_back_command("staging", plan(deployed=False)) == ""


def test_report_of_a_first_creation_counts_and_that_of_an_update_compares() -> None:
    created = report_text("staging", plan(deployed=False), "v1")
    assert created.startswith("Change report: staging is created at v1\n  PantherKolab-Data-staging: ")
    assert "No changes." in report_text("staging", plan(), "v2-0-gdef")
    changed = plan()
    template = changed.synthesised[ROUTES]
    resources = {
        name: each for name, each in template["Resources"].items() if each["Type"] != "AWS::ApiGatewayV2::Route"
    }
    less = replace(changed, synthesised={**changed.synthesised, ROUTES: {**template, "Resources": resources}})
    assert "Breaks clients" in report_text("staging", less, "v2-0-gdef")
