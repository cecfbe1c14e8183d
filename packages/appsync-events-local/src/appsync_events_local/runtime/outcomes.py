"""The limits of a handler function, and the possible outcomes of one call."""

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
    """The limits of a handler.

    Attributes:
        seconds: CPU time of one call.
        memory_bytes: heap of the namespace's context.
        stack_bytes: stack of one call.
        loop_iterations: iterations of one loop. AppSync documents that there is a limit; 1,000 is its number for
            GraphQL.
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
    """The handler function raised an error or exceeded a limit."""

    message: str


@dataclass(frozen=True)
class OutOfTime(Crashed):
    """The handler function was interrupted because it exceeded its time limit."""


Outcome = Returned | EarlyReturn | Refused | Crashed


@dataclass(frozen=True)
class LogEntry:
    """One entry of ``console`` or of ``util.appendError``, with its line and column in the code, from 1."""

    level: str
    text: str
    line: int | None
    column: int | None


@dataclass(frozen=True)
class Run:
    """The result of one call of a handler function.

    Attributes:
        outcome: how it ended.
        logs: its log entries, in order.
        stash: ``ctx.stash`` at the end.
        appended: ``{message, type, data, info}`` of each ``util.appendError``.
    """

    outcome: Outcome
    logs: Sequence[LogEntry] = ()
    stash: Mapping[str, Any] = field(default_factory=dict)
    appended: Sequence[Mapping[str, Any]] = ()
