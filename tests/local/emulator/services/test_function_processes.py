"""Processes of functions: frozen between invocations, killed at the timeout, limited in number."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import EmulatorProcess
from tests.local.emulator.services.conftest import Strict, invoked

TICKING = """
import os, threading, time
ticks = 0
def tick():
    global ticks
    while True:
        time.sleep(0.02)
        ticks += 1
threading.Thread(target=tick, daemon=True).start()
def handler(event, context):
    return {"ticks": ticks, "pid": os.getpid()}
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def handler(event, context):
    for step in range(40):
        time.sleep(0.1)
        open(event["path"], "a").write("still here\\n")
"""
SLEEPING = """
import time
def handler(event, context):
    time.sleep(event["seconds"])
"""


def ticks_of_a_second(emulator: EmulatorProcess, function: str) -> int:
    _, first = invoked(emulator, function)
    time.sleep(1)
    _, second = invoked(emulator, function)
    assert first["pid"] == second["pid"]
    return int(second["ticks"] - first["ticks"])


def test_threads_of_a_function_stand_still_between_invocations(
    emulator: EmulatorProcess, strict: Strict, name: str
) -> None:
    emulator.function(name, TICKING)
    assert ticks_of_a_second(emulator, name) < 5


def test_without_the_rule_threads_of_a_function_go_on(emulator: EmulatorProcess, strict: Strict, name: str) -> None:
    strict(frozenProcesses=False)
    emulator.function(name, TICKING)
    assert ticks_of_a_second(emulator, name) > 15


def test_a_function_dies_at_its_timeout_though_it_ignores_sigterm(
    emulator: EmulatorProcess, strict: Strict, name: str, tmp_path: Path
) -> None:
    emulator.function(name, STUBBORN)
    emulator.aws("lambda").update_function_configuration(FunctionName=name, Timeout=1)
    written = tmp_path / "written"
    kind, answer = invoked(emulator, name, {"path": str(written)})
    assert kind == "Unhandled"
    assert "timed out after 1" in answer["errorMessage"]
    lines = len(written.read_text().splitlines())
    time.sleep(1)
    assert len(written.read_text().splitlines()) - lines <= 1


def test_frozen_processes_end_with_an_emulator_that_was_killed(
    new_emulator: Callable[..., EmulatorProcess],
) -> None:
    emulator = new_emulator()
    emulator.function("frozen", TICKING)
    _, answer = invoked(emulator, "frozen")
    emulator.kill9()
    deadline = time.monotonic() + 10
    while _runs(answer["pid"]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(answer["pid"])


def test_a_deployment_replaces_frozen_processes(emulator: EmulatorProcess, strict: Strict, name: str) -> None:
    emulator.function(name, TICKING)
    _, answer = invoked(emulator, name)
    emulator.aws("lambda").update_function_configuration(FunctionName=name, Timeout=5)
    _, other = invoked(emulator, name)
    emulator.aws("lambda").delete_function(FunctionName=name)
    assert not _runs(other["pid"])
    assert answer["pid"] == other["pid"] or not _runs(answer["pid"])


def codes_of(emulator: EmulatorProcess, function: str, together: int) -> list[str]:
    def invoke(_: int) -> str:
        try:
            invoked(emulator, function, {"seconds": 1.0})
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return ""

    with ThreadPoolExecutor(together) as pool:
        return list(pool.map(invoke, range(together)))


def test_an_invocation_above_the_accounts_concurrency_is_throttled(
    emulator: EmulatorProcess, strict: Strict, name: str
) -> None:
    emulator.function(name, SLEEPING)
    invoked(emulator, name, {"seconds": 0})
    strict(concurrentExecutions=2)
    assert sorted(codes_of(emulator, name, 3)) == ["", "", "TooManyRequestsException"]
    strict(concurrentExecutions=10)
    assert codes_of(emulator, name, 3) == [""] * 3


@pytest.mark.parametrize("value", [0, 100_001, "many"])
def test_a_concurrency_that_no_account_has_is_refused(emulator: EmulatorProcess, strict: Strict, value: Any) -> None:
    with pytest.raises(Exception, match="concurrentExecutions"):
        strict(concurrentExecutions=value)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
