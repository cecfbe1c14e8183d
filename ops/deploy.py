"""Deploys one environment: `python -m ops.deploy --env NAME [--approve] [--only STACK ...]`.

Synthesises the environment, refuses changes that AWS would refuse, shows the changes against the account, and deploys
every stack with the CDK CLI; `--only` deploys some of them. Every stack records the revision of the checkout. The CLI
asks for confirmation before it broadens IAM permissions; `--approve` skips the question, for a pipeline with its own
approval. An environment with protected data requires CONFIRM=NAME in the environment.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from ops import aws, cdk, preflight, quotas, revision
from ops.errors import CommandError
from stacks.config.contradictions import find_gaps
from stacks.config.fields import LOCAL, Environment
from stacks.config.load import SettingsError, load

Step = Callable[[list[str]], int]


def check(environment: Environment, variables: Mapping[str, str]) -> None:
    """Check that the environment may be deployed.

    Args:
        environment: the environment to deploy.
        variables: the operator's environment variables.

    Raises:
        CommandError: the environment must not be deployed; the message says why and what to do.
    """
    name = environment.name
    if name == LOCAL:
        raise CommandError("The environment local cannot be deployed to AWS. Run it on this machine: make up")
    if not environment.protected:
        return
    if missing := environment.aws.unset_variables:
        raise CommandError(
            f"The account and region of {name} are unknown: set {' and '.join(missing)} (environments/{name}.toml, "
            "section aws)."
        )
    if gaps := find_gaps(environment):
        raise CommandError("\n".join(f"environments/{name}.toml: {gap}" for gap in gaps))
    if variables.get("CONFIRM") != name:
        raise CommandError(
            f"Deploying {name} requires confirmation, because its data is protected: add CONFIRM={name}. To review the "
            f"changes: make diff ENV={name}"
        )


def check_account(environment: Environment, identify: Callable[[], str]) -> None:
    """Check that the credentials belong to the environment's account.

    Args:
        environment: the environment to deploy.
        identify: returns the account of the credentials (AWS STS: GetCallerIdentity).

    Raises:
        CommandError: they belong to another account.
    """
    expected = environment.aws.account
    if environment.aws.pinned and (actual := identify()) != expected:
        raise CommandError(
            f"The credentials belong to account {actual}, but {environment.name} belongs to {expected}: set AWS_PROFILE"
        )


def deploy(environment: Environment, run: Step, *, approved: bool, only: Sequence[str] = ()) -> int:
    """Show the changes and deploy; return the CLI's exit status.

    Args:
        environment: the environment to deploy; already synthesised.
        run: runs the CDK CLI with the operator's credentials.
        approved: broaden IAM permissions without asking.
        only: the stacks to deploy, without those that they depend on; empty for all.
    """
    assembly = cdk.ROOT / f"cdk.out.{environment.name}"
    selection = [*only, "--exclusively"] if only else ["--all"]
    if status := run(["diff", "--app", str(assembly), *selection]):
        return status
    approval = "never" if approved else "broadening"
    outputs_file = assembly / "outputs.json"
    return run(
        [
            *("deploy", "--app", str(assembly), *selection),
            *("--require-approval", approval, "--outputs-file", str(outputs_file)),
        ]
    )


def prepare(environment: Environment, only: Sequence[str], *, accept_data_risks: bool = False) -> None:
    """Check the credentials, synthesise, and check the changes against the deployed stacks.

    Raises:
        CommandError: the account is another one, or the changes would be refused, would roll data back, or would put
            protected data at risk.
    """
    check_account(environment, aws.caller_account)
    assembly = cdk.ROOT / f"cdk.out.{environment.name}"
    print(f"→ Synthesising {environment.name}")
    cdk.synthesise(cdk.ROOT, environment.name, assembly, revision=revision.current(cdk.ROOT))
    region = environment.aws.region if environment.aws.pinned else None
    client = aws.client("cloudformation", region)
    deployed = preflight.read_deployed(environment.name, client)
    plan = preflight.plan(deployed, assembly, only)
    preflight.check_changes(plan)
    if environment.protected and not accept_data_risks:
        preflight.check_data_risks(plan)
    for warning in quotas.account_warnings(environment, lambda service: aws.client(service, region)):
        print(f"Warning: {warning}", file=sys.stderr)
    for name in preflight.release_failed_creations(deployed, client):
        print(f"→ {name}: its first creation failed; termination protection is off, and it is created again")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; print the error and return 1 if it failed."""
    parser = argparse.ArgumentParser(prog="python -m ops.deploy", description=__doc__)
    parser.add_argument("--env", required=True, help="name of the environment")
    parser.add_argument("--approve", action="store_true", help="broaden IAM permissions without asking")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=preflight.STACKS,
        default=(),
        metavar="STACK",
        help="deploy these stacks only, for example Events Routes of an older revision "
        f"(of {', '.join(preflight.STACKS)})",
    )
    parser.add_argument(
        "--accept-data-risks",
        action="store_true",
        help="deploy although a change removes protected data, an index or a protection",
    )
    chosen = parser.parse_args(arguments)
    try:
        environment = load(chosen.env)
        check(environment, os.environ)
        prepare(environment, chosen.only, accept_data_risks=chosen.accept_data_risks)
        return deploy(environment, cdk.run, approved=chosen.approve, only=chosen.only)
    except (CommandError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
