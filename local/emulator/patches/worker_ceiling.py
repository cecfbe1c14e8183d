"""How many processes of one function may run at once.

Upstream: every concurrent call of a function gets a process of its own, without a bound. A burst of calls then starts
dozens of interpreters, which slow each other down, which makes more calls concurrent. AWS has the machines for that;
here the calls beyond the ceiling wait for a process to become free.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

CEILING = max(4, 2 * (os.cpu_count() or 1))
WAIT_SECONDS = 25.0
"""Longest wait for a free process; then the call is throttled, as upstream does at its own ceiling."""
_LOOK_AGAIN_SECONDS = 0.5
"""A process that dies also becomes free, and no event announces that."""


def apply() -> None:
    """Let callers wait for a process in place of starting one more."""
    freed = threading.Condition()
    lambda_svc.acquire_worker = waiting(lambda_svc.acquire_worker, freed)
    release = announcing(lambda_svc.release_worker, freed)
    lambda_svc.release_worker = lambda_runtime.release_worker = release


def waiting(acquire: Callable[..., tuple[Any, str]], freed: threading.Condition) -> Callable[..., tuple[Any, str]]:
    """Return a version of `acquire_worker` that waits at the ceiling.

    Args:
        acquire: upstream's function; answers `(None, "func_cap")` at the ceiling that it is given.
        freed: notified when a process becomes free.
    """

    def acquire_in_turn(*arguments: Any, **options: Any) -> tuple[Any, str]:
        options["max_concurrency"] = options.get("max_concurrency") or CEILING
        deadline = time.monotonic() + WAIT_SECONDS
        with freed:
            while True:
                worker, reason = acquire(*arguments, **options)
                if worker is not None or time.monotonic() >= deadline:
                    return worker, reason
                freed.wait(_LOOK_AGAIN_SECONDS)

    return acquire_in_turn


def announcing(release: Callable[..., None], freed: threading.Condition) -> Callable[..., None]:
    """Return a version of `release_worker` that notifies the waiting callers, which may wait for another function."""

    def release_and_notify(*arguments: Any, **options: Any) -> None:
        release(*arguments, **options)
        with freed:
            freed.notify_all()

    return release_and_notify
