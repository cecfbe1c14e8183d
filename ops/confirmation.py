"""The operator's confirmation of a change: yes for a disposable environment, its typed name for a protected one.

A pipeline has no terminal. There `--yes` confirms a protected environment only if the job runs under an approved
environment of the CI service: it sets CI=true, and the variable APPROVED_ENVIRONMENT, which must be defined as a
variable of that environment in the CI service. A job sees it only after the environment's reviewers have approved it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ops.errors import CommandError

APPROVED: Final = "APPROVED_ENVIRONMENT"
_YES: Final = ("y", "yes")

Read = Callable[[str], str]


def confirm(
    action: str,
    name: str,
    *,
    typed: bool,
    agreed: bool,
    variables: Mapping[str, str],
    read: Read = input,
) -> None:
    """Ask the operator to confirm a change.

    Args:
        action: what happens, as an imperative clause, for example `Deploy 3 stacks`.
        name: name of the environment.
        typed: whether the name must be typed: the environment is protected, or the change cannot be undone.
        agreed: whether the operator has agreed on the command line (`--yes`).
        variables: the environment variables of the process.
        read: shows a text and returns the operator's input.

    Raises:
        CommandError: the operator did not agree, or `--yes` is not enough, or there is no terminal to ask on.
    """
    if agreed and (not typed or _approved(name, variables)):
        return
    if agreed:
        raise CommandError(
            f"{name} needs its typed name: --yes is refused, except in a CI job with CI=true and {APPROVED}={name} "
            "of an approved environment (docs/how-to/deploy.md)."
        )
    question = f"{action} of {name}? Type {name}: " if typed else f"{action} of {name}? [y/N] "
    try:
        entered = read(question).strip()
    except EOFError as error:
        raise CommandError(f"{action} of {name} needs a confirmation, and there is no terminal to ask on.") from error
    if entered != name if typed else entered.lower() not in _YES:
        raise CommandError("Not confirmed. Nothing was changed.")


def _approved(name: str, variables: Mapping[str, str]) -> bool:
    return variables.get("CI", "").lower() == "true" and variables.get(APPROVED) == name
