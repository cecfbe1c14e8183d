"""Rules of API Gateway's HTTP APIs."""

from __future__ import annotations

from typing import Final

from local.emulator.strict.rules.rule import Rule, Switches

_GUIDE: Final = "https://docs.aws.amazon.com/apigateway/latest/developerguide"


class GatewaySwitches(Switches, frozen=True):
    """Which rules of HTTP APIs are on.

    Args:
        errors_without_cors, stage_throttling: the switches of the rules of that name.
    """

    errors_without_cors: bool = True
    stage_throttling: bool = True


RULES: Final = (
    Rule(
        "errors_without_cors",
        request="A page's request that the gateway itself answers: 401 of the authorizer, 404, 429, 500 and 503 of a "
        "function that failed or was throttled",
        effect="Possibly without CORS headers, so that the page sees a network failure: documented are the headers of "
        "responses from an integration only, and a client must live with both. Without the rule all of them have the "
        "headers",
        alone="adds the headers to failed functions and to nothing else",
        source="Amazon API Gateway developer guide, 'Configure CORS for HTTP APIs in API Gateway'",
        link=f"{_GUIDE}/http-api-cors.html",
    ),
    Rule(
        "stage_throttling",
        request="More requests than the rate and the burst of the stage's default route settings",
        effect="429 'Too Many Requests'",
        alone="ignores the settings",
        source="Amazon API Gateway developer guide, 'Throttle requests to your HTTP APIs for better throughput in API "
        "Gateway'",
        link=f"{_GUIDE}/http-api-throttling.html",
    ),
)
