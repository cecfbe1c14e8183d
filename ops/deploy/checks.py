"""Checks of the environment's settings and of the operator's identity, before anything is synthesised."""

from __future__ import annotations

from collections.abc import Callable

from ops.errors import CommandError
from stacks.config.contradictions import find_gaps
from stacks.config.fields import LOCAL, Environment


def check_settings(environment: Environment) -> None:
    """Check that the environment may be deployed.

    Args:
        environment: the environment to deploy.

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


def check_account(environment: Environment, identify: Callable[[], str]) -> str:
    """Check that the credentials belong to the environment's account, and return the account.

    Args:
        environment: the environment to deploy.
        identify: returns the account of the credentials (AWS STS: GetCallerIdentity).

    Raises:
        CommandError: they belong to another account.
    """
    expected, actual = environment.aws.account, identify()
    if environment.aws.pinned and actual != expected:
        raise CommandError(
            f"The credentials belong to account {actual}, but {environment.name} belongs to {expected}: set AWS_PROFILE"
        )
    return actual
