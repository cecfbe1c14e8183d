"""What a handler function may use, and how one call of it may end."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class Shape(enum.Enum):
    """The two forms an exported handler may have."""

    FUNCTION = "function"
    PAIR = "pair"


@dataclass(frozen=True)
class Limits:
    """What a handler may use.

    Attributes:
        seconds: CPU time of one call.
        memory_bytes: heap of the namespace's context.
        stack_bytes: stack of one call.
        loop_iterations: iterations of one loop. AppSync states that there is a cap; 1,000 is the number it states
            for GraphQL.
    """

    seconds: float = 1.0
    memory_bytes: int = 64 * 1024 * 1024
    stack_bytes: int = 256 * 1024
    loop_iterations: int = 1000


@dataclass(frozen=True)
class Returned:
    """The handler function returned; ``stash`` is ``ctx.stash`` afterwards."""

    value: Any
    stash: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EarlyReturn:
    """The handler function called ``runtime.earlyReturn``."""

    value: Any


@dataclass(frozen=True)
class Refused:
    """The handler function called ``util.error`` or ``util.unauthorized``."""

    error_type: str
    message: str
    unauthorized: bool
    data: Any
    info: Any


@dataclass(frozen=True)
class Crashed:
    """The handler function failed in a way it did not choose."""

    message: str


@dataclass(frozen=True)
class OutOfTime(Crashed):
    """The handler function was broken off because its time was over."""


Outcome = Returned | EarlyReturn | Refused | Crashed


@dataclass(frozen=True)
class LogEntry:
    """One line of ``console`` or of ``util.appendError``, and where in the code it was written (lines from 1)."""

    level: str
    text: str
    line: int | None
    column: int | None


@dataclass(frozen=True)
class Run:
    """One call of a handler function and what it left behind.

    Attributes:
        outcome: how it ended.
        logs: what it wrote, in order.
        stash: ``ctx.stash`` at the end.
        appended: ``{message, type, data, info}`` of each ``util.appendError``.
    """

    outcome: Outcome
    logs: Sequence[LogEntry] = ()
    stash: Mapping[str, Any] = field(default_factory=dict)
    appended: Sequence[Mapping[str, Any]] = ()
