"""The canary function: uses the deployed product as two users do, and writes one log line with the result.

The line is in CloudWatch's embedded metric format, so that CloudWatch counts the metrics from the log and the function
needs no permission for them. A failed run raises an error: the function's own metric `Errors` counts it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from contract.canary import BAD_RUN_METRIC, DELIVERY_METRIC
from handlers.adapters import aws_clients
from handlers.adapters.canary.credentials import SsmCredentials
from handlers.adapters.canary.routes import HttpChatRoutes
from handlers.adapters.canary.subscriber import WebSocketSubscriber
from handlers.adapters.cognito.password_sign_in import PasswordSignIn
from handlers.adapters.system import RandomIds, SystemClock
from handlers.core.canary.run import Canary, CanaryReport
from handlers.core.shared.ports import Clock
from handlers.entry import logs
from handlers.settings import CanarySettings


class CanaryFailedError(Exception):
    """A step failed; the message names it."""


def runner(
    canary: Callable[[], Canary], namespace: Callable[[], str], clock: Clock
) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """Return the Lambda handler.

    Args:
        canary: returns what runs the steps.
        namespace: returns the CloudWatch namespace of the metrics.
        clock: gives the time of the metrics.
    """
    logger = logs.configure()

    def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        report = canary().run()
        logs.info(logger, "canary", **log_fields(report, namespace(), clock.now()))
        if report.failed_step is not None:
            raise CanaryFailedError(f"step {report.failed_step}: {report.error}")
        return {"steps": report.steps, "deliveryMilliseconds": report.delivery_ms}

    return handle


def log_fields(report: CanaryReport, namespace: str, now: int) -> dict[str, Any]:
    """Return the fields of the log line (CloudWatch: embedded metric format).

    Args:
        namespace: the CloudWatch namespace.
        now: milliseconds since the epoch.
    """
    values: dict[str, Any] = {BAD_RUN_METRIC: 0 if report.is_good else 1}
    metrics = [{"Name": BAD_RUN_METRIC, "Unit": "Count"}]
    if report.delivery_ms is not None:
        values[DELIVERY_METRIC] = report.delivery_ms
        metrics.append({"Name": DELIVERY_METRIC, "Unit": "Milliseconds"})
    directive = {"Namespace": namespace, "Dimensions": [[]], "Metrics": metrics}
    return {
        "outcome": "healthy" if report.failed_step is None else "failed",
        "failedStep": report.failed_step,
        "error": report.error,
        "steps": report.steps,
        **values,
        "_aws": {"Timestamp": now, "CloudWatchMetrics": [directive]},
    }


@cache
def _settings() -> CanarySettings:
    return CanarySettings.load()


@cache
def _canary() -> Canary:
    settings = _settings()
    clock = SystemClock()
    return Canary(
        credentials=SsmCredentials(lambda: aws_clients.client("ssm"), settings.credentials_parameter),
        identity=PasswordSignIn(lambda: aws_clients.client("cognito-idp", settings.pool_region), settings.client_id),
        routes=HttpChatRoutes(settings.api_address),
        subscriber=WebSocketSubscriber(settings.events_http_endpoint, settings.events_realtime_endpoint, clock),
        clock=clock,
        ids=RandomIds(),
    )


def _namespace() -> str:
    settings = _settings()
    return settings.metric_namespace


handle = runner(_canary, _namespace, SystemClock())

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _canary()
