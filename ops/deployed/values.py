"""Resolves the references in a deployed template to the values that AWS gave them.

Only what the templates of this repository use; everything else is `UNKNOWN` and is not compared. An output whose value
is one reference shows the value of that reference, which is how attributes such as a stream's ARN become known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final


class _Unknown:
    """A value that the template does not show."""

    def __repr__(self) -> str:
        return "(unknown)"


UNKNOWN: Final = _Unknown()
_VARIABLE: Final = re.compile(r"\$\{([^!}][^}]*)\}")
_NAMED: Final[Mapping[str, str]] = {
    "AWS::Lambda::Function": "arn:aws:lambda:{region}:{account}:function:{id}",
    "AWS::IAM::Role": "arn:aws:iam::{account}:role/{id}",
    "AWS::Events::Rule": "arn:aws:events:{region}:{account}:rule/{id}",
    "AWS::SQS::Queue": "arn:aws:sqs:{region}:{account}:{name}",
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:{region}:{account}:table/{id}",
    "AWS::Cognito::UserPool": "arn:aws:cognito-idp:{region}:{account}:userpool/{id}",
}
"""The form of the attribute `Arn` by resource type (Service Authorization Reference: resource types)."""


@dataclass(frozen=True)
class References:
    """What the references in one template refer to."""

    template: Mapping[str, Any]
    physical_ids: Mapping[str, str]
    outputs: Mapping[str, str]
    exports: Mapping[str, str]
    region: str
    account: str

    @cached_property
    def shown(self) -> dict[str, str]:
        """Return the values that outputs show, by reference."""
        found = {}
        for id, output in self.template.get("Outputs", {}).items():
            value = output.get("Value")
            if isinstance(value, dict) and id in self.outputs and next(iter(value), "") in ("Ref", "Fn::GetAtt"):
                found[_key(value)] = self.outputs[id]
        return found

    def reference(self, name: str) -> Any:
        """Return the value of a `Ref`."""
        pseudo = {"AWS::Region": self.region, "AWS::AccountId": self.account, "AWS::Partition": "aws"}
        if name in pseudo:
            return pseudo[name]
        return self.shown.get(_key({"Ref": name})) or self.physical_ids.get(name) or UNKNOWN

    def attribute(self, logical_id: str, attribute: str) -> Any:
        """Return the value of a `Fn::GetAtt`."""
        if known := self.shown.get(_key({"Fn::GetAtt": [logical_id, attribute]})):
            return known
        resource = self.template["Resources"].get(logical_id, {})
        form, id = _NAMED.get(resource.get("Type", "")), self.physical_ids.get(logical_id)
        if attribute != "Arn" or form is None or not id:
            return UNKNOWN
        if id.startswith("arn:"):
            return id
        return form.format(region=self.region, account=self.account, id=id, name=id.rsplit("/", 1)[-1])


def _key(reference: Mapping[str, Any]) -> str:
    name, argument = next(iter(reference.items()))
    return f"{name} {'.'.join(argument) if isinstance(argument, list) else argument}"


def resolved(value: Any, references: References) -> Any:
    """Return a part of a template with its references resolved."""
    if isinstance(value, list):
        return [resolved(each, references) for each in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        name, argument = next(iter(value.items()))
        if name == "Ref":
            return references.reference(argument)
        if name.startswith("Fn::"):
            return _call(name, argument, references)
    return {key: resolved(each, references) for key, each in value.items()}


def _call(name: str, argument: Any, references: References) -> Any:
    if name == "Fn::GetAtt":
        logical_id, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
        return references.attribute(logical_id, attribute)
    if name == "Fn::ImportValue":
        return references.exports.get(argument, UNKNOWN) if isinstance(argument, str) else UNKNOWN
    if name == "Fn::Join":
        parts = [resolved(part, references) for part in argument[1]]
        return UNKNOWN if UNKNOWN in parts else argument[0].join(map(str, parts))
    if name == "Fn::Sub" and isinstance(argument, str):
        return _substituted(argument, references)
    return UNKNOWN


def _substituted(text: str, references: References) -> Any:
    def value(name: str) -> Any:
        logical_id, dot, attribute = name.partition(".")
        return references.attribute(logical_id, attribute) if dot else references.reference(name)

    if any(value(name) is UNKNOWN for name in _VARIABLE.findall(text)):
        return UNKNOWN
    return _VARIABLE.sub(lambda match: str(value(match[1])), text)


def differences(expected: Any, actual: Any, path: str = "") -> Iterator[str]:
    """Yield where two values differ, one line each; only what `expected` has is compared, and never `UNKNOWN`."""
    if expected is UNKNOWN:
        return
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for key, value in expected.items():
            yield from differences(value, actual.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(expected, list) and isinstance(actual, list):
        if not _same_items(expected, actual):
            yield f"{path}: expected {shown(expected)}, found {shown(actual)}"
    elif not same(expected, actual):
        yield f"{path}: expected {shown(expected)}, found {shown(actual)}"


def _same_items(expected: list[Any], actual: list[Any]) -> bool:
    left = list(actual)
    for each in expected:
        match = next((other for other in left if not list(differences(each, other))), None)
        if match is None:
            return False
        left.remove(match)
    return not left


def same(expected: Any, actual: Any) -> bool:
    """Return whether two scalar values are the same; templates and APIs write numbers and booleans differently."""
    if expected is UNKNOWN:
        return True
    if isinstance(expected, bool) or isinstance(actual, bool):
        return str(expected).lower() == str(actual).lower()
    return expected == actual or str(expected) == str(actual)


def shown(value: Any) -> str:
    """Return a value for a message, shortened."""
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 160 else f"{text[:157]}..."
