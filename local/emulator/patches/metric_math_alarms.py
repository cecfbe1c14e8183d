"""Alarms on metric math.

Upstream: `AWS::CloudWatch::Alarm` with `Metrics` fails the whole deployment. Here it is accepted and never
evaluated (it stays INSUFFICIENT_DATA): a local cloud has no alarm recipients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import provisioners

Provisioned = tuple[str, dict[str, Any]]

_MARKER = "MetricMath"


def apply() -> None:
    """Give the provisioner an alarm on a metric that never receives data in place of the expression."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"]
    create: Callable[..., Provisioned] = handlers["create"]
    update: Callable[..., Provisioned] = handlers["update"]

    def created(logical_id: str, properties: dict[str, Any], stack_name: str) -> Provisioned:
        return create(logical_id, _without_expression(properties), stack_name)

    def updated(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str, *rest: Any) -> Provisioned:
        return update(physical_id, _without_expression(old), _without_expression(new), stack_name, *rest)

    handlers["create"], handlers["update"] = created, updated


def _without_expression(properties: dict[str, Any]) -> dict[str, Any]:
    if not properties.get("Metrics"):
        return properties
    plain = {name: value for name, value in properties.items() if name not in ("Metrics", "ThresholdMetricId")}
    return {"Threshold": 0, **plain, "Namespace": "Local/NotEvaluated", "MetricName": _MARKER}
