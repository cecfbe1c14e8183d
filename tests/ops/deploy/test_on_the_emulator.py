"""Half-way states that a deployment recovers, on the local cloud's CloudFormation in strict mode."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ops.change_report.comparison import Comparison, Revision
from ops.deploy.change_sets import ChangeSet, surprises
from ops.deploy.orphans import delete_empty, find_orphans
from ops.deploy.recovery import find_recoveries, recover
from ops.deploy.tools import Tools
from ops.errors import CommandError
from ops.preflight import Plan
from ops.progress import Progress
from tests.local.conftest import EmulatorProcess
from tests.local.stacks import FAILING, Stacks, table, table_exists, template

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    made = EmulatorProcess(tmp_path_factory.mktemp("emulator") / "state", events=False)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def stacks(process: EmulatorProcess) -> Stacks:
    return Stacks(process)


@pytest.fixture
def tools(process: EmulatorProcess) -> Tools:
    return Tools(process.aws, variables={}, progress=Progress(lambda line: None), pause=lambda seconds: None)


def protected(name: str) -> dict[str, Any]:
    return {**table(name, DeletionProtectionEnabled=True), "DeletionPolicy": "RetainExceptOnCreate"}


def test_failed_first_creation_is_deleted_and_its_empty_protected_table_too(stacks: Stacks, tools: Tools) -> None:
    name = f"left-over-{stacks.suffix}"
    failing = {**FAILING, "DependsOn": "One"}
    status = stacks.create("failed", template(One=protected(name), Two=failing), EnableTerminationProtection=True)
    assert status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
    (recovery,) = find_recoveries([stacks.name("failed")], tools)
    recover(recovery, tools)
    assert find_recoveries([stacks.name("failed")], tools) == []
    assert table_exists(stacks, name)
    plan = Plan({}, {stacks.name("failed"): template(One=protected(name))})
    (orphan,) = find_orphans(plan, tools.make_client)
    assert orphan.empty
    delete_empty(orphan, tools)
    assert not table_exists(stacks, name)
    assert stacks.create("failed", template(One=table(name))) == "CREATE_COMPLETE"
    assert find_recoveries([stacks.name("failed")], tools) == []


def test_left_over_table_with_data_is_imported_into_the_stack_that_creates_it(stacks: Stacks, tools: Tools) -> None:
    name = f"filled-{stacks.suffix}"
    stacks.emulator.table(name)
    dynamodb = stacks.emulator.aws("dynamodb")
    dynamodb.put_item(TableName=name, Item={"pk": {"S": "a"}, "sk": {"S": "1"}})
    key = dynamodb.describe_table(TableName=name)["Table"]["KeySchema"]
    resource = {**table(name, KeySchema=key), "DeletionPolicy": "Retain"}
    resource["Properties"]["AttributeDefinitions"] = [
        {"AttributeName": each["AttributeName"], "AttributeType": "S"} for each in key
    ]
    (orphan,) = find_orphans(Plan({}, {stacks.name("importing"): template(One=resource)}), tools.make_client)
    assert (orphan.empty, orphan.problem) == (False, "")
    with pytest.raises(CommandError, match="has items now"):
        delete_empty(orphan, tools)
    client = stacks.client
    client.create_change_set(
        StackName=stacks.name("importing"),
        ChangeSetName="make-deploy",
        ChangeSetType="CREATE",
        ImportExistingResources=True,
        TemplateBody=json.dumps(template(One=resource)),
    )
    described = client.describe_change_set(StackName=stacks.name("importing"), ChangeSetName="make-deploy")
    change_set = ChangeSet(stacks.name("importing"), [each["ResourceChange"] for each in described["Changes"]])
    assert change_set.summary == "import 1"
    client.execute_change_set(StackName=stacks.name("importing"), ChangeSetName="make-deploy")
    assert tools.ended(stacks.name("importing")).status == "CREATE_COMPLETE"
    assert dynamodb.scan(TableName=name, ConsistentRead=True)["Count"] == 1


def test_interrupted_preparation_of_a_first_creation_is_deleted(stacks: Stacks, tools: Tools) -> None:
    stack = stacks.name("review")
    request = {"StackName": stack, "ChangeSetType": "CREATE", "TemplateBody": json.dumps(template(One=table(stack)))}
    stacks.client.create_change_set(ChangeSetName="make-deploy", **request)
    (recovery,) = find_recoveries([stack], tools)
    recover(recovery, tools)
    assert find_recoveries([stack], tools) == []
    stacks.client.create_change_set(ChangeSetName="by-hand", **request)
    with pytest.raises(CommandError, match="by-hand of "):
        find_recoveries([stack], tools)


def test_replacement_in_a_change_set_of_the_engine_is_a_surprise(stacks: Stacks) -> None:
    name = stacks.name("replaced")
    before, after = table(f"before-{stacks.suffix}"), table(f"after-{stacks.suffix}")
    assert stacks.create("replaced", template(One=before)) == "CREATE_COMPLETE"
    stacks.client.create_change_set(
        StackName=name, ChangeSetName="make-deploy", TemplateBody=json.dumps(template(One=after))
    )
    described = stacks.client.describe_change_set(StackName=name, ChangeSetName="make-deploy")
    change_set = ChangeSet(name, [each["ResourceChange"] for each in described["Changes"]])
    unknown = Comparison(Revision({name: template(One=before)}), Revision({name: template(One=before)}))
    known = Comparison(Revision({name: template(One=before)}), Revision({name: template(One=after)}))
    assert [each.split(" because")[0] for each in surprises(change_set, unknown)] == [
        "One (AWS::DynamoDB::Table) is replaced"
    ]
    assert surprises(change_set, known) == []
