"""The end-to-end suite, which tests the environment and asks about the Events service's assumptions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ops.cdk import ROOT
from ops.verify.deployment import SuiteRecord
from ops.verify.question import CannotAskError

_STANDARD_ERROR: Final = 2
_SUITE: Final = "tests/e2e"
_ASKING: Final = (
    "tests/e2e/test_conformance.py",
    "tests/e2e/test_undocumented_behaviour.py",
    "tests/e2e/test_handler_behaviour.py",
)
"""The tests that write a record for each assumption that they ask about."""
CREATING: Final = ("tests/e2e/test_conformance.py",)
"""The tests that create stacks in the account, even if no assumption is asked about."""

Run = Callable[[list[str], Mapping[str, str]], int]


def run_pytest(arguments: list[str], variables: Mapping[str, str]) -> int:
    """Run pytest in a process of its own and return its exit status; its output goes to standard error."""
    command = [sys.executable, "-m", "pytest", *arguments, "--force-enable-socket"]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, stdout=_STANDARD_ERROR).returncode


class Suite:
    """The suite against one environment.

    Args:
        target: the outputs of the environment, in a form that `--target` of the suite reads.
        variables: environment variables of the suite: credentials and endpoint of a local cloud.
        assumptions: the assumptions to ask about.
        run: runs pytest.
    """

    def __init__(
        self,
        target: Mapping[str, Any],
        variables: Mapping[str, str],
        assumptions: Sequence[str],
        run: Run = run_pytest,
    ) -> None:
        self._target, self._variables, self._assumptions, self._run = target, variables, assumptions, run
        self._lock = threading.Lock()
        self._records: dict[str, list[SuiteRecord]] | None = None

    def of(self, assumption: str) -> list[SuiteRecord]:
        """Return the records of one assumption; the first call asks about all of them.

        Raises:
            CannotAskError: the suite could not be run.
        """
        with self._lock:
            if self._records is None:
                self._records = self._ask()
        return self._records.get(assumption, [])

    def test(self, arguments: Sequence[str]) -> int:
        """Run the whole suite and return its exit status.

        Args:
            arguments: further arguments of pytest.
        """
        with tempfile.TemporaryDirectory(prefix="verify-") as directory:
            return self._run([_SUITE, "--target", self._written(directory), *arguments], self._variables)

    def _ask(self) -> dict[str, list[SuiteRecord]]:
        with tempfile.TemporaryDirectory(prefix="verify-") as directory:
            answers = Path(directory) / "answers.jsonl"
            chosen = ["--answers", str(answers), "--assumptions", ",".join(self._assumptions)]
            arguments = [*_ASKING, "-q", "--target", self._written(directory), *chosen]
            status = self._run(arguments, self._variables)
            if not answers.is_file():
                raise CannotAskError(f"the end-to-end suite ended with status {status} before it asked anything")
            return read_records(answers.read_text(encoding="utf-8"))

    def _written(self, directory: str) -> str:
        file = Path(directory) / "target.json"
        file.write_text(json.dumps(self._target), encoding="utf-8")
        return str(file)


def read_records(text: str) -> dict[str, list[SuiteRecord]]:
    """Return the records of a file that the suite wrote, one JSON object a line, by assumption."""
    records: dict[str, list[SuiteRecord]] = defaultdict(list)
    for line in text.splitlines():
        record = json.loads(line)
        records[record["assumption"]].append(SuiteRecord(record["by"], record["same"], record["observed"]))
    return dict(records)
