"""The Events service's control API, as the CloudFormation providers call it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from email.message import Message
from typing import Any
from urllib.parse import quote, urlencode

_TIMEOUT_SECONDS = 20


class ControlError(ValueError):
    """The Events service refused or did not answer; the text becomes the resource's failure reason.

    A `ValueError`, because that is what ministack's CloudFormation turns into CREATE_FAILED.
    """


class ControlClient:
    """Calls `/_control/...` with the control token."""

    def __init__(self, base_url: str, token: str) -> None:
        self._base_url = base_url
        self._token = token

    def put(self, *segments: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Create or replace what `segments` address.

        Raises:
            ControlError: refused (with the service's own messages) or unreachable.
        """
        return self._call("PUT", segments, body or {})

    def delete(self, *segments: str) -> None:
        """Remove what `segments` address; it is fine when it is gone already.

        Raises:
            ControlError: refused or unreachable.
        """
        self._call("DELETE", segments, None, absent_is_fine=True)

    def get(self, *segments: str) -> dict[str, Any]:
        """Read what `segments` address.

        Raises:
            ControlError: refused or unreachable.
        """
        return self._call("GET", segments, None)

    def read(self, path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        """What the service's control plane answers to a GET: status, headers and body, whatever the status is.

        Raises:
            ControlError: unreachable.
        """
        url = f"{self._base_url}{quote(path)}?{urlencode(query, doseq=True)}"
        request = urllib.request.Request(url, headers={"x-local-control": self._token})  # noqa: S310 - see _call
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310
                return response.status, _kept(response.headers), response.read()
        except urllib.error.HTTPError as error:
            return error.code, _kept(error.headers), error.read()
        except OSError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: OSError) -> ControlError:
        return ControlError(f"the Events service at {self._base_url} does not answer ({error}); see events.log")

    def _call(
        self, method: str, segments: tuple[str, ...], body: dict[str, Any] | None, *, absent_is_fine: bool = False
    ) -> dict[str, Any]:
        path = "/".join(quote(segment, safe="") for segment in ("_control", *segments))
        request = urllib.request.Request(  # noqa: S310 - the address is our own loopback service
            f"{self._base_url}/{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"content-type": "application/json", "x-local-control": self._token},
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310
                content = response.read()
        except urllib.error.HTTPError as error:
            if error.code == 404 and absent_is_fine:
                return {}
            raise ControlError(_reason(error)) from error
        except OSError as error:
            raise self._unreachable(error) from error
        answer: dict[str, Any] = json.loads(content) if content else {}
        return answer


def _kept(headers: Message) -> dict[str, str]:
    names = ("Content-Type", "x-amzn-RequestId", "x-amzn-ErrorType")
    return {name: headers[name] for name in names if name in headers}


def _reason(error: urllib.error.HTTPError) -> str:
    text = error.read().decode("utf-8", "replace")
    try:
        problems = json.loads(text)["errors"]
    except (ValueError, KeyError, TypeError):
        return f"the Events service answered {error.code}: {text[:500]}"
    return "; ".join(_one_problem(problem) for problem in problems)


def _one_problem(problem: dict[str, Any]) -> str:
    message = str(problem.get("message", "refused"))
    if "line" in problem and problem["line"] is not None:
        return f"line {problem['line']}, column {problem.get('column', 1)}: {message}"
    return message
