"""Names that are taken: by another resource of a stack, or by a resource without stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudformation
from ministack.services.cloudformation import changesets

from local.emulator.strict.cloudformation.changes import name_property, parent_properties


def taken_name(kind: str, properties: Mapping[str, Any]) -> str | None:
    """Return CloudFormation's message for the creation of a resource under a name that is taken."""
    property_name = name_property(kind)
    name = property_name and properties.get(property_name)
    if not name:
        return None
    identity = {each: properties.get(each) for each in (str(property_name), *parent_properties(kind))}
    stack = _owner(kind, identity)
    if stack is not None:
        return f"{name} already exists in stack {stack}"
    return f"Resource of type '{kind}' with identifier '{name}' already exists." if _exists(kind, name) else None


def _owner(kind: str, identity: dict[str, Any]) -> str | None:
    """Return the id of the stack that holds a resource with some properties."""
    for stack in cloudformation._stacks.values():
        for resource in (stack.get("_resources") or {}).values():
            if resource.get("ResourceType") == kind and identity.items() <= (resource.get("Properties") or {}).items():
                return str(stack["StackId"])
    return None


def _exists(kind: str, name: Any) -> bool:
    """Return whether the service has a resource of a name; False where ministack has no look-up for the type."""
    if kind == "AWS::SNS::Topic":
        topic = f"arn:aws:sns:{get_region()}:{get_account_id()}:{name}"
        return changesets._topic_import_problem(topic) is None
    if kind == "AWS::SQS::Queue":
        return any(url.rsplit("/", 1)[-1] == name for url in changesets._sqs._queues)
    identifiers, look_up = changesets._IMPORT_LOOKUPS.get(kind, ((), None))
    return look_up is not None and identifiers == (name_property(kind),) and look_up(name) is None
