"""Permissions that no test of the local cloud uses, each with the reason why it is granted."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from local.permissions.report import Right


@dataclass(frozen=True)
class Reason:
    """One exception.

    Attributes:
        owner: whose right: a function without project and environment, or the beginning of a role's description.
        action: pattern of the granted action.
        resource: pattern of the granted resource.
        why: the reason, for people.
    """

    owner: str
    action: str
    resource: str
    why: str

    def covers(self, right: Right) -> bool:
        """Whether it is about this right."""
        owner = right.owner.split("-")[1] if right.owner.startswith("PantherKolab-") else right.owner
        return (
            fnmatchcase(owner, self.owner)
            and fnmatchcase(right.action, self.action)
            and fnmatchcase(right.resource, self.resource)
        )


REASONS: tuple[Reason, ...] = (
    Reason(
        "Lets the Event API write its own log",
        "logs:*",
        "*:log-group:/aws/appsync/apis/*",
        "AppSync writes it on AWS; the local Events service logs into a file",
    ),
    Reason(
        "relay",
        "sqs:SendMessage",
        "*:PantherKolab-RelayDeadLetters-*",
        "Lambda gives up on a piece of the stream after a day, which no test waits for",
    ),
)


def why_unused(right: Right) -> str | None:
    """The reason for a right that was not used, or None."""
    return next((reason.why for reason in REASONS if reason.covers(right)), None)
