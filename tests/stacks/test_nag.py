"""cdk-nag: every finding is acknowledged, and every acknowledgement has a finding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sqs as sqs

from stacks.policy.nag import add_rules
from tests.stacks.access import ACCESS_VARIANTS, access_assembly
from tests.stacks.synthesis import ALL, BRIDGE, assembly

_ACCESS = "access to "
every_variant = pytest.mark.parametrize("variant", [*ALL, BRIDGE, *(f"{_ACCESS}{each}" for each in ACCESS_VARIANTS)])


@every_variant
def test_every_finding_is_acknowledged(variant: str) -> None:
    report = _report(variant)
    # A pack without a rule for any resource of the stack has no report.
    packs = {"AwsSolutions"} if variant.startswith(_ACCESS) else {"AwsSolutions", "Serverless"}
    assert {plugin["pluginName"] for plugin in report} == packs
    assert [finding for plugin in report for finding in plugin["violations"]] == []


@every_variant
def test_every_acknowledgement_has_a_finding(variant: str) -> None:
    used = {
        (f"/{finding['acknowledgedAt']}", finding["acknowledgedId"], finding["reason"])
        for plugin in _report(variant)
        for finding in plugin["suppressedViolations"]
    }
    given = {
        (path, finding, reason)
        for file in _assembly(variant).glob("*.metadata.json")
        for path, entries in json.loads(file.read_text(encoding="utf-8")).items()
        for entry in entries
        if entry["type"] == "aws:cdk:acknowledged-rules"
        for finding, reason in entry["data"].items()
        if finding.startswith(("AwsSolutions::", "Serverless::"))
    }
    assert given == used
    assert given


def test_finding_without_acknowledgement_stops_the_synthesis(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), builtin_cloud_formation_validation=False)
    sqs.Queue(cdk.Stack(app, "Careless"), "PlainQueue")
    add_rules(app)
    with pytest.raises(RuntimeError, match="does not require requests to use SSL"):
        app.synth()


def _assembly(variant: str) -> Path:
    name = variant.removeprefix(_ACCESS)
    return access_assembly(name) if name != variant else assembly(variant, nag=True)


def _report(variant: str) -> list[dict[str, Any]]:
    path = _assembly(variant) / "validation-report.json"
    report: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["pluginReports"]
    return report
