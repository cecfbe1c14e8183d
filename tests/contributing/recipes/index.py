"""An index: the calls of one topic."""

from __future__ import annotations

from typing import Final

from tests.contributing.edits import after, append, edit
from tests.contributing.recipe import Recipe

_CALLS: Final = """    "a call; participants is a map by user id",
    Key("sessionId"),
    indexes=("""
_PERMISSION: Final = "# arn:${AWS::Partition}:dynamodb:::table/PantherKolab-Calls/index/ByTopic\n"

RECIPE: Final = Recipe(
    "An index",
    (
        edit(
            "contract/tables.py",
            "the table Calls has no index ByTopic",
            after(_CALLS, 'Index("ByTopic", Key("topic")), '),
        ),
        edit(
            "contract/items.py",
            "contract/items.py does not describe: Calls.topic of ByTopic",
            after("    tables.CALLS.entity: (\n", '        ("topic?", "S", "what the call is about"),\n'),
        ),
        edit(
            "handlers/adapters/dynamodb/calls/store.py",
            "handlers/adapters queries no index: Calls.ByTopic",
            after(
                '_BY_DUE: Final = tables.CALLS.index("ByDue")\n',
                '_BY_TOPIC = tables.CALLS.index("ByTopic").name\n',
            ),
        ),
        edit(
            "stacks/policy/permissions.py",
            "stacks/policy/permissions.py lets no function query: Calls.ByTopic",
            after(
                '_CALLS_BY_DUE: Final = _index(tables.CALLS, "ByDue")\n',
                '_CALLS_BY_TOPIC = _index(tables.CALLS, "ByTopic")\n',
            ),
            after("        indexes=(_CALLS_BY_DUE,", " _CALLS_BY_TOPIC,"),
        ),
        edit(
            "tests/snapshots/*/Data.yaml",
            "lacks the index ByTopic; run: make snapshots",
            append("#     - IndexName: ByTopic\n"),
        ),
        edit(
            "tests/snapshots/*/Routes.yaml",
            "lacks the permission to query ByTopic of Calls; run: make snapshots",
            append(_PERMISSION),
        ),
    ),
)
