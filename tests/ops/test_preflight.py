"""ops.preflight: checks against the deployed stacks before a deployment."""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops import preflight, revision
from ops.errors import CommandError
from ops.preflight import DeployedStack
from tests.stacks.synthesis import assembly, templates


class _CloudFormation:
    """A CloudFormation client with some stacks."""

    def __init__(self, **stacks: dict[str, Any]) -> None:
        self.stacks = {f"PantherKolab-{name}-staging": stack for name, stack in stacks.items()}

    def describe_stacks(self, **request: str) -> dict[str, Any]:
        name = request["StackName"]
        if name not in self.stacks:
            error = {"Code": "ValidationError", "Message": f"Stack with id {name} does not exist"}
            raise ClientError({"Error": error}, "DescribeStacks")
        return {"Stacks": [self.stacks[name]]}

    def get_template(self, **request: str) -> dict[str, Any]:
        return {"TemplateBody": json.dumps({"Resources": {}})}


def _stack(status: str = "UPDATE_COMPLETE", **fields: Any) -> dict[str, Any]:
    return {"StackStatus": status, "EnableTerminationProtection": True, **fields}


def _deployed(recorded: str | None = None, status: str = "UPDATE_COMPLETE") -> dict[str, DeployedStack]:
    return {
        f"PantherKolab-{name}-staging": DeployedStack(status, True, recorded, template)
        for name, template in templates("staging").items()
    }


def test_deployed_stacks_are_read_with_status_protection_and_revision() -> None:
    outputs = [{"OutputKey": "Revision", "OutputValue": "v1-0-gabc"}]
    client = _CloudFormation(
        Data=_stack(Outputs=outputs), Routes=_stack("ROLLBACK_COMPLETE"), Events=_stack("REVIEW_IN_PROGRESS")
    )
    found = preflight.read_deployed("staging", client)
    assert found == {
        "PantherKolab-Data-staging": DeployedStack("UPDATE_COMPLETE", True, "v1-0-gabc", {"Resources": {}}),
        "PantherKolab-Routes-staging": DeployedStack("ROLLBACK_COMPLETE", True, None, {"Resources": {}}),
    }


def test_unchanged_stacks_pass() -> None:
    preflight.check_changes(preflight.plan(_deployed(), assembly("staging"), ()))


def test_changes_that_aws_refuses_stop_the_deployment_unless_their_stack_is_not_deployed() -> None:
    with pytest.raises(CommandError, match=r'identity\.source changed from "create" to "import"'):
        preflight.check_changes(preflight.plan(_deployed(), assembly("imported-pool"), ()))
    preflight.check_changes(preflight.plan(_deployed(), assembly("imported-pool"), ("Operations",)))
    preflight.check_changes(preflight.plan(_deployed(status="ROLLBACK_COMPLETE"), assembly("imported-pool"), ()))


def test_changes_that_put_stored_data_at_risk_stop_the_deployment() -> None:
    deployed = _deployed()
    preflight.check_data_risks(preflight.plan(deployed, assembly("staging"), ()))
    plan = preflight.plan(deployed, assembly("staging"), ())
    for resource in (synthesised := copy.deepcopy(plan.synthesised["PantherKolab-Data-staging"]))["Resources"].values():
        resource["DeletionPolicy"] = "Delete"
    weakened = preflight.Plan(plan.deployed, {"PantherKolab-Data-staging": synthesised})
    with pytest.raises(CommandError, match=r"--accept-data-risks:(\n.* is no longer Retain.*){12}$"):
        preflight.check_data_risks(weakened)


@pytest.fixture
def history(tmp_path: Path) -> tuple[Path, str]:
    """A checkout of the first of two commits, and the revision of the second."""

    def git(*arguments: str) -> None:
        author = ["-c", "user.name=Test", "-c", "user.email=test@example.edu", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(tmp_path), *author, *arguments], check=True, timeout=30)

    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "--message", "first")
    git("tag", "v1")
    git("commit", "--quiet", "--allow-empty", "--message", "second")
    newer = revision.current(tmp_path)
    git("checkout", "--quiet", "v1")
    return tmp_path, newer


def test_revision_is_the_last_tag_and_the_commit(history: tuple[Path, str]) -> None:
    root, newer = history
    assert newer.startswith("v1-1-g")
    assert revision.current(root).startswith("v1-0-g")
    (root / "file").write_text("", encoding="utf-8")
    subprocess.run(["git", "-C", str(root), "add", "file"], check=True, timeout=30)
    assert revision.current(root).endswith("-dirty")


def test_revision_of_a_directory_without_history_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="is unknown"):
        revision.current(tmp_path)


def test_data_is_not_rolled_back_but_functions_and_channels_are(history: tuple[Path, str]) -> None:
    root, newer = history
    with pytest.raises(CommandError, match=r"older than the deployed revision .* --only Events Routes"):
        preflight.check_changes(preflight.plan(_deployed(newer), assembly("staging"), ()), root)
    preflight.check_changes(preflight.plan(_deployed(newer), assembly("staging"), ("Events", "Routes")), root)


@pytest.mark.parametrize("recorded", [None, "0123456789ab", "v1-0-g0123456789ab"])
def test_unknown_or_missing_deployed_revision_is_no_rollback(history: tuple[Path, str], recorded: str | None) -> None:
    preflight.check_changes(preflight.plan(_deployed(recorded), assembly("staging"), ()), history[0])


def test_older_revision_is_an_ancestor_and_a_newer_or_unknown_one_is_not(history: tuple[Path, str]) -> None:
    root, newer = history
    assert revision.is_ancestor(root, "v1", f"{newer}-dirty")
    assert not revision.is_ancestor(root, newer, "v1")
    assert not revision.is_ancestor(root, "v1", "0123456789ab")


def test_dirty_checkout_of_the_deployed_revision_is_no_rollback(history: tuple[Path, str]) -> None:
    root, _ = history
    assert not revision.is_older(root, f"{revision.current(root)}-dirty")
