"""Asynchronous invocations: retries, maximum age, dead letters and destinations.

AWS Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation". The events of this
queue are in memory: those that wait when the emulator ends are lost.
"""

from __future__ import annotations

import contextvars
import datetime
import json
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

from ministack.core.responses import _request_account_id, _request_region
from ministack.services import lambda_svc

from local.emulator.strict.chance import Chance
from local.emulator.strict.functions.dead_letters import send
from local.emulator.strict.rules.functions import FunctionSwitches

RETRIES: Final = 2
MAXIMUM_AGE_SECONDS: Final = 6 * 3600
THROTTLED_LONGEST_SECONDS: Final = 300.0
"""Throttled events wait from 1 s to 5 minutes between attempts."""
_AWS_RETRY_SECONDS: Final = 60.0

Function = dict[str, Any]
Result = dict[str, Any]


class AsynchronousInvocations:
    """Runs events until they succeed or are given up.

    Args:
        rules: returns the present rules.
        chance: decides which events come twice.
        may_send: whether a function's role allows sending to a destination.
        clock: seconds.
        pause: waits some seconds.
    """

    def __init__(
        self,
        rules: Callable[[], FunctionSwitches],
        chance: Chance,
        may_send: Callable[[Function, str], bool],
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rules, self._chance, self._may_send = rules, chance, may_send
        self._clock, self._pause = clock, pause

    def accept(self, function: Function, event: Any) -> None:
        """Take an event, and run it on a thread of its own; at the rate of duplicates, twice."""
        for _ in range(2 if self._is_doubled() else 1):
            context = contextvars.copy_context()
            threading.Thread(
                target=context.run, args=(self.run, function, event), daemon=True, name="asynchronous-invocation"
            ).start()

    def run(self, function: Function, event: Any) -> None:
        """Run an event until it succeeds or is given up."""
        config = function.get("config") or function
        account, region = lambda_svc._account_region_from_function_config(config)
        _request_account_id.set(account)
        _request_region.set(region)
        settings = _settings(function, config)
        retries = settings.get("MaximumRetryAttempts", RETRIES)
        maximum_age = settings.get("MaximumEventAgeInSeconds", MAXIMUM_AGE_SECONDS)
        accepted, attempts, failures, throttles = self._clock(), 0, 0, 0
        condition = ""
        result: Result = {}
        while not condition:
            result = lambda_svc._execute_function(function, event)
            attempts += 1
            if not result.get("error"):
                condition = "Success"
                break
            if result.get("throttle"):
                throttles += 1
                wait = self._scaled(min(2.0 ** (throttles - 1), THROTTLED_LONGEST_SECONDS))
            else:
                failures += 1
                wait = self._scaled(_AWS_RETRY_SECONDS * 2 ** (failures - 1))
            if failures > retries:
                condition = "RetriesExhausted"
            elif self._clock() - accepted + wait > maximum_age:
                condition = "EventAgeExceeded"
            else:
                self._pause(wait)
        self._report(function, config, settings, event, _Outcome(condition, attempts, result))

    def _is_doubled(self) -> bool:
        rules = self._rules()
        return rules.duplicate_deliveries and self._chance.strikes(rules.duplicate_share)

    def _scaled(self, seconds: float) -> float:
        return seconds * self._rules().asynchronous_retry_seconds / _AWS_RETRY_SECONDS

    def _report(
        self, function: Function, config: dict[str, Any], settings: dict[str, Any], event: Any, outcome: _Outcome
    ) -> None:
        destinations = settings.get("DestinationConfig") or {}
        succeeded = outcome.condition == "Success"
        destination = (destinations.get("OnSuccess" if succeeded else "OnFailure") or {}).get("Destination")
        if destination and self._may_send(function, destination):
            send(destination, json.dumps(outcome.record(config, event)), {})
        dead_letters = (config.get("DeadLetterConfig") or {}).get("TargetArn")
        if dead_letters and not succeeded and self._may_send(function, dead_letters):
            send(dead_letters, json.dumps(event), outcome.attributes())


class _Outcome:
    """How an event ended.

    Args:
        condition: `Success`, `RetriesExhausted` or `EventAgeExceeded`.
        attempts: how often the function was invoked.
        result: of the last invocation.
    """

    def __init__(self, condition: str, attempts: int, result: Result) -> None:
        self.condition, self._attempts, self._result = condition, attempts, result
        self._request_id = str(uuid.uuid4())

    def record(self, config: dict[str, Any], event: Any) -> dict[str, Any]:
        """The record of an invocation, as a destination gets it."""
        context: dict[str, Any] = {"statusCode": 200, "executedVersion": config.get("Version", "$LATEST")}
        if self.condition != "Success":
            context["functionError"] = self._result.get("function_error") or "Unhandled"
        return {
            "version": "1.0",
            "timestamp": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
            "requestContext": {
                "requestId": self._request_id,
                "functionArn": config.get("FunctionArn", ""),
                "condition": self.condition,
                "approximateInvokeCount": self._attempts,
            },
            "requestPayload": event,
            "responseContext": context,
            "responsePayload": self._result.get("body"),
        }

    def attributes(self) -> dict[str, tuple[str, str]]:
        """The attributes of a dead letter: name to type and value."""
        body = self._result.get("body")
        message = str(body.get("errorMessage", "")) if isinstance(body, dict) else str(body)
        return {
            "RequestID": ("String", self._request_id),
            "ErrorCode": ("Number", "429" if self._result.get("throttle") else "200"),
            "ErrorMessage": ("String", message.encode()[:1024].decode("utf-8", "ignore") or "Unhandled"),
        }


def _settings(function: Function, config: dict[str, Any]) -> dict[str, Any]:
    """Return the EventInvokeConfig of the version or alias that is invoked."""
    qualifier = str(config.get("FunctionArn", "")).partition(":function:")[2].partition(":")[2]
    configured = function.get("event_invoke_configs") or {}
    names = (qualifier,) if qualifier and qualifier != "$LATEST" else ("$LATEST", "")
    found = next((configured[name] for name in names if configured.get(name)), None)
    return found or {}
