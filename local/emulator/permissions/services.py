"""What AWS's services do in the name of a function's role, which no request of the function shows.

* Event source mappings read queues and streams, and send what failed to a destination.
* Failed asynchronous invocations go to a destination or a dead letter queue.
* Lambda writes the function's log.

Each happens only if the role allows it, as on AWS.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc

from local.emulator.permissions.guard import PermissionGuard
from local.emulator.permissions.needs import Need
from local.emulator.permissions.owners import role_name

_LOGGER = logging.getLogger("local.permissions.report")

_QUEUE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
"""AWS Lambda developer guide, "Using Lambda with Amazon SQS": permissions of the execution role."""
_STREAM = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
"""AWS Lambda developer guide, "Using AWS Lambda with Amazon DynamoDB"; ListStreams beside them has no resource."""
_PROBLEM = "PROBLEM: the function's role does not allow reading the event source."

Mapping = dict[str, Any]


class ServicesActingForRoles:
    """Wraps ministack's services.

    Args:
        guard: is asked.
    """

    def __init__(self, guard: PermissionGuard) -> None:
        self._guard = guard

    def install(self) -> None:
        """Put the checks in place."""
        lambda_svc._iter_all_esms = self._readable_only(lambda_svc._iter_all_esms)
        lambda_svc._send_ddb_stream_failure_record = self._stream_failure(lambda_svc._send_ddb_stream_failure_record)
        lambda_svc._route_async_failure = self._async_failure(lambda_svc._route_async_failure)
        lambda_svc._emit_lambda_logs = self._logs(lambda_svc._emit_lambda_logs)

    def _readable_only(self, every: Callable[[], Any]) -> Callable[[], Iterator[tuple[str, str, Mapping]]]:
        def readable() -> Iterator[tuple[str, str, Mapping]]:
            for account, region, mapping in every():
                if self._may_read(account, region, mapping):
                    yield account, region, mapping
                else:
                    mapping["LastProcessingResult"] = _PROBLEM

        return readable

    def _may_read(self, account: str, region: str, mapping: Mapping) -> bool:
        source = str(mapping.get("EventSourceArn", ""))
        function = lambda_svc._functions.get_scoped(account, region, mapping.get("FunctionName", ""))
        if function is None or not mapping.get("Enabled", True):
            return True
        role = role_name(function["config"].get("Role", ""))
        service = source.split(":")[2] if source.count(":") > 2 else ""
        if service == "sqs":
            needs = [Need(action, source) for action in _QUEUE]
        elif service == "dynamodb":
            needs = [*(Need(action, source) for action in _STREAM), Need("dynamodb:ListStreams", "*")]
        else:
            return True
        return self._guard.allows_all(role, needs)

    def _stream_failure(self, send: Callable[..., None]) -> Callable[..., None]:
        def send_if_allowed(mapping: Mapping, function: Mapping, *rest: Any) -> None:
            target = ((mapping.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
            if target and self.may_send(function, target):
                send(mapping, function, *rest)

        return send_if_allowed

    def _async_failure(self, route: Callable[..., None]) -> Callable[..., None]:
        def route_if_allowed(target: str, name: str, *rest: Any) -> None:
            function = lambda_svc._functions.get(name)
            if function is None or self.may_send(function, target):
                route(target, name, *rest)

        return route_if_allowed

    def may_send(self, function: Mapping, target: str) -> bool:
        """Return whether a function's role allows sending to a queue or topic.

        Args:
            function: the function's record.
            target: ARN of the queue or topic.
        """
        action = {"sqs": "sqs:SendMessage", "sns": "sns:Publish"}.get(target.split(":")[2])
        config = function.get("config") or function
        return action is None or self._guard.allows_all(role_name(config.get("Role", "")), [Need(action, target)])

    def _logs(self, emit: Callable[..., None]) -> Callable[..., None]:
        def emit_if_allowed(function: Mapping, *rest: Any, **options: Any) -> None:
            config = function.get("config") or function
            name = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config.get('FunctionName')}"
            # One stream stands for all: no role here may write to only some of a group's streams.
            stream = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{name}:log-stream:any"
            role = role_name(config.get("Role", ""))
            needs = [Need(action, stream) for action in ("logs:CreateLogStream", "logs:PutLogEvents")]
            if self._guard.allows_all(role, needs):
                emit(function, *rest, **options)

        return emit_if_allowed
