"""Puts the rules of Lambda into ministack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc

from local.emulator.strict.chance import Chance
from local.emulator.strict.functions import freezing, payloads
from local.emulator.strict.functions.asynchronous import AsynchronousInvocations
from local.emulator.strict.functions.redelivery import Redelivery
from local.emulator.strict.rules.functions import FunctionSwitches

Function = dict[str, Any]


class StrictFunctions:
    """The rules of Lambda.

    Args:
        rules: returns the present rules.
        may_send: whether a function's role allows sending to a destination.
    """

    def __init__(self, rules: Callable[[], FunctionSwitches], may_send: Callable[[Function, str], bool]) -> None:
        self._rules = rules
        chance = Chance(lambda: rules().delivery_seed)
        self._redelivery = Redelivery(rules, chance)
        self._asynchronous = AsynchronousInvocations(rules, chance, may_send)

    def install(self) -> None:
        """Wrap the execution of functions; call it after every other wrapper of it."""
        execute, acquire = lambda_svc._execute_function, lambda_svc._acquire_execution_slot
        invoke_upstream, own_limit = lambda_svc.invoke_async_with_retry, lambda_svc._ACCOUNT_CONCURRENCY_CAP

        def execute_limited(function: Function, event: Any) -> dict[str, Any]:
            if not self._rules().payload_sizes:
                result: dict[str, Any] = execute(function, event)
                return result
            size = payloads.json_bytes(event)
            if size > payloads.REQUEST_BYTES:
                return payloads.too_large_request(size)
            return payloads.limited(execute(function, event))

        def execute_strictly(function: Function, event: Any) -> dict[str, Any]:
            return self._redelivery.deliver(execute_limited, function, event)

        def acquire_within_quota(function: Function, config: dict[str, Any]) -> Any:
            rules = self._rules()
            lambda_svc._ACCOUNT_CONCURRENCY_CAP = rules.concurrent_executions if rules.execution_limit else own_limit
            return acquire(function, config)

        def accept(function: Function, event: Any) -> None:
            if self._rules().asynchronous_retries:
                self._asynchronous.accept(function, event)
            else:
                invoke_upstream(function, event)

        lambda_svc._execute_function = execute_strictly
        lambda_svc._acquire_execution_slot = acquire_within_quota
        lambda_svc.invoke_async_with_retry = accept
        freezing.install(self._rules)

    def refusal(self, headers: dict[str, str], body: bytes) -> str | None:
        """Return the message that an Invoke request is refused with (413), or None.

        Args:
            headers: of the request, in lower case.
            body: the payload.
        """
        if not self._rules().payload_sizes:
            return None
        return payloads.request_refusal(headers.get("x-amz-invocation-type", "RequestResponse"), len(body))
