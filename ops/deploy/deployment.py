"""One deployment from beginning to end: look, report, confirm, recover, change stack by stack, test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ops import preflight, quotas
from ops.cdk import stacks_of
from ops.change_report.render.as_text import as_text
from ops.change_report.report import Report
from ops.confirmation import confirm
from ops.deploy import change_sets, orphans, recovery
from ops.deploy.alarms import WATCHED, Triggers, find_triggers
from ops.deploy.bootstrap import check_bootstrap
from ops.deploy.change_sets import Target
from ops.deploy.orphans import Orphan
from ops.deploy.recovery import Recovery
from ops.deploy.smoke import Result
from ops.deploy.tools import Tools
from ops.errors import CommandError
from ops.preflight import Plan
from stacks.config.fields import Environment
from stacks.naming import Names

EXIT_SMOKE: Final = 3
"""Exit status after a deployment whose smoke test failed."""

SmokeTest = Callable[[Environment, Tools], Result]


@dataclass(frozen=True)
class Options:
    """What the operator chose.

    Args:
        only: the stacks to deploy, in this order; empty for all.
        agreed: whether the operator has agreed on the command line.
        accept_data_risks: deploy although a change puts protected data at risk.
        skip_resources: resources that a continued rollback leaves as they are, `STACK.LOGICAL_ID`.
        action: what the operator confirms.
    """

    only: Sequence[str] = ()
    agreed: bool = False
    accept_data_risks: bool = False
    skip_resources: Sequence[str] = ()
    action: str = "Deployment"


@dataclass(frozen=True)
class Preparation:
    """What a deployment is about to do.

    Args:
        plan: deployed and new templates.
        recoveries: what has to be done to half-way stacks first.
        orphans: left-over tables.
        triggers: the alarms that roll an update back.
    """

    plan: Plan
    recoveries: Sequence[Recovery]
    orphans: Sequence[Orphan]
    triggers: Triggers


def prepare(environment: Environment, assembly: Path, options: Options, tools: Tools) -> Preparation:
    """Look at the account and check that the deployment can begin; change nothing.

    Args:
        environment: the environment to deploy.
        assembly: its cloud assembly.
        options: what the operator chose.
        tools: access to AWS.

    Raises:
        CommandError: the deployment must not begin; the message says why and what to do.
    """
    progress, name = tools.progress, environment.name
    progress.step("Checking the bootstrap stack and the quotas")
    check_bootstrap(assembly, tools.make_client("ssm"))
    for warning in quotas.account_warnings(environment, tools.make_client):
        progress.note(f"Warning: {warning}")
    progress.step("Reading the deployed stacks")
    recoveries = recovery.find_recoveries([Names(name).of(each) for each in preflight.STACKS], tools)
    plan = preflight.plan(preflight.read_deployed(name, tools.cloudformation), assembly, options.only)
    preflight.check_changes(plan)
    if environment.protected and not options.accept_data_risks:
        preflight.check_data_risks(plan)
    left_over = orphans.find_orphans(plan, tools.make_client)
    for pool in orphans.left_over_pools(plan, tools.make_client):
        progress.note(
            f"Warning: the user pool {pool} of an earlier creation stays; delete it by hand if it is not used"
        )
    triggers, firing = find_triggers(environment, tools.make_client("cloudwatch"))
    for alarm in firing:
        progress.note(f"Warning: {alarm} fires already, so it cannot roll an update back")
    return Preparation(plan, recoveries, left_over, triggers)


def report_text(environment: str, plan: Plan, head: str) -> str:
    """Return the change report of a deployment; for a first creation, what is created."""
    if not plan.deployed:
        counts = [f"  {name}: {len(each['Resources'])} resources" for name, each in plan.synthesised.items()]
        return "\n".join([f"Change report: {environment} is created at {head}", *counts]) + "\n"
    revisions = sorted(
        {stack.revision for name, stack in plan.deployed.items() if stack.revision and name in plan.synthesised}
    )
    return as_text(Report(environment, ", ".join(revisions) or "the account", head, plan.all_findings))


def carry_out(
    environment: Environment,
    assembly: Path,
    options: Options,
    tools: Tools,
    prepared: Preparation,
    test: SmokeTest,
) -> int:
    """Confirm and carry out a deployment.

    Args:
        environment: the environment to deploy.
        assembly: its cloud assembly.
        options: what the operator chose.
        tools: access to AWS.
        prepared: what `prepare` returned.
        test: the smoke test.

    Returns:
        The exit status: 0, or 3 if the smoke test failed.

    Raises:
        CommandError: the operator did not confirm, or a step failed; the message says what to do.
    """
    texts = [*(each.text for each in prepared.recoveries), *(each.text for each in prepared.orphans)]
    for text in texts:
        tools.progress.note(f"First: {text}")
    confirm(
        options.action,
        environment.name,
        typed=environment.protected,
        agreed=options.agreed,
        variables=tools.variables,
        read=tools.read,
    )
    prepared = replace(prepared, orphans=_recover(prepared, options, tools))
    for stack in _order(assembly, options.only):
        _deploy_stack(stack, environment, assembly, prepared, tools)
    return _test(environment, tools, test)


def _recover(prepared: Preparation, options: Options, tools: Tools) -> Sequence[Orphan]:
    """Recover half-way stacks, delete empty left-over tables, and return all left-over tables that were found."""
    for each in prepared.recoveries:
        tools.progress.step(f"Recovering: {each.text}")
        recovery.recover(each, tools, options.skip_resources)
    # A deletion above can leave tables behind, so that they are looked for again.
    found = orphans.find_orphans(prepared.plan, tools.make_client) if prepared.recoveries else prepared.orphans
    for orphan in found:
        if orphan.empty:
            tools.progress.step(f"Deleting the empty table {orphan.table}")
            orphans.delete_empty(orphan, tools)
    return found


def _order(assembly: Path, only: Sequence[str]) -> list[str]:
    known = [stack.construct for stack in stacks_of(assembly).values()]
    return [each for each in (only or preflight.STACKS) if each in known]


def _deploy_stack(
    construct: str, environment: Environment, assembly: Path, prepared: Preparation, tools: Tools
) -> None:
    stack = Names(environment.name).of(construct)
    exists = stack in prepared.plan.deployed
    target = Target(
        assembly,
        construct,
        stack,
        triggers=prepared.triggers if construct in WATCHED and exists else Triggers(),
        import_existing=any(each.stack == stack and not each.empty for each in prepared.orphans),
    )
    tools.progress.step(f"{stack}: preparing the change set")
    change_set = change_sets.prepare(target, tools)
    if change_set is None:
        tools.progress.note("nothing changes")
        return
    if exists:
        change_sets.check_surprises(change_set, prepared.plan.comparison, tools)
    watched = f", watched by {len(target.triggers.arns)} alarms" if target.triggers.arns else ""
    tools.progress.step(f"{stack}: executing the change set ({change_set.summary}{watched})")
    status = change_sets.execute(target, environment.name, tools)
    tools.progress.note(status)


def _test(environment: Environment, tools: Tools, test: SmokeTest) -> int:
    tools.progress.step("Smoke test")
    try:
        result = test(environment, tools)
    except CommandError as error:
        result = Result((str(error),))
    for line in (*result.notes, *(f"FAILED: {each}" for each in result.failures)):
        tools.progress.note(line)
    return EXIT_SMOKE if result.failures else 0


def go_back_command(environment: str, plan: Plan) -> str:
    """Return the command that goes back to the revision before this deployment; empty if it is not known."""
    routes = plan.deployed.get(Names(environment).of("Routes"))
    if routes is None or routes.revision is None:
        return ""
    commit = routes.revision.removesuffix("-dirty")
    return f"make rollback ENV={environment} TO={commit}"
