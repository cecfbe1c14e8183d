"""The wait for log lines after each call of a function.

Upstream: a warm call waits a fixed 50 ms for a first line on stderr when the function logs nothing, which is
about nine tenths of the time of such a call. Lines that come later are collected by the next call.
"""

from __future__ import annotations

from ministack.core import lambda_runtime

FIRST_LINE_SECONDS = 0.002
IDLE_SECONDS = 0.001
HARD_CAP_SECONDS = 0.25


def apply() -> None:
    """Shorten the defaults of the wait."""
    lambda_runtime.Worker._drain_stderr_bounded.__defaults__ = (FIRST_LINE_SECONDS, IDLE_SECONDS, HARD_CAP_SECONDS)
