"""Checks of the stacks: presence, state, revision, protection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ops.deployed.stacks import stacks_of
from ops.doctor.check import Check
from ops.doctor.examination import Examination
from ops.doctor.finding import Finding, NotTriedError

_DATA: Final = ("Data", "Identity")


def _exist(examination: Examination) -> Iterator[Finding]:
    target = examination.target
    for name in map(target.names.of, stacks_of(target.environment)):
        if name not in target.deployed.stacks:
            yield Finding(f"the stack {name} does not exist in {target.region}")


def _state(examination: Examination) -> Iterator[Finding]:
    for name, stack in examination.target.deployed.stacks.items():
        reason = f": {stack.reason}" if stack.reason else ""
        if stack.status.endswith("_IN_PROGRESS"):
            yield Finding(f"the stack {name} is being changed ({stack.status})", warning=True)
        elif stack.status in ("ROLLBACK_COMPLETE", "DELETE_COMPLETE") or stack.status.endswith("FAILED"):
            yield Finding(f"the stack {name} is in {stack.status}{reason}")
        elif stack.status == "UPDATE_ROLLBACK_COMPLETE":
            yield Finding(f"the last deployment of {name} failed and was rolled back{reason}", warning=True)


def _revision(examination: Examination) -> Iterator[Finding]:
    revisions = {name: stack.revision for name, stack in examination.target.deployed.stacks.items()}
    if set(revisions.values()) == {None}:
        raise NotTriedError("no stack records its revision; it was not deployed by make deploy")
    if len(set(revisions.values())) > 1:
        listed = ", ".join(f"{name} {revision or 'unknown'}" for name, revision in revisions.items())
        yield Finding(f"the stacks are of different revisions: {listed}", warning=True)
    for name, revision in revisions.items():
        if revision and revision.endswith("-dirty"):
            yield Finding(f"{name} was deployed from a checkout with changed files ({revision})", warning=True)


def _protection(examination: Examination) -> Iterator[Finding]:
    target = examination.target
    if not target.environment.protected:
        raise NotTriedError("the data of the environment is not protected (data.removal)")
    for name, stack in target.deployed.stacks.items():
        if name in map(target.names.of, _DATA) and not stack.protected:
            yield Finding(f"the stack {name} has no termination protection")


CHECKS: Final = (
    Check(
        id="D201",
        title="Every stack exists",
        looks_at="CloudFormation DescribeStacks",
        cause="The environment is not deployed, or only in part, or it is in another region.",
        remedy="Deploy it: `make deploy ENV={env}`. The local cloud: `make up`.",
        run=_exist,
        needs=("D101",),
    ),
    Check(
        id="D202",
        title="Every stack is complete",
        looks_at="the status of each stack in CloudFormation",
        cause="A deployment failed or is under way; resources may be of two revisions.",
        remedy="Read the cause with `npx cdk diagnose`, or `aws cloudformation describe-stack-events --stack-name "
        "STACK`; then see A deployment failed in docs/how-to/deploy.md.",
        run=_state,
        needs=("D201",),
    ),
    Check(
        id="D203",
        title="All stacks are of one revision",
        looks_at="the output Revision of each stack",
        cause="A deployment with --only, or one that failed half way, left stacks of two revisions.",
        remedy="Deploy all stacks: `make deploy ENV={env}`.",
        run=_revision,
        needs=("D201",),
    ),
    Check(
        id="D204",
        title="The stacks with data have termination protection",
        looks_at="EnableTerminationProtection of the stacks Data and Identity",
        cause="It was turned off by hand; a deletion of the stack would then succeed.",
        remedy="Run `aws cloudformation update-termination-protection --enable-termination-protection --stack-name "
        "STACK`.",
        run=_protection,
        needs=("D201",),
    ),
)
