"""Synthesises environments in this process, each once, and returns their templates as dictionaries."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from stacks.app import compose
from stacks.config.fields import DISPOSABLE, Backup, Canary, Cutover, Domain, Environment, Identity
from stacks.config.load import environment_names, load
from stacks.packaging import ROOT, Asset
from stacks.policy.nag import add_rules

Template = dict[str, Any]
Resource = dict[str, Any]

ENVIRONMENTS = tuple(environment_names())
IMPORTED_POOL = "imported-pool"
EVERYTHING = "everything"
BRIDGE = "bridge"
"""Staging with the bridge to the old Socket.IO server; only tests/stacks/test_bridge.py uses it."""
VARIANTS = (*ENVIRONMENTS, IMPORTED_POOL)
"""The variants with snapshots: every environment, and one with an imported user pool."""
SECOND_VAULT = "arn:aws:backup:eu-west-1:000000000000:backup-vault:Copies"
_SCRATCH = tempfile.TemporaryDirectory(prefix="synthesis-")
STATEFUL = ("Data", "Identity")
ALL = (*ENVIRONMENTS, IMPORTED_POOL, EVERYTHING)
"""The variants of all other tests: also one with every optional setting."""
PROTECTED = tuple(variant for variant in ALL if variant not in DISPOSABLE)


def settings_of(variant: str) -> Environment:
    """Return the settings of an environment, or of a variant that no environment of the repository has."""
    if variant == IMPORTED_POOL:
        imported = Identity(source="import", pool_id="eu-west-1_AbCdEf123", client_ids=("a" * 26, "b" * 26))
        return replace(load("staging", variables={}), identity=imported)
    if variant == BRIDGE:
        return replace(load("staging", variables={}), cutover=Cutover(bridge=True))
    if variant == EVERYTHING:
        prod = load("prod", variables={})
        certificate = "arn:aws:acm:us-east-1:000000000000:certificate/00000000-0000-0000-0000-000000000000"
        return replace(
            prod,
            identity=replace(prod.identity, email_from="hello@example.edu"),
            api=replace(prod.api, domain=Domain(name="api.example.edu", certificate_arn=certificate)),
            events=replace(
                prod.events,
                direct_messaging=True,
                domain=Domain(name="events.example.edu", certificate_arn=certificate),
            ),
            functions=replace(prod.functions, snap_start=True),
            canary=Canary(enabled=True, minutes=1),
            data=replace(
                prod.data,
                backup=Backup(every="week", keep_days=90, second_vault=SECOND_VAULT),
                message_retention_days=730,
                call_retention_days=365,
            ),
            operations=replace(prod.operations, alarm_recipients=("on-call@example.edu", "lead@example.edu")),
        )
    return load(variant, variables={})


@cache
def assembly(variant: str, *, nag: bool = False) -> Path:
    """Synthesise a variant, optionally with cdk-nag, and return the directory of its cloud assembly."""
    directory = Path(tempfile.mkdtemp(prefix=f"{variant}-", dir=_SCRATCH.name))
    package = directory / "package"
    package.mkdir()
    (package / "code.py").write_text("", encoding="utf-8")
    return synthesised(
        directory / "cdk.out", lambda app: compose(app, settings_of(variant), Asset(package, "0" * 64)), nag=nag
    )


def synthesised(directory: Path, add_stacks: Callable[[cdk.App], object], *, nag: bool) -> Path:
    """Synthesise stacks with the context of cdk.json, optionally with cdk-nag, and return the directory."""
    app = cdk.App(
        outdir=str(directory),
        analytics_reporting=False,
        builtin_cloud_formation_validation=False,
        context=json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"],
    )
    add_stacks(app)
    if nag:
        add_rules(app)
    app.synth()
    return directory


@cache
def templates(variant: str) -> dict[str, Template]:
    """Return the templates of a variant by stack (`Data`, `Identity`, …)."""
    return {
        path.name.removesuffix(".template.json"): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(assembly(variant).glob("*.template.json"))
    }


def resources(variant: str, kind: str | None = None) -> dict[str, Resource]:
    """Return the resources of all stacks, `{stack}/{logical id}` to resource, of one CloudFormation type or all."""
    return {
        f"{stack}/{logical_id}": resource
        for stack, template in templates(variant).items()
        for logical_id, resource in template["Resources"].items()
        if kind is None or resource["Type"] == kind
    }


def properties(variant: str, kind: str) -> list[dict[str, Any]]:
    """Return the properties of every resource of a type."""
    return [resource.get("Properties", {}) for resource in resources(variant, kind).values()]


def readable(value: Any) -> Any:
    """Return a value of a template with joins and references as one text: `arn:${AWS::Partition}:…`."""
    if isinstance(value, dict):
        return _readable_function(value)
    if isinstance(value, list):
        return [readable(item) for item in value]
    return value


def _readable_function(value: dict[str, Any]) -> Any:
    match value:
        case {"Ref": name}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::ImportValue": name}:
            return f"${{import {name}}}"
        case {"Fn::Sub": str(text)}:
            return text
        case {"Fn::Join": [separator, list(parts)]}:
            return separator.join(str(readable(part)) for part in parts)
    return {key: readable(item) for key, item in value.items()}


def allow_statements(variant: str) -> list[tuple[str, dict[str, Any]]]:
    """Return every Allow statement of roles and policies, with the name of its resource."""
    documents = [
        (name, policy["PolicyDocument"])
        for name, role in resources(variant, "AWS::IAM::Role").items()
        for policy in role["Properties"].get("Policies", [])
    ]
    documents += [
        (name, policy["Properties"]["PolicyDocument"])
        for name, policy in resources(variant, "AWS::IAM::Policy").items()
    ]
    return [
        (name, statement)
        for name, document in documents
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
    ]


def as_list(value: Any) -> list[str]:
    """Return a single value or a list as a list."""
    return value if isinstance(value, list) else [value]
