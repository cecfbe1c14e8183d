"""Calls of the control endpoints that both services of the local cloud have."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from local.steps import StepError

_TIMEOUT_SECONDS = 30


def control_call(method: str, url: str, token: str, body: Any = None) -> Any:
    """Make one call.

    Args:
        method: HTTP method.
        url: whole address.
        token: the control token of the state directory.
        body: a JSON value, or None for no body.

    Returns:
        The JSON value that was answered, or None.

    Raises:
        StepError: it was refused, or nothing answers.
    """
    request = urllib.request.Request(  # noqa: S310 - our own loopback services
        url,
        data=None if body is None else json.dumps(body).encode(),
        method=method,
        headers={"content-type": "application/json", "x-local-control": token},
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310
            content = response.read()
    except urllib.error.HTTPError as error:
        with error:
            text = error.read().decode("utf-8", "replace")
        raise StepError(f"{method} {url} was refused ({error.code}): {text}", "correct the request") from error
    except OSError as error:
        raise StepError(f"{url} does not answer: {error}", "is the local cloud up?") from error
    return json.loads(content) if content else None
