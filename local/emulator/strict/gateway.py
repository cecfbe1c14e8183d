"""HTTP APIs under strict rules: throttling of stages, and what the gateway answers itself."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

from ministack.services import apigateway, lambda_svc

from local.emulator.strict.rules.gateway import GatewaySwitches
from local.emulator.strict.token_bucket import TokenBucket

Response = tuple[int, dict[str, str], Any]
Result = dict[str, Any]

_CORS: Final = "access-control-"
_TOO_MANY_REQUESTS: Final[Response] = (
    429,
    {"Content-Type": "application/json"},
    b'{"message":"Too Many Requests"}',
)
_INTEGRATION_ANSWERED: ContextVar[bool] = ContextVar("integration_answered", default=False)
"""Whether the function behind the route has answered the request that is being served."""


class StrictGateway:
    """Applies the rules around each request to an HTTP API. Used from the event loop only.

    Args:
        rules: returns the present rules.
        clock: seconds, steadily growing.
    """

    def __init__(self, rules: Callable[[], GatewaySwitches], clock: Callable[[], float] = time.monotonic) -> None:
        self._rules, self._clock = rules, clock
        self._buckets: dict[tuple[str, str], TokenBucket] = {}

    def install(self) -> None:
        """Wrap the data plane of HTTP APIs; call it after every other wrapper of its parts."""
        execute, convert = apigateway.handle_execute, lambda_svc.lambda_execute_result_to_api_proxy_response

        async def execute_strictly(
            api_id: str, stage: str, path: str, method: str, headers: dict[str, str], *rest: Any, **options: Any
        ) -> Response:
            if method != "OPTIONS" and self._throttled(api_id, stage):
                return self._gateway_response(api_id, headers, _TOO_MANY_REQUESTS)
            marked = _INTEGRATION_ANSWERED.set(False)
            try:
                response: Response = await execute(api_id, stage, path, method, headers, *rest, **options)
                if method == "OPTIONS" or _INTEGRATION_ANSWERED.get():
                    return response
            finally:
                _INTEGRATION_ANSWERED.reset(marked)
            return self._gateway_response(api_id, headers, response)

        def convert_and_mark(result: Result) -> tuple[Result | None, str | None]:
            _INTEGRATION_ANSWERED.set(not result.get("error") and not result.get("throttle"))
            if result.get("throttle"):
                return _service_unavailable(), None
            converted: tuple[Result | None, str | None] = convert(result)
            return converted

        apigateway.handle_execute = execute_strictly
        lambda_svc.lambda_execute_result_to_api_proxy_response = convert_and_mark

    def _gateway_response(self, api_id: str, headers: dict[str, str], response: Response) -> Response:
        status, given, body = response
        kept = {name: value for name, value in given.items() if not name.lower().startswith(_CORS)}
        if self._rules().errors_without_cors:
            return status, kept, body
        scope = apigateway.find_api_scope(api_id)
        api = apigateway._apis.get_scoped(*scope, api_id) if scope else None
        configuration = (api or {}).get("corsConfiguration") or {}
        return status, {**kept, **apigateway._cors_response_headers(configuration, headers.get("origin", ""))}, body

    def _throttled(self, api_id: str, stage: str) -> bool:
        if not self._rules().stage_throttling:
            return False
        limits = _limits(api_id, stage)
        if limits is None:
            return False
        bucket = self._buckets.get((api_id, stage))
        if bucket is None or bucket.limits != limits:
            bucket = self._buckets[api_id, stage] = TokenBucket(*limits, self._clock)
        return not bucket.take()


def _limits(api_id: str, stage: str) -> tuple[float, float] | None:
    """Return rate and burst of a stage's default route settings, or None when it has none."""
    scope = apigateway.find_api_scope(api_id)
    stages = apigateway._stages.get_scoped(*scope, api_id) if scope else None
    settings = ((stages or {}).get(stage) or {}).get("defaultRouteSettings") or {}
    names = {name.lower(): value for name, value in settings.items()}
    rate, burst = names.get("throttlingratelimit"), names.get("throttlingburstlimit")
    return None if rate is None or burst is None else (float(rate), float(burst))


def _service_unavailable() -> Result:
    """What an HTTP API answers when Lambda throttles the function."""
    return {
        "statusCode": 503,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps({"message": "Service Unavailable"}, separators=(",", ":")),
    }
