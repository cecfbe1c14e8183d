"""Operations that stop before every call to the world, so that a test decides who goes next and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Semaphore, Thread
from typing import Any

from handlers.core.calls.ports import MeetingsFailedError
from handlers.core.shared.errors import ChatError, OutcomeUnknownError, UnavailableError
from tests.harness.faults import ProcessKilledError
from tests.harness.handlers.call_town import CallTown
from tests.harness.handlers.call_world import World

FAULTS = ("refused", "unheard", "lost", "dies_before", "dies_after")
"""What can go wrong with one call: the service refuses; the request or its answer is lost; the process is killed."""
LIFETIME_SECONDS = 20
"""How long a function may run: an operation that is older is killed."""
_READS = frozenset({"read", "read_many", "locks", "page", "due", "names", "users", "between", "get", "exists"})


class InlinePool:
    """An executor that works at once, in the thread that asks, so that a run can be repeated exactly."""

    def submit(self, call: Callable[[], Any]) -> Future[Any]:
        """Make a call."""
        future: Future[Any] = Future()
        try:
            future.set_result(call())
        except Exception as error:
            future.set_exception(error)
        return future

    def map(self, call: Callable[[Any], Any], arguments: list[Any]) -> list[Any]:
        """Call once for each argument."""
        return [call(argument) for argument in arguments]


@dataclass
class Running:
    """One operation, in a thread of its own, which goes on only when told to.

    Args:
        work: the operation; is given a town whose every call to the world stops first.
    """

    world: World
    work: Callable[[CallTown], Any]
    calls: int = 0
    dead: bool = False
    done: bool = False
    answer: Any = None
    refusal: Exception | None = None
    _fault: str | None = None
    _go: Semaphore = field(default_factory=lambda: Semaphore(0))
    _stopped: Semaphore = field(default_factory=lambda: Semaphore(0))

    def __post_init__(self) -> None:
        """Start, and run up to the first call."""
        self.started_at = self.world.clock.now()
        town = CallTown(self.world, wrap=lambda name, part: _Watched(name, part, self))
        Thread(target=self._run, args=(town,), daemon=True).start()
        self._stopped.acquire()

    def _run(self, town: CallTown) -> None:
        try:
            self.answer = self.work(town)
        except ProcessKilledError:
            self.dead = True
        except ChatError as error:
            self.refusal = error
        finally:
            self.done = True
            self._stopped.release()

    def step(self, fault: str | None = None) -> None:
        """Make the call before which the operation stands, and run up to the next one; it may be too old for that."""
        assert not self.done
        if self.world.clock.now() - self.started_at > LIFETIME_SECONDS * 1000:
            fault = "dies_before"
        self._fault = fault
        self._go.release()
        self._stopped.acquire()

    def finish(self) -> Running:
        """Run to the end."""
        while not self.done:
            self.step()
        return self

    def make(self, part: str, name: str, call: Callable[[], Any]) -> Any:
        """Stop; then make a call, or let it go wrong."""
        if self.dead:
            raise ProcessKilledError(name)
        self._stopped.release()
        self._go.acquire()
        self.calls += 1
        fault, self._fault = self._fault, None
        if fault is None:
            return call()
        if fault in ("lost", "dies_after"):
            call()
        if fault.startswith("dies"):
            self.dead = True
            raise ProcessKilledError(name)
        return _failed(part, name, fault)


def _failed(part: str, name: str, fault: str) -> Any:
    """Fail as the part's adapter does."""
    match part:
        case "chime":
            raise MeetingsFailedError(f"{name} {fault}")
        case "timer":
            return False
        case "store" if name in _READS or fault == "refused":
            raise UnavailableError(f"{name} {fault}")
        case "store":
            raise OutcomeUnknownError(f"{name} {fault}")
    raise RuntimeError(f"{part} {name} {fault}")


class _Watched:
    """A part of the world whose every call goes through a running operation."""

    def __init__(self, part: str, target: Any, running: Running) -> None:
        self._part = part
        self._target = target
        self._running = running

    def __getattr__(self, name: str) -> Any:
        """Return an operation of the part, watched."""
        operation = getattr(self._target, name)

        def watched(*arguments: Any, **named: Any) -> Any:
            return self._running.make(self._part, name, lambda: operation(*arguments, **named))

        return watched
