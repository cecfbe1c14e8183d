"""The deployed environment that the questions are put to: AWS, or a local cloud through the same calls."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Protocol

from ops.errors import CommandError
from ops.outputs import StackOutputs
from stacks.config.fields import Environment
from stacks.naming import Names
from stacks.outputs import Output

_HTTP_SECONDS: Final = 20
SECONDS_PER_MINUTE: Final = 60


class InterruptedAskingError(Exception):
    """The operator stopped the command; what a question created is deleted on the way out."""


@dataclass(frozen=True)
class HttpResponse:
    """Status and headers of a response; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]


def request(method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> HttpResponse:
    """Send a request and return its response, whatever its status is.

    Raises:
        CommandError: there is no response.
    """
    sent = urllib.request.Request(url, data=body, headers=dict(headers), method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(sent, timeout=_HTTP_SECONDS) as response:  # noqa: S310 - an output of the stacks
            return _read(response.status, response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return _read(error.code, error.headers)
    except OSError as error:
        raise CommandError(f"{url} did not respond: {error}") from error


def _read(status: int, headers: Any) -> HttpResponse:
    return HttpResponse(status, {name.lower(): value for name, value in headers.items()})


class Waiting:
    """Waits between two looks at AWS, until the operator interrupts the command."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def interrupt(self) -> None:
        """End every present and later wait."""
        self._stopped.set()

    def pause(self, seconds: float) -> None:
        """Wait.

        Raises:
            InterruptedAskingError: the command was interrupted.
        """
        if self._stopped.wait(seconds):
            raise InterruptedAskingError


class ObservedAssumptions(Protocol):
    """What the end-to-end suite observed at the assumptions of the Events service."""

    def of(self, assumption: str) -> list[SuiteRecord]:
        """Return every observation at one assumption; empty if nothing asked about it."""


@dataclass(frozen=True)
class SuiteRecord:
    """One observation of the end-to-end suite.

    Args:
        by: the row or probe that made it.
        same: whether it is the assumed behaviour; None if it could not be observed.
        observed: what was observed, or why it could not be.
    """

    by: str
    same: bool | None
    observed: str


@dataclass(frozen=True)
class Deployment:
    """An environment that is deployed to AWS or to a local cloud.

    Args:
        environment: its settings.
        outputs: the outputs of its stacks.
        region: region of the stacks.
        api_url: address of the HTTP API, without a path.
        local: whether it is a local cloud.
        make_client: creates a botocore client of a service with the operator's credentials.
        make_client_as: creates one with other credentials: access key, secret, session token.
        suite: runs the questions that the end-to-end suite asks.
        request: sends an HTTP request.
        pause: waits some seconds.
        sign: returns the headers of a signed POST to the Event API: URL, body.
    """

    environment: Environment
    outputs: StackOutputs
    region: str
    api_url: str
    local: bool
    make_client: Callable[[str], Any]
    make_client_as: Callable[[str, tuple[str, str, str]], Any]
    suite: ObservedAssumptions
    request: Callable[..., HttpResponse] = request
    pause: Callable[[float], None] = field(default_factory=lambda: Waiting().pause)
    sign: Callable[[str, bytes], Mapping[str, str]] = lambda url, body: {}

    @property
    def names(self) -> Names:
        """Return the physical names of the environment."""
        return Names(self.environment.name)

    @cached_property
    def account(self) -> str:
        """Return the account of the operator's credentials."""
        return str(self.make_client("sts").get_caller_identity()["Account"])

    def output(self, output: Output) -> str:
        """Return the value of an output.

        Raises:
            CommandError: the stack has no such output.
        """
        stack = output.stack_name(self.environment.name)
        try:
            return self.outputs[stack][output.id]
        except KeyError as error:
            raise CommandError(f"The stack {stack} has no output {output.id} ({output.description})") from error

    def wait_until(self, find: Callable[[], Any], *, minutes: float, every: float = 10) -> Any:
        """Look for something until it is there, and return it; the last result after the time.

        Args:
            find: looks for it; a false value means that it is not there yet.
            minutes: how long to look for it.
            every: seconds between two looks.
        """
        found = find()
        for _ in range(round(minutes * SECONDS_PER_MINUTE / every)):
            if found:
                break
            self.pause(every)
            found = find()
        return found
