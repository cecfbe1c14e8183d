"""Runs the Events service in a process of its own, with one API, for benchmarks and fuzz tests."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from local.processes.ports import LOOPBACK, Ports

API: Final = "bench"
KEY: Final = "da2-benchbenchbenchbenchbench"
TOKEN: Final = "bench-control"  # noqa: S105 - of a service that runs only during the benchmark
READY_SECONDS: Final = 90.0
STOP_SECONDS: Final = 10.0
ENDLESS: Final = 1 << 30
"""A rate limit of publishes per second that no benchmark reaches."""

NAMESPACES: Final[dict[str, str | None]] = {
    "plain": None,
    "handled": """
import { util } from '@aws-appsync/utils'
export function onPublish(ctx) {
  return ctx.events.map(event => ({ id: event.id, payload: event.payload }))
}
export function onSubscribe(ctx) {
  if (ctx.info.channel.segments.length < 2) { util.unauthorized() }
}
""",
}
"""Handler code by namespace: none, and handlers that copy every event and check every subscription."""


@dataclass
class ServiceProcess:
    """A running service.

    Attributes:
        port: its port on loopback.
        pid: its process id.
        log: the file of its log.
    """

    port: int
    pid: int
    log: Path

    @property
    def host(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def memory_bytes(self) -> int:
        """Return the resident memory of the process."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def open_files(self) -> int:
        """Return the number of open file descriptors of the process, sockets included."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))  # noqa: PTH208 - counted, not read

    def activity(self) -> tuple[int, int]:
        """Return the numbers of connections and subscriptions that the service reports."""
        api = self.control("GET", "apis")["apis"][API]
        return int(api["connections"]), sum(api["subscriptions"].values())

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control API; return its JSON response."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"x-local-control": TOKEN, "content-type": "application/json"}
        request = urllib.request.Request(
            f"http://{self.host}/_control/{path}", data=data, method=method, headers=headers
        )
        with urllib.request.urlopen(request, timeout=READY_SECONDS) as answer:
            return json.load(answer)


@contextlib.contextmanager
def service(*options: str, log_level: str = "WARNING") -> Iterator[ServiceProcess]:
    """Run the service with the API and its namespaces, and stop it afterwards.

    Args:
        options: further command line options of `python -m appsync_events_local`.
        log_level: level of its log.
    """
    port = Ports.free().events
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "token").write_text(TOKEN)
        (folder / "signers.json").write_text("{}")
        nowhere = f"http://{LOOPBACK}:9"
        command = [
            sys.executable, "-m", "appsync_events_local", "--port", str(port), "--state", scratch,
            "--control-token-file", str(folder / "token"), "--credentials", str(folder / "signers.json"),
            "--cognito-endpoint", nowhere, "--aws-endpoint", nowhere, "--log-level", log_level,
            "--publishes-per-second", str(ENDLESS), "--events-per-second", "0", "--connections-per-second", "0",
            *options,
        ]  # fmt: skip
        log = folder / "log"
        with log.open("w") as written:
            process = subprocess.Popen(command, stderr=written)
        try:
            running = ServiceProcess(port, process.pid, log)
            _wait_until_ready(running, process)
            register(running)
            yield running
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            process.kill()
            process.wait()


def register(running: ServiceProcess) -> None:
    """Register the API, its key and its namespaces."""
    modes = [{"AuthType": "API_KEY"}]
    event_config = {
        "AuthProviders": modes,
        "ConnectionAuthModes": modes,
        "DefaultPublishAuthModes": modes,
        "DefaultSubscribeAuthModes": modes,
    }
    body = {
        "name": API,
        "properties": {"Name": API, "EventConfig": event_config},
        "hosts": {"http": running.host, "realtime": running.host},
        "region": "us-east-1",
        "accountId": "000000000000",
    }
    running.control("PUT", f"apis/{API}", body)
    running.control("PUT", f"apis/{API}/keys/{KEY}", {"properties": {}})
    for name, code in NAMESPACES.items():
        properties = {"CodeHandlers": code} if code else {}
        running.control("PUT", f"apis/{API}/namespaces/{name}", {"properties": properties})


def _wait_until_ready(running: ServiceProcess, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            running.control("GET", "apis")
            return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the Events service does not start:\n{running.log.read_text()}") from None
            time.sleep(0.05)
