"""Every index is described, queried, and permitted to the functions that query it."""

from __future__ import annotations

import re

from contract.items import ITEMS
from contract.tables import TABLES, Index, Table
from stacks.policy.permissions import FUNCTIONS
from tests.completeness.source import missing, text_of, text_of_tests

INDEXES = [(table, index) for table in TABLES for index in table.indexes]
OF_THE_OLD_APPLICATION = {"EmailIndex", "MajorIndex", "ClassCodeIndex"}
"""Indexes that the previous application queries; no function of this backend does."""


def _title(table: Table, index: Index) -> str:
    return f"{table.entity}.{index.name}"


def _constant(table: Table) -> str:
    return table.setting.removesuffix("_TABLE")


def test_key_attributes_of_every_index_are_described() -> None:
    absent = []
    for table, index in INDEXES:
        described = {word.rstrip("?") for row in ITEMS[table.entity] for word in re.split(r", ", row[0])}
        described |= {key.name for key in (table.partition, table.sort) if key}
        keys = [key.name for key in (index.partition, index.sort) if key]
        absent += [f"{table.entity}.{key} of {index.name}" for key in keys if key not in described]
    assert not absent, missing(
        "contract/items.py does not describe", absent, "add the attribute, with ? if it is optional"
    )


def test_adapters_query_every_index() -> None:
    absent = [
        _title(table, index)
        for table, index in INDEXES
        if index.name not in OF_THE_OLD_APPLICATION
        and f'tables.{_constant(table)}.index("{index.name}")' not in text_of("handlers/adapters/**/*.py")
    ]
    assert not absent, missing("handlers/adapters queries no index", absent, "query it as tables.X.index(name).name")


def test_adapters_query_only_indexes_of_the_contract() -> None:
    known = {f'{_constant(table)}.index("{index.name}")' for table, index in INDEXES}
    queried = re.findall(r'tables\.([A-Z_]+\.index\("\w+"\))', text_of("handlers/adapters/**/*.py"))
    absent = sorted(set(queried) - known)
    assert not absent, missing("contract/tables.py lacks the index", absent, "add it to its table")


def test_a_function_may_query_every_index() -> None:
    permitted = {_title(table, index) for each in FUNCTIONS.values() for table, index in each.indexes}
    absent = [_title(*each) for each in INDEXES if each[1].name not in OF_THE_OLD_APPLICATION]
    absent = [each for each in absent if each not in permitted]
    assert not absent, missing(
        "stacks/policy/permissions.py lets no function query", absent, "add it to the indexes of the function"
    )


def test_a_test_names_every_index_of_the_old_application() -> None:
    absent = [
        each
        for each in sorted(OF_THE_OLD_APPLICATION - {"EmailIndex"})
        if not re.search(rf"\b{each}\b", text_of_tests())
    ]
    assert not absent, missing("no test queries", absent, "test that its items have the keys")
