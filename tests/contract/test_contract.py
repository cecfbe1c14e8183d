"""The contract's tables, items and statuses describe the same things."""

from __future__ import annotations

from typing import get_args

import pytest

from contract import items, limits, requests, tables
from contract.statuses import COMMON, STATUSES


def test_every_table_has_its_attributes_described() -> None:
    assert set(items.ITEMS) == {table.entity for table in tables.TABLES}


def test_every_error_code_has_exactly_one_status() -> None:
    codes = [code for code, _ in STATUSES.values()]
    assert sorted(codes) == sorted(get_args(requests.ErrorCode))
    assert set(COMMON) < set(STATUSES)


@pytest.mark.parametrize("table", tables.TABLES, ids=lambda table: table.entity)
def test_every_index_is_found_by_its_name(table: tables.Table) -> None:
    assert [table.index(index.name) for index in table.indexes] == list(table.indexes)


def test_unknown_index_is_refused_with_the_names_that_the_table_has() -> None:
    with pytest.raises(KeyError, match="the table Users has no index NameIndex; it has: EmailIndex, MajorIndex"):
        tables.USERS.index("NameIndex")
    with pytest.raises(KeyError, match="the table Blocks has no index ByDue; it has: none"):
        tables.BLOCKS.index("ByDue")


def test_transactions_of_calls_and_groups_have_fewer_actions_than_dynamodb_allows() -> None:
    """A call has a lock and a row for each participant; a request about a group has a row for each user it names."""
    assert 2 * limits.CALL_PARTICIPANTS_MAX < limits.TRANSACTION_ITEMS_MAX
    assert limits.MEMBERS_PER_REQUEST < limits.TRANSACTION_ITEMS_MAX
