"""The model of a Lambda function of a served template, as the runner needs it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_TIMEOUT_SECONDS = 3.0
DEFAULT_MEMORY_MB = 128


@dataclass(frozen=True)
class InlineCode:
    """Source text from the template (`Code.ZipFile`); it is the module `index`."""

    text: str


@dataclass(frozen=True)
class FunctionModel:
    """One function.

    Attributes:
        name: its physical name.
        arn: its ARN without a qualifier, shown to the function in its context.
        runtime: `python3.13`, `nodejs24.x`, ... as in the template.
        handler: `module.function`, the module by its path in the code.
        code: a folder, a `.zip` file, or source text.
        environment: its `Environment.Variables`, resolved.
        timeout_seconds: time limit of one call.
        memory_mb: shown to the function in its context; not enforced.
        region: AWS region shown to the function.
    """

    name: str
    arn: str
    runtime: str
    handler: str
    code: Path | InlineCode
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    memory_mb: int = DEFAULT_MEMORY_MB
    region: str = "us-east-1"

    @property
    def language(self) -> str | None:
        """`python` or `nodejs`; `None` for a runtime that is not supported."""
        found = re.match(r"(python|nodejs)\d", self.runtime)
        return found[1] if found else None
