"""Serves the example with the command: its table in an emulator, its user pool's keys in a file."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import boto3
from service_harness.example_api import TEMPLATE
from service_harness.running import CLIENT, POOL, UserPool
from service_harness.standalone import Standalone, standalone

TABLE = "ticker-dev-orders"


@contextmanager
def orders_table(dynamodb_endpoint: str) -> Iterator[Any]:
    """A client of the emulator in which the service creates the template's table."""
    client = boto3.client(
        "dynamodb", endpoint_url=dynamodb_endpoint, region_name="us-east-1",
        aws_access_key_id="test", aws_secret_access_key="test",
    )  # fmt: skip
    yield client
    client.close()


@asynccontextmanager
async def ticker(folder: Path, members: UserPool, dynamodb_endpoint: str) -> AsyncIterator[Standalone]:
    """Serve the template until the block ends."""
    keys = folder / "keys.json"
    keys.write_text(json.dumps(members.key_set()))
    existing = ("--resource", f"Members={POOL}", "--resource", f"MembersPage={CLIENT}", "--jwks", f"{POOL}={keys}")
    emulator = ("--aws-endpoint", dynamodb_endpoint, "--create-tables")
    async with standalone("--template", TEMPLATE, *emulator, *existing) as running:
        yield running
