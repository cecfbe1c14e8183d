"""What a load run against AWS costs."""

from __future__ import annotations

from typing import Final

from ops.costs.ledger import operations
from ops.costs.prices import prices
from ops.load.plan import Plan

_DIRECT: Final = "message to a direct conversation"
_GROUP: Final = "message to a group of 10"
_GROUP_SIZE: Final = 10
_OPERATIONS_A_PUBLISH: Final = 3
"""The publish, its handler, and its delivery to one device."""
_MINUTES_AROUND: Final = 2
"""Minutes that each user is connected before and after the run."""


def dollars(plan: Plan) -> float:
    """Return an estimate without any free tier: requests, units, publishes and deliveries, connections, active users.

    The messages of a group are estimated from those of a group of ten, by the number of members. The time and the logs
    of the functions are left out: some hundredths of the sum.
    """
    cost, table = operations()[_DIRECT if plan.direct else _GROUP], prices()
    share = 1.0 if plan.direct else plan.group / _GROUP_SIZE
    message = (
        cost.requests * table["api"]["request"]
        + cost.invocations * table["functions"]["request"]
        + cost.write_units * table["tables"]["write_unit"]
        + cost.read_units * table["tables"]["read_unit"]
        + cost.queue_requests * table["queues"]["request"]
        + cost.publishes * share * _OPERATIONS_A_PUBLISH * table["appsync"]["operation"]
    )
    minutes = plan.users * (plan.seconds / 60 + _MINUTES_AROUND)
    each = minutes * table["appsync"]["connection_minute"] + plan.users * table["accounts"]["active_user"]
    return float(plan.offered * plan.seconds * message + each)
