"""A stack that exists as long as a test needs it."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from tests.harness.e2e.environment import TestEnvironment

WAIT = {"Delay": 2, "MaxAttempts": 300}
"""The waiter asks every two seconds; its default is thirty."""


@asynccontextmanager
async def temporary_stack(
    environment: TestEnvironment, purpose: str, template: Mapping[str, Any]
) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """Create a stack, yield its name and outputs, and delete it.

    Raises:
        botocore.exceptions.WaiterError: its creation failed.
    """
    cloudformation = environment.aws("cloudformation")
    name = f"{purpose}-{uuid.uuid4().hex[:8]}"
    await asyncio.to_thread(
        cloudformation.create_stack,
        StackName=name,
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_IAM"],
    )
    try:
        await _wait(cloudformation, "stack_create_complete", name)
        stacks = await asyncio.to_thread(cloudformation.describe_stacks, StackName=name)
        yield name, {each["OutputKey"]: each["OutputValue"] for each in stacks["Stacks"][0].get("Outputs", [])}
    finally:
        await asyncio.to_thread(cloudformation.delete_stack, StackName=name)


async def delete_now(environment: TestEnvironment, name: str) -> None:
    """Delete a stack and wait until it is gone."""
    cloudformation = environment.aws("cloudformation")
    await asyncio.to_thread(cloudformation.delete_stack, StackName=name)
    await _wait(cloudformation, "stack_delete_complete", name)


async def _wait(cloudformation: Any, waiter: str, name: str) -> None:
    await asyncio.to_thread(cloudformation.get_waiter(waiter).wait, StackName=name, WaiterConfig=WAIT)
