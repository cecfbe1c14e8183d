"""What a change does to the templates shows in the diff of tests/snapshots; `make snapshots` rewrites them."""

from __future__ import annotations

import pytest

from tests.stacks.snapshots import FOLDER, render
from tests.stacks.synthesis import ENVIRONMENTS, STATEFUL, VARIANTS, templates

STACKS = ("Data", "Events", "Identity", "Operations", "Routes")
STATEFUL_IDS = FOLDER / "stateful-ids.txt"


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_template_is_the_one_that_was_reviewed(variant: str, stack: str, update_snapshots: bool) -> None:
    path = FOLDER / variant / f"{stack}.yaml"
    text = render(templates(variant)[stack])
    if update_snapshots:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.is_file(), f"{path.name} of {variant} has no snapshot: make snapshots"
    assert path.read_text(encoding="utf-8") == text, "the template differs from its snapshot: make snapshots, and read"


def test_no_snapshot_is_left_of_a_stack_that_is_gone() -> None:
    files = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.yaml")}
    assert files == {f"{variant}/{stack}.yaml" for variant in VARIANTS for stack in STACKS}


def test_handler_code_reads_as_text_in_the_snapshot() -> None:
    text = render(templates("dev")["Events"])
    assert "CodeHandlers: |" in text
    assert "\n        export function onSubscribe(ctx) {" in text


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_holds_data_keeps_its_logical_id_for_ever(environment: str, update_snapshots: bool) -> None:
    ids = _stateful_ids(environment)
    known = STATEFUL_IDS.read_text(encoding="utf-8").splitlines() if STATEFUL_IDS.is_file() else []
    if update_snapshots:
        known = sorted({*known, *ids})
        STATEFUL_IDS.write_text("\n".join(known) + "\n", encoding="utf-8")
    gone = sorted(set(known) - set(ids))
    assert not gone, f"CloudFormation would make these anew, without their data: {gone}"
    assert ids == known, "new in tests/snapshots/stateful-ids.txt: make snapshots"


def _stateful_ids(environment: str) -> list[str]:
    kinds = ("AWS::DynamoDB::Table", "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient")
    return sorted(
        f"{stack} {logical_id} {resource['Type']} {_physical_name(resource, environment)}"
        for stack in STATEFUL
        for logical_id, resource in templates(environment)[stack]["Resources"].items()
        if resource["Type"] in kinds
    )


def _physical_name(resource: dict[str, dict[str, str]], environment: str) -> str:
    given = resource["Properties"]
    name = given.get("TableName") or given.get("UserPoolName") or given["ClientName"]
    return name.replace(f"-{environment}", "-{environment}")
