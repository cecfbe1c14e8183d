"""Renders templates as snapshots: one YAML file per stack and environment, without hashes of code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from tests.stacks.synthesis import Template, readable

DIRECTORY = Path(__file__).resolve().parent.parent / "snapshots"

_HASH = re.compile(r"\b[0-9a-f]{64}\b")


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def render(template: Template) -> str:
    """Return a template as YAML: sorted, references as text, handler code and dashboard body expanded."""
    return yaml.dump(_normalised(template), Dumper=_Dumper, sort_keys=True, width=140, allow_unicode=True)


def _normalised(template: Template) -> Template:
    kept = {key: value for key, value in template.items() if key not in ("Rules", "Parameters")}
    kept["Resources"] = {name: _resource(resource) for name, resource in kept["Resources"].items()}
    text = _HASH.sub("<hash>", json.dumps(readable(kept)))
    for version in _versions(template):
        text = text.replace(version, re.sub(r"[0-9a-f]{32}$", "<hash>", version))
    normal: Template = json.loads(text)
    for resource in normal["Resources"].values():
        if resource["Type"] == "AWS::CloudWatch::Dashboard":
            resource["Properties"]["DashboardBody"] = json.loads(resource["Properties"]["DashboardBody"])
    return normal


def _resource(resource: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in resource.items() if key != "Metadata"}


def _versions(template: Template) -> list[str]:
    return [name for name, item in template["Resources"].items() if item["Type"] == "AWS::Lambda::Version"]
