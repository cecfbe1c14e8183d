"""The Events service, in a process of its own, survives malformed inputs without leaks.

`pytest tests/fuzz --fuzz-count 100000` runs it with more inputs, `--fuzz-seed` with others; `-s` shows the numbers.
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import Final

from bench.events_service.process import ServiceProcess, service
from tests.fuzz.attack import attack
from tests.fuzz.conftest import INPUTS_PER_SECOND

SETTLE_SECONDS: Final = 20.0
ALLOWED_GROWTH_BYTES: Final = 16 << 20
"""Growth of resident memory after the warm-up, which fills the caches."""
WARM_UP_INPUTS: Final = 2_000
ERROR: Final = re.compile(r"^\S+ (?:ERROR|CRITICAL) .*(?:\n(?!\d\d:\d\d:\d\d).*)*", re.MULTILINE)
"""An error in the log with its traceback; every entry starts with the time of day."""


def test_malformed_inputs_cause_no_internal_error_no_leak_and_no_hang(fuzz_count: int, fuzz_seed: int) -> None:
    with service(log_level="INFO") as running:
        seconds = 60 + fuzz_count / INPUTS_PER_SECOND
        asyncio.run(attack(running.port, max(fuzz_count // 10, WARM_UP_INPUTS), fuzz_seed - 1, seconds=seconds))
        settle(running)
        memory, files = running.memory_bytes(), running.open_files()
        report = asyncio.run(attack(running.port, fuzz_count, fuzz_seed, seconds=seconds))
        settle(running)
        growth, more_files = running.memory_bytes() - memory, running.open_files() - files
        errors = ERROR.findall(running.log.read_text(errors="replace"))
        print(f"inputs: {dict(report.inputs)}\nanswers: {dict(report.answers)}")
        print(
            f"memory {memory >> 20} MB, growth {growth / (1 << 20):+.1f} MB; open files {files}, growth {more_files:+d}"
        )
        assert report.findings == []
        assert running.activity() == (0, 0), "connections and subscriptions"
        assert more_files <= 2
        assert growth <= ALLOWED_GROWTH_BYTES
        assert [f"{error[:200]} … {error[-1000:]}" for error in errors] == []
        assert report.count >= fuzz_count


def settle(running: ServiceProcess) -> None:
    """Wait until the service has closed every connection."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while running.activity() != (0, 0) and time.monotonic() < deadline:
        time.sleep(0.2)
