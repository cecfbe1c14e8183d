"""Operations that stop before every call to a service, so that a test decides which one continues and what fails."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Semaphore, Thread
from typing import Any

from handlers.core.calls.ports import MeetingsFailedError
from handlers.core.shared.errors import ChatError, OutcomeUnknownError, UnavailableError
from tests.harness.faults import ProcessKilledError
from tests.harness.in_memory.calls import InMemoryCalls
from tests.harness.in_memory.services import InMemoryServices

FAULTS = ("refused", "request_lost", "response_lost", "killed_before", "killed_after")
"""The faults of one call: the service refuses it; the request or its response is lost; the process is killed."""
LIFETIME_SECONDS = 20
"""The longest run of a function: an older operation is killed."""
_READS = frozenset({"read", "read_many", "locks", "page", "due", "names", "users", "between", "get", "exists"})


class InlinePool:
    """A thread pool that runs each call at once in the caller's thread, so that every run is the same."""

    def submit(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Make a call."""
        future: Future[Any] = Future()
        try:
            future.set_result(call(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future

    def map(self, call: Callable[[Any], Any], arguments: list[Any]) -> list[Any]:
        """Call once for each argument."""
        return [call(argument) for argument in arguments]


@dataclass
class SteppedOperation:
    """One operation, in a thread of its own, which continues only when a test steps it.

    Args:
        work: the operation; its argument stops before every call to a service.
        steps: the calls made so far.
        killed: whether a fault killed the process.
        result: what the operation returned.
        error: what the operation raised.
    """

    services: InMemoryServices
    work: Callable[[InMemoryCalls], Any]
    steps: int = 0
    killed: bool = False
    done: bool = False
    result: Any = None
    error: Exception | None = None
    _fault: str | None = None
    _go: Semaphore = field(default_factory=lambda: Semaphore(0))
    _stopped: Semaphore = field(default_factory=lambda: Semaphore(0))

    def __post_init__(self) -> None:
        """Start, and run up to the first call."""
        self.started_at = self.services.clock.now()
        calls = InMemoryCalls(self.services, wrap=lambda name, service: _SteppedService(name, service, self))
        Thread(target=self._run, args=(calls,), daemon=True).start()
        self._stopped.acquire()

    def _run(self, calls: InMemoryCalls) -> None:
        try:
            self.result = self.work(calls)
        except ProcessKilledError:
            self.killed = True
        except ChatError as error:
            self.error = error
        finally:
            self.done = True
            self._stopped.release()

    def step(self, fault: str | None = None) -> None:
        """Make the next call, and run up to the one after it; an operation older than its lifetime is killed."""
        assert not self.done
        if self.services.clock.now() - self.started_at > LIFETIME_SECONDS * 1000:
            fault = "killed_before"
        self._fault = fault
        self._go.release()
        self._stopped.acquire()

    def finish(self) -> SteppedOperation:
        """Run to the end."""
        while not self.done:
            self.step()
        return self

    def call(self, service: str, name: str, make: Callable[[], Any]) -> Any:
        """Stop; then make a call, or let it fail."""
        if self.killed:
            raise ProcessKilledError(name)
        self._stopped.release()
        self._go.acquire()
        self.steps += 1
        fault, self._fault = self._fault, None
        if fault is None:
            return make()
        if fault in ("response_lost", "killed_after"):
            make()
        if fault.startswith("killed"):
            self.killed = True
            raise ProcessKilledError(name)
        return _fail(service, name, fault)


def _fail(service: str, name: str, fault: str) -> Any:
    """Fail as the service's adapter does."""
    match service:
        case "chime":
            raise MeetingsFailedError(f"{name} {fault}")
        case "timers":
            return False
        case "store" if name in _READS or fault == "refused":
            raise UnavailableError(f"{name} {fault}")
        case "store":
            raise OutcomeUnknownError(f"{name} {fault}")
    raise RuntimeError(f"{service} {name} {fault}")


class _SteppedService:
    """A service whose every call goes through a stepped operation."""

    def __init__(self, name: str, service: Any, operation: SteppedOperation) -> None:
        self._name = name
        self._service = service
        self._operation = operation

    def __getattr__(self, name: str) -> Any:
        """Return a method of the service that stops before its call."""
        method = getattr(self._service, name)

        def call(*arguments: Any, **named: Any) -> Any:
            return self._operation.call(self._name, name, lambda: method(*arguments, **named))

        return call
