"""Under faults, killed functions, cut connections and a restart, no message is lost, doubled or misplaced.

The long run: `pytest tests/chaos --chaos-sends 10000 -s`, which shows its progress; `--chaos-seed` draws other faults.
"""

from __future__ import annotations

import pytest

from bench.chaos.run import Plan, chaos
from local.testing import LocalCloud

LARGE_RUN = 1_000


@pytest.mark.local_cloud
async def test_every_member_reads_every_message_once_and_in_order(
    local_cloud: LocalCloud, chaos_sends: int, chaos_seed: int
) -> None:
    """Promises P1 and P4."""
    large = chaos_sends >= LARGE_RUN
    plan = Plan(
        users=50 if large else 12,
        interval=1.0 if large else 0.5,
        before=0.0,
        seed=chaos_seed,
        sends=chaos_sends,
        group_sizes=(30, 30, 300) if large else (4, 12),
    )
    outcome = await chaos(local_cloud, plan)
    print("\n".join(outcome.lines(plan)))
    assert outcome.found == []
    assert outcome.accepted >= chaos_sends
    assert outcome.kills > 0
    assert outcome.restart_seconds > 0
    unexplained = [record for record in local_cloud.faults.server_errors() if not record["faults"]]
    assert unexplained == []
