"""Questions about the HTTP API: what a browser of an allowed origin can read of the gateway's own responses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from contract.routes import ROUTES
from ops.verify.deployment import Deployment
from ops.verify.question import CannotAskError, Observation, PossibleAnswer, Question

_ALLOWED: Final = "access-control-allow-origin"
_AUTHENTICATED: Final = next(route for route in ROUTES if route.method == "GET" and "{" not in route.path)
_PAGE: Final = "`web/src/client/api.ts`"
_LOCAL: Final = "`local/emulator/patches/cors_from_template.py`"


def _asks(path: str, status: int) -> Callable[[Deployment], Observation]:
    def ask(deployment: Deployment) -> Observation:
        origin = deployment.environment.web.origins[0]
        headers = {"Origin": origin, "Authorization": "Bearer expired"}
        response = deployment.request("GET", f"{deployment.api_url}{path}", headers)
        if response.status != status:
            raise CannotAskError(f"the gateway responded with {response.status} instead of {status}")
        allowed = response.headers.get(_ALLOWED)
        seen = f"{status}, {_ALLOWED}: {allowed or 'absent'}"
        return Observation("readable" if allowed in (origin, "*") else "unreadable", seen)

    return ask


QUESTIONS: Final = (
    Question(
        id="cors-of-the-authorizer",
        text="Has the authorizer's 401 the CORS headers, so that the page can read it?",
        how=f"GET {_AUTHENTICATED.path} with an invalid token from an allowed origin",
        source="CORS of HTTP APIs is described for responses of integrations",
        answers=(
            PossibleAnswer(
                "unreadable",
                "no, the page sees a network failure",
                f"the page renews its session after a failure that it cannot read ({_PAGE})",
            ),
            PossibleAnswer(
                "readable",
                "yes",
                f"let the local cloud send the headers too ({_LOCAL}); {_PAGE} need not treat a network failure as an "
                "expired session",
            ),
        ),
        ask=_asks(_AUTHENTICATED.path, 401),
    ),
    Question(
        id="cors-of-an-unknown-route",
        text="Has the gateway's 404 of an unknown route the CORS headers?",
        how="GET of a path that no route has, from an allowed origin",
        source="as for the authorizer; 429 and 5xx of the gateway are likely alike",
        answers=(
            PossibleAnswer("unreadable", "no", f"{_PAGE} treats an unreadable failure like a lost connection"),
            PossibleAnswer("readable", "yes", f"let the local cloud send the headers too ({_LOCAL})"),
        ),
        ask=_asks("/api/no-such-route", 404),
    ),
)
