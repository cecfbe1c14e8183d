"""Reads templates from disk: one file, or all stacks of a CDK assembly.

An assembly's `manifest.json` lists its stacks, each with the assets that its resources refer to by object key. Nested
assemblies (stages) are read too. Source: CDK, cloud assembly schema.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from appsync_events_local.template.problems import TemplateProblem, TemplateRefused
from appsync_events_local.template.short_forms import load_yaml

ASSETS_SUFFIX: Final = ".assets.json"
TEMPLATE_SUFFIX: Final = ".template.json"
_UNKNOWN: Final = "unknown-region"


@dataclass(frozen=True)
class Stack:
    """A template with its stack name, region and assets.

    Attributes:
        name: name of the stack.
        file: the template file.
        document: the template.
        region: the region in the assembly, if it has one.
        assets: files and folders by the object key under which CDK uploads them.
    """

    name: str
    file: Path
    document: Mapping[str, Any]
    region: str | None = None
    assets: Mapping[str, Path] = field(default_factory=dict)

    def section(self, name: str) -> Mapping[str, Any]:
        """Return a top-level map of the template, e.g. `Resources`; empty if it does not exist."""
        value = self.document.get(name)
        return value if isinstance(value, dict) else {}


def read_template(file: Path, stack: str | None = None) -> Stack:
    """Read one template, with the assets of the assembly if the file belongs to one.

    Args:
        file: the template file.
        stack: name of the stack; `None` derives it from the file's name.

    Raises:
        TemplateRefused: the file cannot be read, or is not a template.
    """
    document = _document(file)
    if not isinstance(document.get("Resources"), dict):
        raise _refused(file, "has no Resources, so it is not a CloudFormation template", "give a template file")
    name = file.name.removesuffix(TEMPLATE_SUFFIX)
    name = re.sub(r"[^A-Za-z0-9]+", "-", file.stem if name == file.name else name).strip("-") or "stack"
    return Stack(stack or name, file, document, assets=_assets(file.with_name(f"{name}{ASSETS_SUFFIX}")))


def read_assembly(folder: Path) -> list[Stack]:
    """Read every stack of a CDK assembly.

    Raises:
        TemplateRefused: the folder is not an assembly, or one of its files cannot be read.
    """
    manifest_file = folder / "manifest.json"
    if not manifest_file.is_file():
        raise _refused(
            folder, "has no manifest.json, so it is not a CDK assembly", "run `cdk synth`, and give its cdk.out"
        )
    stacks: list[Stack] = []
    problems: list[TemplateProblem] = []
    for name, artifact in _entries(_document(manifest_file), "artifacts", manifest_file):
        try:
            properties = artifact.get("properties", {})
            if artifact.get("type") == "aws:cloudformation:stack":
                stacks.append(_stack(folder, artifact.get("environment", ""), properties))
            elif artifact.get("type") == "cdk:cloud-assembly":
                stacks += read_assembly(folder / properties["directoryName"])
        except TemplateRefused as refused:
            problems += refused.problems
        except (AttributeError, KeyError, TypeError) as error:
            message = f"artifact {name} is malformed ({error!r})"
            problems.append(TemplateProblem(manifest_file, "", "", message, "run `cdk synth` again"))
    if problems:
        raise TemplateRefused(problems)
    return stacks


def _stack(folder: Path, environment: str, properties: Mapping[str, Any]) -> Stack:
    file = folder / properties["templateFile"]
    stack = read_template(file)
    region = environment.rpartition("/")[2]
    assets = _assets(file.with_name(file.name.removesuffix(TEMPLATE_SUFFIX) + ASSETS_SUFFIX))
    return Stack(
        properties.get("stackName", stack.name),
        file,
        stack.document,
        None if region in ("", _UNKNOWN) else region,
        assets,
    )


def _assets(file: Path) -> dict[str, Path]:
    if not file.is_file():
        return {}
    found: dict[str, Path] = {}
    for name, asset in _entries(_document(file), "files", file):
        try:
            source = asset.get("source", {}).get("path")
            for destination in asset.get("destinations", {}).values():
                if isinstance(source, str):
                    found[destination["objectKey"]] = file.parent / source
        except (AttributeError, KeyError, TypeError) as error:
            raise _refused(file, f"asset {name} is malformed ({error!r})", "run `cdk synth` again") from error
    return found


def _entries(document: Mapping[str, Any], section: str, file: Path) -> Iterable[tuple[str, Any]]:
    entries = document.get(section, {})
    if not isinstance(entries, dict):
        raise _refused(file, f"{section} is not an object", "run `cdk synth` again")
    return entries.items()


def _document(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise _refused(file, f"cannot be read ({reason})", "check the path") from error
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else load_yaml(text)
    except json.JSONDecodeError as error:
        raise _refused(file, f"is not JSON: {error}", "fix the file") from error
    except yaml.YAMLError as error:
        raise _refused(file, f"is not YAML: {' '.join(str(error).split())}", "fix the file") from error
    if not isinstance(document, dict):
        raise _refused(file, "is neither a JSON nor a YAML object", "give a template file")
    try:
        json.dumps(document)
    except (ValueError, TypeError, RecursionError) as error:
        raise _refused(file, f"contains values that JSON does not have: {error}", "remove recursive anchors") from error
    return document


def _refused(file: Path, message: str, remedy: str) -> TemplateRefused:
    return TemplateRefused([TemplateProblem(file, "", "", message, remedy)])
