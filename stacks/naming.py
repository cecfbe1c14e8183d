"""Physical names of resources.

The names of tables, functions and queues follow from the environment. Stacks refer to them by name and need no
CloudFormation export, because an export cannot be changed while another stack imports it. AWS chooses the names of the
user pool, its client, the Event API and the stream; stacks refer to these by export, so that CloudFormation refuses to
delete one that is in use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PRODUCT: Final = "PantherKolab"

AUDIT_LOG: Final = "Audit"
"""Log group of the audit lines: what operators did to the environment, and why."""
DELIVERY_QUEUE: Final = "Delivery"
RING_TIMEOUTS_QUEUE: Final = "RingTimeouts"
OLD_SERVER_QUEUE: Final = "OldServer"
"""Messages for the old Socket.IO server, while it runs beside the backend; a FIFO queue, whose name ends in `.fifo`."""

DELIVERY_DEAD_LETTERS: Final = "DeliveryDeadLetters"
"""Messages of the delivery queue; SQS can redrive them."""
RELAY_DEAD_LETTERS: Final = "RelayDeadLetters"
"""Metadata of batches of the Outbox stream that the relay could not process."""
RING_TIMEOUTS_DEAD_LETTERS: Final = "RingTimeoutsDeadLetters"
"""Messages of the ring timer queue; SQS can redrive them."""
CHIME_EVENTS_DEAD_LETTERS: Final = "ChimeEventsDeadLetters"
"""Chime events that `chime_events` failed to process, from Lambda's asynchronous invocation."""
CHIME_RULE_DEAD_LETTERS: Final = "ChimeRuleDeadLetters"
"""Chime events that EventBridge could not hand over to Lambda."""
DEAD_LETTER_QUEUES: Final = (
    DELIVERY_DEAD_LETTERS,
    RELAY_DEAD_LETTERS,
    RING_TIMEOUTS_DEAD_LETTERS,
    CHIME_EVENTS_DEAD_LETTERS,
    CHIME_RULE_DEAD_LETTERS,
)
"""One queue for each kind of source, because each kind needs another way to repeat its messages."""


@dataclass(frozen=True)
class Names:
    """The physical names in one environment."""

    environment: str

    def of(self, resource: str) -> str:
        """Return `PantherKolab-{resource}-{environment}`: a stack, function, queue, topic, pool or API."""
        return f"{PRODUCT}-{resource}-{self.environment}"

    def function_log_group(self, function: str) -> str:
        """Return the name of the log group that Lambda writes a function's log to."""
        return f"/aws/lambda/{self.of(function)}"


def pascal_case(function: str) -> str:
    """Return a function's name in the spelling of construct ids: `ring_timeout` becomes `RingTimeout`."""
    return "".join(part.capitalize() for part in function.split("_"))
