"""Every template equals its snapshot in tests/snapshots; `make snapshots` rewrites the snapshots."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stacks.access import ACCESS, ACCESS_VARIANTS, access_template
from tests.stacks.snapshots import DIRECTORY, render
from tests.stacks.synthesis import BRIDGE, ENVIRONMENTS, STATEFUL, VARIANTS, templates

STACKS = ("Data", "Events", "Identity", "Operations", "Routes")
CANARY = "UserPoolCanaryClient"
"""The app client of the canary may be replaced: only the canary, which is deployed with it, knows its id."""
BRIDGE_STACKS = ("Bridge", "Data")
"""The stacks that differ where `cutover.bridge` is set."""
STATEFUL_IDS = DIRECTORY / "stateful-ids.txt"


@pytest.mark.parametrize("variant", ACCESS_VARIANTS)
def test_template_of_the_deployment_roles_equals_its_snapshot(variant: str, update_snapshots: bool) -> None:
    _compare(DIRECTORY / ACCESS / f"{variant}.yaml", render(access_template(variant)), update_snapshots)


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_template_equals_its_snapshot(variant: str, stack: str, update_snapshots: bool) -> None:
    """Requirement P6."""
    _compare(DIRECTORY / variant / f"{stack}.yaml", render(templates(variant)[stack]), update_snapshots)


def _compare(path: Path, text: str, update_snapshots: bool) -> None:
    if update_snapshots:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.is_file(), f"{path.parent.name} has no snapshot {path.name}; run: make snapshots"
    assert path.read_text(encoding="utf-8") == text, (
        "the template differs from its snapshot; run: make snapshots, and review the diff"
    )


@pytest.mark.parametrize("stack", BRIDGE_STACKS)
def test_template_of_the_bridge_equals_its_snapshot(stack: str, update_snapshots: bool) -> None:
    test_template_equals_its_snapshot(BRIDGE, stack, update_snapshots)


def test_every_snapshot_belongs_to_a_stack() -> None:
    files = {path.relative_to(DIRECTORY).as_posix() for path in DIRECTORY.rglob("*.yaml")}
    expected = {f"{variant}/{stack}.yaml" for variant in VARIANTS for stack in STACKS}
    expected |= {f"{BRIDGE}/{stack}.yaml" for stack in BRIDGE_STACKS}
    assert files == expected | {f"{ACCESS}/{variant}.yaml" for variant in ACCESS_VARIANTS}


def test_snapshot_shows_handler_code_as_text() -> None:
    text = render(templates("dev")["Events"])
    assert "CodeHandlers: |" in text
    assert "\n        export function onSubscribe(ctx) {" in text


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_stateful_resources_keep_their_logical_ids(environment: str, update_snapshots: bool) -> None:
    """Requirement P6."""
    ids = _stateful_ids(environment)
    known = STATEFUL_IDS.read_text(encoding="utf-8").splitlines() if STATEFUL_IDS.is_file() else []
    if update_snapshots:
        known = sorted({*known, *ids})
        STATEFUL_IDS.write_text("\n".join(known) + "\n", encoding="utf-8")
    missing = sorted(set(known) - set(ids))
    assert not missing, f"CloudFormation would replace these resources and lose their data: {missing}"
    assert ids == known, "tests/snapshots/stateful-ids.txt lacks new ids; run: make snapshots"


def _stateful_ids(environment: str) -> list[str]:
    kinds = ("AWS::DynamoDB::Table", "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient")
    return sorted(
        f"{stack} {logical_id} {resource['Type']} {_physical_name(resource, environment)}"
        for stack in STATEFUL
        for logical_id, resource in templates(environment)[stack]["Resources"].items()
        if resource["Type"] in kinds and not logical_id.startswith(CANARY)
    )


def _physical_name(resource: dict[str, dict[str, str]], environment: str) -> str:
    given = resource["Properties"]
    name = given.get("TableName") or given.get("UserPoolName") or given["ClientName"]
    return name.replace(f"-{environment}", "-{environment}")
