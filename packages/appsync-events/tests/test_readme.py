"""Every example of README.md runs as it stands, against an Event API on this machine."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import appsync_events
import pytest
from events_harness.local_api import LocalApi

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
EXPECTED = [
    "{'goal': 1}\n{'goal': 2}\n",
    "13 12\n12 EventTooLargeException\n()\n1 of 13 events failed: EventTooLargeException: "
    "Transformed event is larger than 240KB\n",
    "hello\n",
    "connecting \nconnected \nclosed \n",
    "/open/ada hello\n/open/grace hello\n",
]


@pytest.mark.parametrize("number", range(len(EXPECTED)))
async def test_example_prints_the_documented_output(api: LocalApi, number: int) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "EVENTS_ENDPOINT": api.endpoint,
        "EVENTS_API_KEY": api.api_key,
        "EVENTS_TOKEN": api.user_pool_token(),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", EXAMPLES[number], env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, out.decode()) == (0, EXPECTED[number])


def test_every_example_is_run() -> None:
    assert len(EXAMPLES) == len(EXPECTED)


def test_manual_names_every_public_name_and_nothing_unknown() -> None:
    unnamed = [name for name in appsync_events.__all__ if not re.search(rf"\b{name}\b", README)]
    assert unnamed == []
    imported = {
        name.strip() for line in re.findall(r"from appsync_events import (.+)", README) for name in line.split(",")
    }
    assert imported <= set(appsync_events.__all__)
