"""The arguments of the Amplify scripts, and the check of their results."""

from __future__ import annotations

from typing import Any

from appsync_events_local.model.auth_providers import AuthMode
from service_harness.every_mode import EveryMode

MODES = {
    AuthMode.API_KEY: "apiKey",
    AuthMode.COGNITO: "userPool",
    AuthMode.OIDC: "oidc",
    AuthMode.LAMBDA: "lambda",
    AuthMode.IAM: "iam",
}
"""The mode's name in Amplify."""


def arguments_of(api: EveryMode, mode: AuthMode) -> dict[str, Any]:
    """The argument of `converse` in amplify_conversation.mjs."""
    given = api.credentials()
    signer = given[AuthMode.IAM]
    return {
        # Amplify rewrites the scheme `http://` to `wss://`, but not in capital letters.
        "endpoint": f"HTTP://{api.service.host}/event",
        "mode": MODES[mode],
        "apiKey": given[AuthMode.API_KEY],
        "accessToken": given[AuthMode.OIDC if mode is AuthMode.OIDC else AuthMode.COGNITO],
        "authToken": given[AuthMode.LAMBDA] if mode is AuthMode.LAMBDA else None,
        "credentials": {
            "accessKeyId": signer.access_key,
            "secretAccessKey": signer.secret_key,
            "sessionToken": signer.token,
        },
        "channel": "/open/amplify",
        "refused": {"publish": "/unknown/x", "subscribe": "/moderated/closed"},
    }


def check(result: dict[str, Any], *, refusal: str = "Unauthorized", mark: str | None = None) -> None:
    """Check the result of `converse`.

    Args:
        result: the result.
        refusal: a part of the message of the refused subscription.
        mark: a field that the namespace's handler adds to every event.
    """
    assert "failure" not in result, result
    by_transport = sorted(result["received"], key=lambda event: (event["over"], event.get("n", 0)))
    own = [{name: event[name] for name in ("over", "n", "text") if name in event} for event in by_transport]
    assert own == [{"over": "http", "n": 1}, {"over": "http", "n": 2}, {"over": "socket", "text": "ü€😀"}]
    assert mark is None or all(mark in event for event in by_transport)
    published, subscribed = result["refusals"]
    assert published
    assert refusal in subscribed
