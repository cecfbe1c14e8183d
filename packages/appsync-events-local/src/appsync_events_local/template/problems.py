"""Problems of templates: location, message and remedy."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Origin:
    """The location of a resource: its template file, stack and logical id."""

    file: Path
    stack: str
    logical_id: str


@dataclass(frozen=True)
class TemplateProblem:
    """One reason why a template cannot be served.

    Attributes:
        file: the template file.
        logical_id: logical id of the resource; empty if the problem concerns the whole file.
        property: path of the property; empty if the problem concerns the whole resource.
        message: what is wrong.
        remedy: what to do.
        line: line in the file, or in the property if that is code, from 1; `None` if unknown.
        column: column in that line, from 1.
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
        """Return location and message in one line, as `file:line:column` where the file is code."""
        at = "" if self.line is None else f":{self.line}:{self.column or 1}"
        parts = [str(self.file), self.logical_id, self.property]
        parts[2 if self.property else 0] += at
        location = ": ".join(part for part in parts if part)
        return f"{location}: {self.message}"


class TemplateRefused(Exception):  # noqa: N818 - a result of the check, not a fault
    """The templates cannot be served; lists all problems."""

    def __init__(self, problems: Sequence[TemplateProblem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = list(problems)
