"""Commands find queues, tables and logs of a deployed environment by the outputs of its stacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ops import outputs
from ops.errors import CommandError
from ops.explain import sources
from ops.support import end_call, redrive, users
from ops.support.audit import AuditLog
from stacks.outputs import OUTPUTS
from tests.harness.emulator import CREDENTIALS

DEPLOYED: dict[str, Callable[[str], Any]] = {
    "sources": lambda environment: sources.deployed(environment, outputs.read_stacks(environment, lambda: None)),
    "delivery": lambda environment: redrive.deployed(environment, "delivery"),
    "ring-timers": lambda environment: redrive.deployed(environment, "ring-timers"),
    "calls": end_call.deployed,
    "accounts": users.deployed,
    "audit": AuditLog.deployed,
}


def _stacks(environment: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for output in OUTPUTS:
        region = "eu-west-1" if "Region" in output.id else f"value of {output.id}"
        found.setdefault(output.stack_name(environment), {})[output.id] = region
    return found


@pytest.fixture(autouse=True)
def operator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the operator credentials, which creating a client looks for."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("name", DEPLOYED)
def test_everything_a_command_needs_is_an_output(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "read_stacks", lambda environment, make_client: _stacks(environment))
    assert DEPLOYED[name]("dev") is not None


def test_a_missing_output_names_the_deployment_to_make(monkeypatch: pytest.MonkeyPatch) -> None:
    stacks = _stacks("dev")
    del stacks["PantherKolab-Routes-dev"]["DeadLetterQueueUrl"]
    monkeypatch.setattr(outputs, "read_stacks", lambda environment, make_client: stacks)
    with pytest.raises(CommandError, match="make deploy ENV=dev"):
        redrive.deployed("dev", "delivery")
