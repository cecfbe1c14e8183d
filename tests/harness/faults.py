"""Fault injection: the n-th call of a function to another service is refused, lost, or ends the function's process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from threading import Lock
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from handlers.core.delivery.ports import Publisher

Fault = Callable[[Callable[[], Any]], Any]
"""What happens instead of a call: it is given a function that makes the real one."""


class ProcessKilledError(BaseException):
    """The process is killed: nothing after this point happens, and no handler may catch it."""


class FaultInjector:
    """Counts the calls of a function to other services, and makes one of them fail.

    Args:
        at: the call that fails, from 1; 0 for none.
        fault: what happens instead of that call.
    """

    def __init__(self, at: int = 0, fault: Fault | None = None) -> None:
        self.calls: list[str] = []
        self.triggered = False
        self._dead = False
        self._remaining, self._fault = at, fault
        self._lock = Lock()

    def arm(self, at: int, fault: Fault) -> None:
        """Make one of the following calls fail.

        Args:
            at: the call that fails, from 1.
            fault: what happens instead of that call.
        """
        self._remaining, self._fault = at, fault

    def call(self, name: str, make: Callable[[], Any]) -> Any:
        """Make one call, or let it fail; a killed process makes none."""
        with self._lock:
            if self._dead:
                raise ProcessKilledError(name)
            self.calls.append(name)
            self._remaining -= 1
            fails_now = self._remaining == 0
        if not fails_now or self._fault is None:
            return make()
        self.triggered = True
        try:
            return self._fault(make)
        except ProcessKilledError:
            self._dead = True
            raise


class FaultyClient:
    """A botocore client whose calls go through a `FaultInjector`."""

    def __init__(self, client: Any, faults: FaultInjector) -> None:
        self._client = client
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        """Return an operation of the client, with faults."""
        operation = getattr(self._client, name)

        def call(**parameters: Any) -> Any:
            return self._faults.call(name, lambda: operation(**parameters))

        return call


class FaultyPublisher(Publisher):
    """A publisher whose publishes go through a `FaultInjector`, one call for each channel."""

    def __init__(self, publisher: Publisher, faults: FaultInjector) -> None:
        self._publisher = publisher
        self._faults = faults

    def publish(self, channels: Sequence[str], event: str) -> Collection[str]:
        """Publish to one channel after the other; an ordinary failure is a failed channel."""
        failed: list[str] = []
        for channel in channels:
            try:
                failed += self._faults.call("publish", partial(self._publisher.publish, [channel], event))
            except (ClientError, ReadTimeoutError):
                failed.append(channel)
        return failed


def _client_error(code: str, status: int) -> ClientError:
    answer = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Operation")


def throttled(make: Callable[[], Any]) -> Any:
    """The service refuses, and nothing happens."""
    raise _client_error("ProvisionedThroughputExceededException", 400)


def service_error(make: Callable[[], Any]) -> Any:
    """The service fails, and nothing happens."""
    raise _client_error("InternalServerError", 500)


def met_transaction(make: Callable[[], Any]) -> Any:
    """DynamoDB refuses a single write because a transaction is in progress on its item."""
    raise _client_error("TransactionConflictException", 400)


def request_lost(make: Callable[[], Any]) -> Any:
    """The request is lost on its way."""
    raise ReadTimeoutError(endpoint_url="http://service.invalid")


def response_lost(make: Callable[[], Any]) -> Any:
    """The call takes effect, and its response is lost."""
    make()
    raise ReadTimeoutError(endpoint_url="http://service.invalid")


def killed_before(make: Callable[[], Any]) -> Any:
    """The process is killed just before the call."""
    raise ProcessKilledError


def killed_after(make: Callable[[], Any]) -> Any:
    """The call takes effect, and the process is killed."""
    make()
    raise ProcessKilledError
