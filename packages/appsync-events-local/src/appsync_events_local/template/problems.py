"""What is wrong with a template: where, why, and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Origin:
    """Where something stands: a template, the stack that it makes, and the logical id of a resource in it."""

    file: Path
    stack: str
    logical_id: str


@dataclass(frozen=True)
class TemplateProblem:
    """One reason why a template cannot be served.

    Attributes:
        file: the template.
        logical_id: of the resource; empty if the file as a whole is meant.
        property: path of the property in the resource; empty if the resource as a whole is meant.
        message: what is wrong.
        remedy: what the reader can do.
        line: in the file, or in the property if that is code; from 1. `None` if there is none to name.
        column: in that line, from 1.
    """

    file: Path
    logical_id: str
    property: str
    message: str
    remedy: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return f"{self.finding()}\n    remedy: {self.remedy}"

    def finding(self) -> str:
        """Place and message in one line; editors jump to `file:line:column`, where the file is code."""
        at = "" if self.line is None else f":{self.line}:{self.column or 1}"
        parts = [str(self.file), self.logical_id, self.property]
        parts[2 if self.property else 0] += at
        place = ": ".join(part for part in parts if part)
        return f"{place}: {self.message}"


class TemplateRefused(Exception):  # noqa: N818 - a verdict on the templates, not a fault
    """The templates cannot be served, for all these reasons."""

    def __init__(self, problems: Sequence[TemplateProblem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = list(problems)
