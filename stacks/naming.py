"""Physical names.

Tables, functions and queues have names that follow from the environment, so stacks refer to them by name and need no
CloudFormation export, which would bind the stateful stacks to whoever uses them. Where AWS makes the name (pool,
client, Event API, stream), stacks refer to each other by export: deleting what is in use is then refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PRODUCT: Final = "PantherKolab"


@dataclass(frozen=True)
class Names:
    """The names in one environment."""

    environment: str

    def of(self, what: str) -> str:
        """Return `PantherKolab-{what}-{environment}`: a stack, function, queue, topic, pool or API."""
        return f"{PRODUCT}-{what}-{self.environment}"

    def function_log_group(self, function: str) -> str:
        """Return the name of the log group that Lambda writes a function's log to."""
        return f"/aws/lambda/{self.of(function)}"


def title(function: str) -> str:
    """Return a function's name as constructs spell it: `ring_timeout` becomes `RingTimeout`."""
    return "".join(part.capitalize() for part in function.split("_"))
