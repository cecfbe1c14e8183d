"""ops.update_rules: changes of deployed stacks that AWS refuses."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from ops.update_rules import refused_changes
from tests.stacks.synthesis import IMPORTED_POOL, templates

Template = dict[str, Any]


def _environment(variant: str) -> dict[str, Template]:
    return {f"PantherKolab-{stack}-staging": copy.deepcopy(each) for stack, each in templates(variant).items()}


def _table(environment: dict[str, Template], entity: str) -> dict[str, Any]:
    resources = environment["PantherKolab-Data-staging"]["Resources"]
    table: dict[str, Any] = next(each for each in resources.values() if f"-{entity}-" in str(each["Properties"]))
    return table["Properties"]  # type: ignore[no-any-return]


def _pool(environment: dict[str, Template]) -> dict[str, Any]:
    resources = environment["PantherKolab-Identity-staging"]["Resources"]
    pool: dict[str, Any] = next(each for each in resources.values() if each["Type"] == "AWS::Cognito::UserPool")
    return pool["Properties"]  # type: ignore[no-any-return]


def test_unchanged_environment_is_accepted() -> None:
    assert refused_changes(_environment("staging"), _environment("staging")) == []


def test_first_deployment_is_accepted() -> None:
    assert refused_changes({}, _environment("staging")) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("staging", IMPORTED_POOL, 'identity.source changed from "create" to "import"'),
        (IMPORTED_POOL, "staging", 'identity.source changed from "import" to "create"'),
    ],
)
def test_changed_source_of_the_user_pool_is_refused_with_the_reason(before: str, after: str, expected: str) -> None:
    refused = refused_changes(_environment(before), _environment(after))
    assert any(expected in change for change in refused)


def test_removed_export_that_another_stack_imports_is_refused() -> None:
    after = _environment("staging")
    after["PantherKolab-Data-staging"]["Outputs"].clear()
    (change,) = refused_changes(_environment("staging"), after)
    assert "Outbox" in change
    assert "is removed while PantherKolab-Routes-staging imports it" in change


def test_changed_export_that_another_stack_imports_is_refused() -> None:
    after = _environment("staging")
    for output in after["PantherKolab-Data-staging"]["Outputs"].values():
        output["Value"] = {"Fn::GetAtt": ["Another", "StreamArn"]}
    (change,) = refused_changes(_environment("staging"), after)
    assert "is changed while PantherKolab-Routes-staging imports it" in change


def test_removed_export_that_no_deployed_stack_imports_is_accepted() -> None:
    before = _environment("staging")
    del before["PantherKolab-Routes-staging"]
    after = _environment("staging")
    after["PantherKolab-Data-staging"]["Outputs"].clear()
    assert refused_changes(before, after) == []


def _remove_both(table: dict[str, Any]) -> None:
    del table["GlobalSecondaryIndexes"]


def _project_keys(table: dict[str, Any]) -> None:
    table["GlobalSecondaryIndexes"][0]["Projection"] = {"ProjectionType": "KEYS_ONLY"}


@pytest.mark.parametrize("change", [_remove_both, _project_keys])
def test_two_index_changes_of_one_table_are_refused(change: Callable[[dict[str, Any]], None]) -> None:
    """DynamoDB allows one index change per update; a changed index is a deletion and a creation."""
    after = _environment("staging")
    change(_table(after, "Users"))
    (refused,) = refused_changes(_environment("staging"), after)
    assert "has 2 index changes, and DynamoDB allows one per update" in refused


def test_one_index_change_per_table_is_accepted() -> None:
    after = _environment("staging")
    del _table(after, "Users")["GlobalSecondaryIndexes"][0]
    del _table(after, "Groups")["GlobalSecondaryIndexes"]
    assert refused_changes(_environment("staging"), after) == []


def test_replacement_of_a_table_under_its_name_is_refused() -> None:
    after = _environment("staging")
    _table(after, "Blocks")["KeySchema"].pop()
    (refused,) = refused_changes(_environment("staging"), after)
    assert "KeySchema of Blocks" in refused
    assert "cannot replace a resource under the same TableName" in refused


def test_new_logical_id_of_a_table_with_the_same_name_is_refused() -> None:
    after = _environment("staging")
    resources = after["PantherKolab-Data-staging"]["Resources"]
    resources["Renamed"] = resources.pop(next(name for name in resources if name.startswith("Blocks")))
    (refused,) = refused_changes(_environment("staging"), after)
    assert "PantherKolab-Blocks-staging changed from Blocks" in refused
    assert "its name is taken" in refused


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda pool: pool.update(UsernameAttributes=["phone_number"]), "UsernameAttributes of the user pool"),
        (lambda pool: pool.update(UsernameConfiguration={"CaseSensitive": True}), "UsernameConfiguration of the user"),
        (lambda pool: pool["Schema"].pop(), "of the user pool UserPool6BA7E5F2 is changed or removed"),
    ],
)
def test_change_of_an_immutable_property_of_the_user_pool_is_refused(
    change: Callable[[dict[str, Any]], None], expected: str
) -> None:
    after = _environment("staging")
    change(_pool(after))
    (refused,) = refused_changes(_environment("staging"), after)
    assert expected in refused
