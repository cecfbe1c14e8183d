"""What a client of an HTTP API sees when the function behind it fails.

Upstream: the answer is 502 with the function's error message and type, so a client here learns what no client on
AWS is shown. Amazon API Gateway Developer Guide, "Troubleshooting issues with HTTP API Lambda integrations": a function
that fails is answered with 500 and `{"message":"Internal Server Error"}`.
"""

from __future__ import annotations

from typing import Any

from ministack.services import lambda_svc

_ANSWER = {
    "statusCode": 500,
    "headers": {"Content-Type": "application/json"},
    "body": '{"message":"Internal Server Error"}',
}


def apply() -> None:
    """Answer failures as HTTP APIs do; answers that functions return themselves stay as they are."""
    convert = lambda_svc.lambda_execute_result_to_api_proxy_response

    def converted(result: dict[str, Any]) -> tuple[dict[str, Any] | None, str | None]:
        body = result.get("body")
        answered = isinstance(body, dict) and "statusCode" in body
        if result.get("error") and not result.get("throttle") and not answered:
            return dict(_ANSWER), None
        response: tuple[dict[str, Any] | None, str | None] = convert(result)
        return response

    lambda_svc.lambda_execute_result_to_api_proxy_response = converted
