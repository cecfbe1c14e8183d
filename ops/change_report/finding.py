"""What the change report says about one change, and how severe it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Severity(IntEnum):
    """How much a change matters; the lower the number, the worse."""

    REFUSED = 0
    DATA_AT_RISK = 1
    EXPOSED = 2
    BREAKS_CLIENTS = 3
    BEHAVES_DIFFERENTLY = 4
    COSTS_DIFFERENTLY = 5
    NOISE = 6

    @property
    def option(self) -> str:
        """Return its name on the command line and in JSON, for example `data-at-risk`."""
        return self.name.lower().replace("_", "-")

    @property
    def title(self) -> str:
        """Return its heading in the report."""
        return TITLES[self][0]

    @property
    def meaning(self) -> str:
        """Return what it means, in one sentence."""
        return TITLES[self][1]


TITLES: Final[dict[Severity, tuple[str, str]]] = {
    Severity.REFUSED: ("AWS will refuse this", "The deployment fails, and CloudFormation rolls the stack back."),
    Severity.DATA_AT_RISK: ("Data at risk", "Users can lose data, or data loses a protection."),
    Severity.EXPOSED: ("Exposed", "More callers can reach something, or a role may do more than before."),
    Severity.BREAKS_CLIENTS: ("Breaks clients", "Applications in use rely on what is removed or stricter now."),
    Severity.BEHAVES_DIFFERENTLY: ("Behaves differently", "The system runs other code or other settings."),
    Severity.COSTS_DIFFERENTLY: ("Costs differently", "The bill changes."),
    Severity.NOISE: ("Noise", "Texts, orders and hashes without an effect."),
}


def severity_of(option: str) -> Severity:
    """Return the severity with a name of the command line.

    Raises:
        ValueError: there is none.
    """
    for severity in Severity:
        if severity.option == option:
            return severity
    raise ValueError(f"{option} is no severity; allowed: {', '.join(each.option for each in Severity)}")


@dataclass(frozen=True)
class Finding:
    """One statement of the report.

    Args:
        rule: stable id of the rule that found it, for example `refused.index-changes`.
        severity: how much it matters.
        what: what changes, as one sentence.
        why: why it matters to users or operators.
        action: what to do.
        stack: the stack's name; empty if it concerns several.
        resource: the logical id; empty if it concerns no resource.
        properties: the changed properties of the resource that it explains; `*` for the whole resource.
        source: file and line that define the resource, for example `stacks/routes.py:41`.
        details: further lines, for example a line diff.
    """

    rule: str
    severity: Severity
    what: str
    why: str
    action: str
    stack: str = ""
    resource: str = ""
    properties: tuple[str, ...] = ()
    source: str = ""
    details: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Return what identifies it in an override: rule, stack and resource."""
        return ":".join(part for part in (self.rule, self.stack, self.resource) if part)
