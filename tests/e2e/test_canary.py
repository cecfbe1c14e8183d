"""The canary on the local cloud: a healthy run, and runs that name the step that a fault makes fail."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from botocore.config import Config

from handlers.core.canary.run import STEPS
from local.control.faults import FaultControl
from local.testing import LocalCloud
from ops.canary import CanaryUsers

ENVIRONMENT = "local"
FUNCTION = f"PantherKolab-canary-{ENVIRONMENT}"


@pytest.fixture
def canary_users(cloud: LocalCloud) -> CanaryUsers:
    """The canary's users, created as by `make canary`."""
    clients = [cloud.aws(service) for service in ("cognito-idp", "dynamodb", "ssm")]
    users = CanaryUsers(*clients, pool_id=cloud.outputs.userPoolId, environment=ENVIRONMENT)
    users.create()
    return users


async def run(cloud: LocalCloud) -> tuple[bool, dict[str, Any]]:
    """Invoke the function; return whether it succeeded, and its result or error."""
    client = cloud.aws("lambda", config=Config(read_timeout=60, retries={"total_max_attempts": 1}))
    answer = await asyncio.to_thread(client.invoke, FunctionName=FUNCTION)
    return "FunctionError" not in answer, json.loads(answer["Payload"].read())


async def test_healthy_run_uses_the_whole_product(canary_users: CanaryUsers, cloud: LocalCloud) -> None:
    for _ in range(2):  # the second run finds what the first one stored
        succeeded, result = await run(cloud)
        assert succeeded, result
        assert tuple(result["steps"]) == STEPS
        assert 0 < result["deliveryMilliseconds"] < 10_000


async def test_run_without_users_names_the_credentials(canary_users: CanaryUsers, cloud: LocalCloud) -> None:
    await asyncio.to_thread(canary_users.remove)
    succeeded, error = await run(cloud)
    assert not succeeded
    assert error["errorMessage"].startswith("step credentials: ")
    assert "make canary" in error["errorMessage"]


async def test_run_names_the_refused_subscription(
    canary_users: CanaryUsers, cloud: LocalCloud, faults: FaultControl
) -> None:
    await asyncio.to_thread(faults.set_events, {"match": {"operation": "subscribe"}, "effect": "error", "status": 500})
    succeeded, error = await run(cloud)
    assert not succeeded
    assert error["errorMessage"].startswith("step subscribe: ")
