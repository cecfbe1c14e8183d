"""Records what the suite observes about the assumptions of the Events service, for `python -m ops.verify`."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Answers:
    """Chooses what is asked about, and writes a file of JSON lines.

    Args:
        file: the file; None records nothing.
        assumptions: the assumptions to ask about; None asks about all, and runs documented rows too.
    """

    file: Path | None = None
    assumptions: Collection[str] | None = None

    def asks(self, assumption: str | None) -> bool:
        """Return whether to ask about an assumption; None stands for documented behaviour."""
        return self.assumptions is None or assumption in self.assumptions

    def record(self, assumption: str, by: str, observed: str, *, same: bool | None) -> None:
        """Record an observation.

        Args:
            assumption: the assumption.
            by: the row or probe that observed it.
            observed: what was observed, or why nothing could be.
            same: whether it is the assumed behaviour; None if it could not be observed.
        """
        if self.file is None:
            return
        line = {"assumption": assumption, "by": by, "same": same, "observed": observed}
        with self.file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line, ensure_ascii=False) + "\n")
