"""The request objects of `@aws-appsync/utils/dynamodb`: outputs captured from AWS, and documented forms."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from appsync_events_local.handlers.namespace_handlers import HandlerFailed

Evaluate = Callable[..., Awaitable[Any]]
TEST_KEY = {"id": {"S": "test"}}


def updated(expression: str, name: str, value: Any) -> dict[str, Any]:
    return {
        "operation": "UpdateItem",
        "key": TEST_KEY,
        "update": {
            "expression": expression,
            "expressionNames": {"#expName_1": name},
            "expressionValues": {":expValue_1": value},
        },
    }


LIST = {"L": [{"N": 1}, {"N": 2}, {"N": 3}]}

# Captured from AWS (EvaluateCode), as published in the test snapshots of the appsync-utils project.
CAPTURED = [
    ("ddb.get({ key: { id: 'id' } })", {"operation": "GetItem", "key": {"id": {"S": "id"}}}),
    (
        "ddb.put({ key: { id: 'abc' }, item: { value: 10 } })",
        {"operation": "PutItem", "key": {"id": {"S": "abc"}}, "attributeValues": {"value": {"N": 10}}},
    ),
    ("ddb.remove({ key: { id: 'test' } })", {"operation": "DeleteItem", "key": TEST_KEY}),
    ("ddb.scan({ limit: 10, nextToken: 'abc' })", {"operation": "Scan", "limit": 10, "nextToken": "abc"}),
    (
        "ddb.update({ key: { id: 'test' }, update: { age: ddb.operations.add(10) } })",
        updated("SET #expName_1 = :expValue_1", "age", {"N": 10}),
    ),
    (
        "ddb.update({ key: { id: 'test' }, update: { values: ddb.operations.append([1, 2, 3]) } })",
        updated("SET #expName_1 = list_append(#expName_1, :expValue_1)", "values", LIST),
    ),
    (
        "ddb.update({ key: { id: 'test' }, update: { values: ddb.operations.prepend([1, 2, 3]) } })",
        updated("SET #expName_1 = list_append(:expValue_1, #expName_1)", "values", LIST),
    ),
    (
        "ddb.update({ key: { id: 'test' }, update: { age: ddb.operations.increment(10) } })",
        updated("SET #expName_1 = #expName_1 + :expValue_1", "age", {"N": 10}),
    ),
    (
        "ddb.update({ key: { id: 'test' }, update: { age: ddb.operations.decrement(10) } })",
        updated("SET #expName_1 = #expName_1 - :expValue_1", "age", {"N": 10}),
    ),
    (
        "ddb.update({ key: { id: 'test' }, update: { values: ddb.operations.replace({ a: 10 }) } })",
        updated("SET #expName_1 = :expValue_1", "values", {"M": {"a": {"N": 10}}}),
    ),
    ("ddb.operations.add(10)", {"type": "OPERATION_ADD", "value": 10}),
    ("ddb.operations.append([1, 2, 3])", {"type": "OPERATION_APPEND", "items": [1, 2, 3]}),
    ("ddb.operations.decrement(10)", {"type": "OPERATION_DECREMENT", "by": 10}),
    ("ddb.operations.increment(10)", {"type": "OPERATION_INCREMENT", "by": 10}),
    ("ddb.operations.prepend([1, 2, 3])", {"type": "OPERATION_PREPEND", "items": [1, 2, 3]}),
    ("ddb.operations.replace({ a: 10 })", {"type": "OPERATION_REPLACE", "value": {"a": 10}}),
]

# The typed documentation's shapes.
DOCUMENTED = [
    (
        "ddb.get({ key: { id: 'a' }, consistentRead: true, projection: ['id', 'nested.list[1]'] })",
        {
            "operation": "GetItem",
            "key": {"id": {"S": "a"}},
            "consistentRead": True,
            "projection": {
                "expression": "#projName_1, #projName_2.#projName_3[1]",
                "expressionNames": {"#projName_1": "id", "#projName_2": "nested", "#projName_3": "list"},
            },
        },
    ),
    (
        "ddb.query({ query: { id: { eq: 'a' }, at: { between: [1, 5] } }, index: 'ByAt', scanIndexForward: false })",
        {
            "operation": "Query",
            "query": {
                "expression": "#keyName_1 = :keyValue_1 AND #keyName_2 BETWEEN :keyValue_2 AND :keyValue_3",
                "expressionNames": {"#keyName_1": "id", "#keyName_2": "at"},
                "expressionValues": {":keyValue_1": {"S": "a"}, ":keyValue_2": {"N": 1}, ":keyValue_3": {"N": 5}},
            },
            "index": "ByAt",
            "scanIndexForward": False,
        },
    ),
    (
        "ddb.update({ key: { id: 'test' }, update: { a: 1, b: ddb.operations.remove(), c: { d: ddb.operations.add(2) },"
        " e: [ddb.operations.updateListItem('x', 3)] } })['update']",
        {
            "expression": "SET #expName_1 = :expValue_1, #expName_3.#expName_4 = :expValue_2, "
            "#expName_5[3] = :expValue_3 REMOVE #expName_2",
            "expressionNames": {
                "#expName_1": "a",
                "#expName_2": "b",
                "#expName_3": "c",
                "#expName_4": "d",
                "#expName_5": "e",
            },
            "expressionValues": {":expValue_1": {"N": 1}, ":expValue_2": {"N": 2}, ":expValue_3": {"S": "x"}},
        },
    ),
    (
        "ddb.put({ key: { id: 'a' }, item: { tags: ddb.toStringSet(['x']) },"
        " condition: { id: { attributeExists: false } } })",
        {
            "operation": "PutItem",
            "key": {"id": {"S": "a"}},
            "attributeValues": {"tags": {"SS": ["x"]}},
            "condition": {"expression": "(attribute_not_exists(#id))", "expressionNames": {"#id": "id"}},
        },
    ),
    (
        "ddb.batchGet({ tables: { T: { keys: [{ id: 'a' }], consistentRead: true } } })",
        {"operation": "BatchGetItem", "tables": {"T": {"keys": [{"id": {"S": "a"}}], "consistentRead": True}}},
    ),
    (
        "ddb.batchPut({ tables: { T: [{ id: 'a', n: null }] } })",
        {"operation": "BatchPutItem", "tables": {"T": [{"id": {"S": "a"}, "n": {"NULL": None}}]}},
    ),
    (
        "ddb.batchDelete({ tables: { T: [{ id: 'a' }] } })",
        {"operation": "BatchDeleteItem", "tables": {"T": [{"id": {"S": "a"}}]}},
    ),
    (
        "ddb.transactGet({ items: [{ table: 'T', key: { id: 'a' } }] })",
        {"operation": "TransactGetItems", "transactItems": [{"table": "T", "key": {"id": {"S": "a"}}}]},
    ),
    (
        "ddb.transactWrite({ items: [{ putItem: { table: 'T', key: { id: 'a' }, item: { n: 1 } } },"
        " { deleteItem: { table: 'T', key: { id: 'b' } } },"
        " { conditionCheck: { table: 'T', key: { id: 'c' }, condition: { id: { attributeExists: true } } } }] })",
        {
            "operation": "TransactWriteItems",
            "transactItems": [
                {
                    "table": "T",
                    "operation": "PutItem",
                    "key": {"id": {"S": "a"}},
                    "attributeValues": {"n": {"N": 1}},
                },
                {"table": "T", "operation": "DeleteItem", "key": {"id": {"S": "b"}}},
                {
                    "table": "T",
                    "operation": "ConditionCheck",
                    "key": {"id": {"S": "c"}},
                    "condition": {
                        "expression": "(attribute_exists(#id))",
                        "expressionNames": {"#id": "id"},
                        "returnValuesOnConditionCheckFailure": True,
                    },
                },
            ],
        },
    ),
    ("[ddb.toNumberSet([1]), ddb.toBinarySet(['YQ=='])]", [{"NS": [1]}, {"BS": ["YQ=="]}]),
]

FILTERS = [
    ("{ a: { eq: 1 }, b: { ne: 2 } }", "(#a = :a_eq) AND (#b <> :b_ne)"),
    ("{ a: { le: 1, gt: 0 } }", "(#a <= :a_le) AND (#a > :a_gt)"),
    ("{ a: { lt: 1 } }", "(#a < :a_lt)"),
    ("{ a: { ge: 1 } }", "(#a >= :a_ge)"),
    ("{ a: { between: [1, 2] } }", "(#a BETWEEN :a_between_0 AND :a_between_1)"),
    ("{ a: { in: [1, 2] } }", "(#a IN (:a_in_0, :a_in_1))"),
    ("{ a: { notContains: 'x' } }", "(NOT contains(#a,:a_notContains))"),
    ("{ a: { beginsWith: 'x' } }", "(begins_with(#a,:a_beginsWith))"),
    ("{ a: { attributeType: 'number' } }", "(attribute_type(#a,:a_attributeType))"),
    ("{ a: { size: { gt: 2 } } }", "(size(#a) > :a_size_gt)"),
    ("{ a: { size: 2 } }", "(size(#a) = :a_size_eq)"),
    ("{ a: { b: { eq: 1 } } }", "(#a.#b = :a_b_eq)"),
    ("{ or: [{ a: { eq: 1 } }, { b: { eq: 2 } }] }", "((#a = :a_eq) OR (#b = :b_eq))"),
    ("{ or: [{ a: { eq: 1 } }, { a: { eq: 2 } }] }", "((#a = :a_eq) OR (#a = :a_eq_2))"),
    ("{ and: [{ a: { eq: 1, ne: 2 } }, { b: { eq: 3 } }] }", "(((#a = :a_eq) AND (#a <> :a_ne)) AND (#b = :b_eq))"),
    ("{ not: { a: { eq: 1 } } }", "(NOT (#a = :a_eq))"),
    ("{ or: [{ a: { eq: 1 } }], b: { eq: 2 } }", "(#a = :a_eq) AND (#b = :b_eq)"),
    ("{ 'a-b': { eq: 1 }, a_b: { eq: 2 } }", "(#a_b = :a_b_eq) AND (#a_b_2 = :a_b_eq_2)"),
]


@pytest.mark.parametrize(("expression", "expected"), CAPTURED + DOCUMENTED, ids=[r[0] for r in CAPTURED + DOCUMENTED])
async def test_helpers_build_the_request_object(evaluate: Evaluate, expression: str, expected: Any) -> None:
    assert await evaluate(expression) == expected


@pytest.mark.parametrize(("filter_object", "expected"), FILTERS, ids=[row[0] for row in FILTERS])
async def test_filters_become_expressions(evaluate: Evaluate, filter_object: str, expected: str) -> None:
    result = await evaluate(f"JSON.parse(util.transform.toDynamoDBFilterExpression({filter_object}))")
    assert result["expression"] == expected


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("ddb.query({ query: { id: { ne: 1 } } })", "'ne' cannot be used in a key condition"),
        ("ddb.transactWrite({ items: [{ upsertItem: {} }] })", "exactly one of putItem"),
        ("ddb.transactWrite({ items: [{ putItem: {}, deleteItem: {} }] })", "exactly one of putItem"),
        ("ddb.get({ key: { id: 'a' }, projection: ['a[x]'] })", "not an attribute path"),
        ("util.transform.toDynamoDBFilterExpression({ a: 1 })", "needs an object of operators"),
        ("util.transform.toDynamoDBFilterExpression({ a: { between: [1] } })", "list of two values"),
    ],
)
async def test_invalid_arguments_fail_with_a_reason(evaluate: Evaluate, expression: str, words: str) -> None:
    with pytest.raises(HandlerFailed, match=words.replace("[", r"\[")):
        await evaluate(expression)
