"""HTTP requests of the doctor, to addresses that the stacks output."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ops.doctor.finding import NotTriedError

_SECONDS: Final = 10


@dataclass(frozen=True)
class Answer:
    """A response; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAnswerError(NotTriedError):
    """The address did not respond."""


def fetch(method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Answer:
    """Send a request and return its response, whatever its status is.

    Raises:
        NoAnswerError: there is none.
    """
    sent = urllib.request.Request(url, data=body, headers=dict(headers or {}), method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(sent, timeout=_SECONDS) as response:  # noqa: S310 - an output of the stacks
            return _answer(response.status, response)
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error)
    except OSError as error:
        raise NoAnswerError(f"{url} did not respond: {error}") from error


def _answer(status: int, response: Any) -> Answer:
    return Answer(status, {name.lower(): value for name, value in response.headers.items()}, response.read())
