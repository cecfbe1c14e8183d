"""What ministack's CloudFormation does without the rules of strict mode: why each rule exists.

A test that fails here means that ministack has learned the rule: delete it, or correct what it says of ministack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from local.emulator.strict.rules.cloudformation import RULES
from tests.local.conftest import EmulatorProcess
from tests.local.stacks import FAILING, Stacks, attribute, export, pool, table, table_exists, template
from tests.local.strict import SwitchedOff


@pytest.fixture
def stacks(emulator: EmulatorProcess) -> Iterator[Stacks]:
    with SwitchedOff(emulator, RULES):
        made = Stacks(emulator)
        yield made
        made.clean()


def taken_names(stacks: Stacks) -> None:
    name = f"taken-{stacks.suffix}"
    stacks.emulator.table(name)
    stacks.emulator.aws("dynamodb").put_item(TableName=name, Item={"pk": {"S": "a"}, "sk": {"S": "1"}})
    assert stacks.create("one", template(One=table(name))) == "CREATE_COMPLETE"
    assert stacks.emulator.aws("dynamodb").scan(TableName=name, ConsistentRead=True)["Items"] == []
    assert stacks.update("one", template(Other=table(name))) == "UPDATE_COMPLETE"
    assert not table_exists(stacks, name)


def named_replacements(stacks: Stacks) -> None:
    rule: dict[str, Any] = {
        "Type": "AWS::Events::Rule",
        "Properties": {"Name": f"rule-{stacks.suffix}", "EventBusName": "default", "EventPattern": {"source": ["a"]}},
    }
    bus = {"Type": "AWS::Events::EventBus", "Properties": {"Name": f"bus-{stacks.suffix}"}}
    assert stacks.create("rule", template(Bus=bus, Rule=rule)) == "CREATE_COMPLETE"
    rule["Properties"]["EventBusName"] = f"bus-{stacks.suffix}"
    assert stacks.update("rule", template(Bus=bus, Rule=rule)) == "UPDATE_COMPLETE"


def exports_in_use(stacks: Stacks) -> None:
    name = f"shared-{stacks.suffix}"
    queue = template(One={"Type": "AWS::SQS::Queue"})
    importing = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Fn::ImportValue": name}}}
    stacks.create("exporting", {**queue, "Outputs": export("a", name)})
    stacks.create("importing", template(One=importing))
    assert stacks.update("exporting", queue) == "UPDATE_COMPLETE"
    assert stacks.create("later", template(One=importing)) == "CREATE_COMPLETE"


def stack_index_changes(stacks: Stacks) -> None:
    name = f"indexes-{stacks.suffix}"
    stacks.create("indexes", template(One=table(name, "a")))
    assert stacks.update("indexes", template(One=table(name, "b", "c"))) == "UPDATE_COMPLETE"


def time_to_live_changes(stacks: Stacks) -> None:
    name = f"expiring-{stacks.suffix}"
    for number, attribute_name in enumerate(("a", "b")):
        specification = {"AttributeName": attribute_name, "Enabled": True}
        deploy = stacks.update if number else stacks.create
        assert deploy("expiring", template(One=table(name, TimeToLiveSpecification=specification))).endswith(
            "E_COMPLETE"
        )
    described = stacks.emulator.aws("dynamodb").describe_time_to_live(TableName=name)
    assert described["TimeToLiveDescription"]["AttributeName"] == "b"


def pool_attributes(stacks: Stacks) -> None:
    stacks.create("pool", template(One=pool(Schema=[attribute("a"), attribute("b")])))
    assert stacks.update("pool", template(One=pool(Schema=[attribute("a", Mutable=False)]))) == "UPDATE_COMPLETE"


def deletion_protection(stacks: Stacks) -> None:
    name = f"protected-{stacks.suffix}"
    resources = {"One": table(name, DeletionProtectionEnabled=True), "Two": pool(DeletionProtection="ACTIVE")}
    stacks.create("protected", template(**resources))
    assert stacks.delete("protected") == "DELETE_COMPLETE"
    assert not table_exists(stacks, name)


def failed_creations(stacks: Stacks) -> None:
    assert stacks.create("failed", template(One=FAILING)) == "ROLLBACK_COMPLETE"
    assert stacks.create("failed", template(One={"Type": "AWS::SQS::Queue"})) == "CREATE_COMPLETE"


ALONE: Final[dict[str, Callable[[Stacks], None]]] = {
    each.__name__: each
    for each in (
        taken_names,
        named_replacements,
        exports_in_use,
        stack_index_changes,
        time_to_live_changes,
        pool_attributes,
        deletion_protection,
        failed_creations,
    )
}


@pytest.mark.parametrize("rule", [rule.field for rule in RULES])
def test_ministack_alone_accepts(stacks: Stacks, rule: str) -> None:
    ALONE[rule](stacks)
