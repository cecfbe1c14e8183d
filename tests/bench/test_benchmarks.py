"""Benchmarks can be started, and the load generators speak the protocols of their servers."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys

import pytest

from bench.__main__ import BENCHMARKS, MOVED, main
from bench.events_service.fanout_client import LoadGroup, event
from bench.events_service.fanout_servers import Dialect, EventsDialect, SocketIoDialect, socket_io
from bench.events_service.websocket import frame, payload_of
from bench.functions import send
from bench.harness import ROOT


@pytest.mark.parametrize("name", BENCHMARKS)
def test_benchmark_has_default_rounds_and_a_run_function(name: str) -> None:
    module = importlib.import_module(f"bench.{BENCHMARKS[name].module}")
    assert module.ROUNDS >= 1
    assert callable(module.run)


@pytest.mark.parametrize("name", ["send", "init"])
def test_benchmark_of_the_functions_runs_on_the_fake_aws(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake must answer what the functions ask today. A send that is refused or not delivered ends the benchmark."""
    monkeypatch.setattr(send, "PARTICIPANTS", (2, send._FANOUT_LIMIT + 5))
    monkeypatch.setattr(send, "_WARMUP", 0)
    lines = importlib.import_module(f"bench.{BENCHMARKS[name].module}").run(1)
    assert [line for line in lines if line.split()[:1] in (["send"], ["messages"])] != []


def test_every_benchmark_module_is_listed() -> None:
    files = [path for path in (ROOT / "bench").rglob("*.py") if path.parent != ROOT / "bench"]
    runnable = {path for path in files if "\ndef run(" in path.read_text(encoding="utf-8")}
    assert runnable == {ROOT / "bench" / (each.module.replace(".", "/") + ".py") for each in BENCHMARKS.values()}


@pytest.mark.parametrize("name", MOVED)
def test_name_of_a_moved_benchmark_prints_the_new_command(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", name])
    with pytest.raises(SystemExit):
        main()
    assert f"pytest tests/{name} --" in capsys.readouterr().err


def test_help_lists_every_benchmark(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "--help"])
    with pytest.raises(SystemExit):
        main()
    printed = " ".join(capsys.readouterr().out.split())
    assert [name for name, each in BENCHMARKS.items() if f"{name}: {each.description}" not in printed] == []


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_incomplete_frame_of_a_server_is_not_read(size: int) -> None:
    payload = b"x" * size
    sent = frame(payload, mask=None)
    assert payload_of(sent + b"more") == (payload, b"more")
    assert [payload_of(sent[:cut]) for cut in (0, 1, len(sent) - 1) if cut < len(sent)][-1] is None


@pytest.mark.parametrize(
    "dialect", [EventsDialect("e", 1, 1, "plain"), SocketIoDialect("s", 1, 1)], ids=["events", "socket.io"]
)
def test_both_servers_get_the_same_event_with_a_constant_length(dialect: Dialect) -> None:
    published = event(7)
    assert json.loads(published)["n"] == "00000007"
    assert len(event(7)) == len(event(12_345_678))
    assert published.replace(b'"', b"") in dialect.publishing(published).replace(b"\\", b"").replace(b'"', b"")


async def test_socket_io_baseline_delivers_to_its_subscribers() -> None:
    with socket_io() as dialect:
        async with asyncio.timeout(60):
            group = await LoadGroup.connect(dialect, 2)
        assert group.bytes_each > len(event(0))
        group.close()
        await asyncio.sleep(0)
