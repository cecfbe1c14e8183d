"""Deploys one environment: `python -m ops.deploy --env NAME [--yes] [--only STACK ...]`.

Checks the operator's identity, the bootstrap stack, the quotas and the deployed stacks; prints what the deployment
changes; asks for confirmation; brings stacks that an earlier operation left half-way to a state that can be deployed;
then prepares one change set per stack, compares it with the report, and executes it. Alarms of the environment roll an
update back. A smoke test follows, and the command that goes back. Every stack records the revision of the checkout.

An environment with protected data needs its typed name. `--yes` confirms it only in a CI job with CI=true and
APPROVED_ENVIRONMENT=NAME, a variable of the CI service's approved environment.

Exit status: 0 deployed and tested; 1 refused, not confirmed or failed, with what to do; 3 deployed, but the smoke test
failed.
"""

from __future__ import annotations

import argparse
import sys

from ops import aws, cdk, preflight, revision
from ops.deploy.checks import check_account, check_settings
from ops.deploy.deployment import Options, carry_out, go_back_command, prepare, report_text
from ops.deploy.smoke import smoke_test
from ops.deploy.tools import Tools
from ops.errors import CommandError
from stacks.config.fields import Environment
from stacks.config.load import SettingsError, load


def tools_of(environment: Environment) -> Tools:
    """Return the tools of a deployment with the operator's credentials, in the environment's region."""
    region = environment.aws.region if environment.aws.pinned else None
    return Tools(lambda service: aws.client(service, region))


def run(environment: Environment, options: Options, tools: Tools) -> int:
    """Deploy the checkout and return the exit status.

    Raises:
        CommandError: the deployment was refused or failed; the message says what to do.
    """
    check_settings(environment)
    tools.progress.step(f"Checking the identity for {environment.name}")
    check_account(environment, tools.identify)
    assembly = cdk.ROOT / f"cdk.out.{environment.name}"
    head = revision.current(cdk.ROOT)
    tools.progress.step(f"Synthesising {environment.name} at {head}")
    cdk.synthesise(cdk.ROOT, environment.name, assembly, revision=head)
    prepared = prepare(environment, assembly, options, tools)
    print(report_text(environment.name, prepared.plan, head), flush=True)
    status = carry_out(environment, assembly, options, tools, prepared, smoke_test)
    tools.progress.step("Deployed" if status == 0 else "Deployed, but the smoke test failed")
    if command := go_back_command(environment.name, prepared.plan):
        print(f"To go back: {command}")
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ops.deploy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", required=True, help="name of the environment")
    parser.add_argument("--yes", action="store_true", help="confirm without asking; see above for protected data")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=preflight.STACKS,
        default=(),
        metavar="STACK",
        help=f"deploy these stacks only, in this order (of {', '.join(preflight.STACKS)})",
    )
    parser.add_argument(
        "--accept-data-risks",
        action="store_true",
        help="deploy although a change removes protected data, an index or a protection",
    )
    parser.add_argument(
        "--skip-resources",
        nargs="+",
        default=(),
        metavar="STACK.LOGICAL_ID",
        help="leave these resources as they are when a failed rollback is continued",
    )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; print the error and return 1 if it failed."""
    chosen = _parser().parse_args(arguments)
    options = Options(chosen.only, chosen.yes, chosen.accept_data_risks, chosen.skip_resources)
    try:
        environment = load(chosen.env)
        return run(environment, options, tools_of(environment))
    except (CommandError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "Interrupted. An operation that CloudFormation has begun continues; repeat the command to see its state.",
            file=sys.stderr,
        )
        return 1


if __name__ == "__main__":
    sys.exit(main())
