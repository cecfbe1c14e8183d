"""The error that reports invalid handler code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One reason why handler code is refused.

    Attributes:
        message: what is wrong and what to use instead.
        line: line in the code, from 1; ``None`` if the problem concerns the code as a whole.
        column: column in that line, from 1.
    """

    message: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return self.message if self.line is None else f"{self.line}:{self.column}: {self.message}"


class CodeRefused(Exception):  # noqa: N818 - a result of the check, not a fault
    """The code is not valid APPSYNC_JS, or does not match the namespace's configuration.

    Attributes:
        problems: all problems, in the order of the code.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = list(problems)
