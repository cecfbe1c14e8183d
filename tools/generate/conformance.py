"""The conformance page of the Events service: its promises, and the tests that show them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

SUITE: Final = Path(__file__).resolve().parents[2] / "packages" / "appsync-events-local" / "tests"
_PROGRAM: Final = """\
import sys
from conformance_suite.page import page
sys.stdout.buffer.write(page().encode("utf-8"))
"""


class ConformancePageError(Exception):
    """The conformance suite could not write its page; the message holds its error output."""


def page(suite: Path = SUITE) -> str:
    """Return the page, written by the conformance suite in a process of its own.

    The suite belongs to the tests of the package `appsync-events-local`, which this repository's tools do not import.

    Args:
        suite: directory that holds the package `conformance_suite`.

    Raises:
        ConformancePageError: the suite failed.
    """
    paths = [str(suite), *filter(None, [os.environ.get("PYTHONPATH")])]
    outcome = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        check=False,
    )
    if outcome.returncode != 0:
        raise ConformancePageError(
            f"conformance_suite.page failed with exit code {outcome.returncode}:\n{outcome.stderr.decode().strip()}"
        )
    return outcome.stdout.decode("utf-8")
