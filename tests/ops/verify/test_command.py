"""ops.verify: the end-to-end suite against a deployed environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ops import verify
from ops.errors import CommandError
from stacks.config.load import load
from tests.ops.deployed_stacks import STACK_OUTPUTS


def test_verify_runs_the_end_to_end_suite_against_a_deployed_environment(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "outputs.json").write_text(json.dumps(STACK_OUTPUTS), encoding="utf-8")
    arguments = ["--env", "dev", "--outputs-file", str(tmp_path / "outputs.json"), "--", "--collect-only", "-q"]
    assert verify.main(arguments) == 0
    printed = capfd.readouterr().out
    assert "tests/e2e/test_messaging.py" in printed
    assert "deselected" in printed


def test_verifying_prod_requires_confirmation() -> None:
    with pytest.raises(CommandError, match="CONFIRM=prod"):
        verify.check(load("prod"), {})
    verify.check(load("prod"), {"CONFIRM": "prod"})
    verify.check(load("dev"), {})
    with pytest.raises(CommandError, match="make test"):
        verify.check(load("local"), {})
