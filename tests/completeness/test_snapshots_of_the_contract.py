"""The snapshots hold every part of the contract that templates have: a fast look before a synthesis compares them.

`tests/stacks/test_snapshots.py` synthesises every environment and compares whole templates. These tests only read
files: they notice within a second that `make snapshots` was forgotten after a change of the contract.
"""

from __future__ import annotations

import re
from functools import cache

import pytest

from appsync_js.render import namespaces, source
from contract.channels import NAMESPACES
from contract.routes import ROUTES
from contract.tables import TABLES
from stacks.config.load import environment_names, load
from stacks.policy.permissions import FUNCTIONS
from tests.completeness.source import ROOT

SNAPSHOTS = sorted(path.name for path in (ROOT / "tests/snapshots").iterdir() if (path / "Routes.yaml").is_file())
"""Every variant but that of the bridge, of which only the stacks that differ have snapshots."""
every_variant = pytest.mark.parametrize("variant", SNAPSHOTS)


@cache
def _snapshot(variant: str, stack: str) -> str:
    return (ROOT / f"tests/snapshots/{variant}/{stack}.yaml").read_text(encoding="utf-8")


def _require(variant: str, stack: str, parts: dict[str, str]) -> None:
    """Require that texts stand in a snapshot; the keys name what they are."""
    absent = [what for what, text in parts.items() if text not in _snapshot(variant, stack)]
    assert not absent, f"tests/snapshots/{variant}/{stack}.yaml lacks {', '.join(absent)}; run: make snapshots"


def _has_direct_messaging(variant: str) -> bool:
    return load(variant if variant in environment_names() else "staging").events.direct_messaging


def test_every_environment_has_snapshots() -> None:
    absent = sorted(set(environment_names()) - set(SNAPSHOTS))
    assert not absent, f"tests/snapshots lacks the environments {', '.join(absent)}; run: make snapshots"


@every_variant
def test_snapshot_has_every_table_and_index(variant: str) -> None:
    tables = {f"the table {table.entity}": f"TableName: PantherKolab-{table.entity}-" for table in TABLES}
    indexes = {f"the index {index.name}": f"IndexName: {index.name}\n" for table in TABLES for index in table.indexes}
    _require(variant, "Data", tables | indexes)


@every_variant
def test_snapshot_has_every_route(variant: str) -> None:
    _require(variant, "Routes", {f"the route {route.key}": f"RouteKey: {route.key}\n" for route in ROUTES})


@every_variant
def test_snapshot_has_every_namespace_with_its_present_handlers(variant: str) -> None:
    for namespace in NAMESPACES:
        if namespace.optional and not _has_direct_messaging(variant):
            continue
        what = f"the namespace {namespace.name}"
        _require(variant, "Events", {what: f"      Name: {namespace.name}\n"})
        assert namespace.name in namespaces(), f"appsync_js/{namespace.name}.js is missing: write its handlers"
        lines = {
            line.strip() for line in re.split(r"\n", source(namespace.name)) if not re.search(r"__[A-Z_]+__", line)
        }
        present = {line.strip() for line in _snapshot(variant, "Events").split("\n")}
        _require(variant, "Events", {f"a line of appsync_js/{namespace.name}.js": each for each in lines - present})


@every_variant
def test_snapshot_lets_functions_publish_to_every_namespace_that_they_publish_to(variant: str) -> None:
    published = [namespace for namespace in NAMESPACES if not namespace.optional]
    parts = {f"the permission to publish to {each.name}": f"/channelNamespace/{each.name}\n" for each in published}
    _require(variant, "Routes", parts)


@every_variant
def test_snapshot_lets_functions_query_every_index_that_they_query(variant: str) -> None:
    queried = {(table, index) for each in FUNCTIONS.values() for table, index in each.indexes}
    parts = {
        f"the permission to query {index.name} of {table.entity}": f"/index/{index.name}\n" for table, index in queried
    }
    _require(variant, "Routes", parts)


@every_variant
def test_snapshot_has_the_metrics_of_every_namespace(variant: str) -> None:
    """Without dashboards, no metric of a namespace is shown; the settings say so, not the snapshot itself."""
    environment = "staging" if variant == "imported-pool" else variant
    if not load(environment, variables={}).operations.dashboards:
        assert "AWS::CloudWatch::Dashboard" not in _snapshot(variant, "Operations")
        return
    metric = "ChannelNamespaceName\n              - "
    _require(
        variant, "Operations", {f"metrics of the namespace {each.name}": metric + each.name for each in NAMESPACES}
    )
