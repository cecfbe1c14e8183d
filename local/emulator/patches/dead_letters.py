"""Dead letter queues of functions made by CloudFormation.

Upstream: `AWS::Lambda::Function` drops `DeadLetterConfig` without a word, so an event that failed for good is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

Provisioned = tuple[str, dict[str, Any]]
_NAME = "DeadLetterConfig"


def apply() -> None:
    """Set it after the function's own provisioner has run."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    create: Callable[..., Provisioned] = handlers["create"]
    update: Callable[..., Provisioned] = handlers["update"]

    def created(logical_id: str, properties: dict[str, Any], stack_name: str) -> Provisioned:
        result = create(logical_id, properties, stack_name)
        _set(result[0], properties)
        return result

    def updated(physical_id: str, old: dict[str, Any], new: dict[str, Any], *rest: Any, **named: Any) -> Provisioned:
        result = update(physical_id, old, new, *rest, **named)
        _set(result[0], new)
        return result

    handlers["create"], handlers["update"] = created, updated


def _set(function: str, properties: dict[str, Any]) -> None:
    record, _, _ = lambda_svc._get_func_record_for_ref(function)
    if record is None:
        return
    if properties.get(_NAME):
        record["config"][_NAME] = dict(properties[_NAME])
    else:
        record["config"].pop(_NAME, None)
