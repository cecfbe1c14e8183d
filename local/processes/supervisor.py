"""Child processes of the local cloud: start, wait until they answer, notice that they died, stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from local.state import write_atomically
from local.steps import StepError

_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.05
_TAIL_LINES = 25
_HEALTH_TIMEOUT_SECONDS = 2.0


@dataclass(frozen=True)
class Program:
    """How to run one child.

    Attributes:
        name: names the child in messages, and its log file.
        command: program and arguments.
        health_url: answers 200 once the child is ready.
        environment: variables on top of the parent's own.
    """

    name: str
    command: tuple[str, ...]
    health_url: str
    environment: dict[str, str] = field(default_factory=dict)


class Child:
    """One running program, in a session of its own, so that Ctrl-C reaches only the parent."""

    def __init__(self, program: Program, log: Path, working_directory: Path) -> None:
        self.program = program
        self.log = log
        self._working_directory = working_directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id.

        Raises:
            RuntimeError: it was not started.
        """
        if self._process is None:
            raise RuntimeError(f"{self.program.name} was not started")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the program; what it prints goes to its log file."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.program.command,
                cwd=self._working_directory,
                env={**os.environ, **self.program.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_ready(self, seconds: float) -> None:
        """Wait for the health address.

        Raises:
            StepError: it ended, or does not answer in time; with the tail of its log.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.running:
                raise StepError(
                    f"{self.program.name} ended with code {self._code()} while starting",
                    f"see {self.log}",
                    self.log_tail(),
                )
            if _answers(self.program.health_url):
                return
            time.sleep(_POLL_SECONDS)
        raise StepError(
            f"{self.program.name} did not answer at {self.program.health_url} within {seconds:.0f} s",
            f"see {self.log}; is the machine very busy?",
            self.log_tail(),
        )

    def stop(self) -> None:
        """Ask it to end, and insist after ten seconds."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def wait_for_end(self) -> None:
        """Wait until it has ended, for any reason."""
        if self._process is not None:
            self._process.wait()

    def log_tail(self, lines: int = _TAIL_LINES) -> str:
        """The last lines that it printed."""
        if not self.log.exists():
            return ""
        text = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
        return "\n".join(f"    {line}" for line in text)

    def _code(self) -> int | None:
        return None if self._process is None else self._process.returncode


class Supervisor:
    """The children of one local cloud, and the record by which a later run finds survivors of a crash."""

    def __init__(self, record: Path) -> None:
        self._record = record
        self._children: dict[str, Child] = {}
        self._stopping = False

    def add(self, child: Child) -> None:
        """Take responsibility for a started child, in place of an earlier one of the same name."""
        self._children.pop(child.program.name, None)
        self._children[child.program.name] = child
        processes = [{"pid": each.pid, "command": list(each.program.command)} for each in self._children.values()]
        write_atomically(self._record, json.dumps(processes))

    def dead(self) -> Child | None:
        """A child that ended without being stopped."""
        return next((each for each in self._children.values() if not self._stopping and not each.running), None)

    def stop_all(self) -> None:
        """Stop the children, last started first."""
        self._stopping = True
        for child in reversed(self._children.values()):
            child.stop()
        if self._children:
            self._record.unlink(missing_ok=True)

    def watch(self, stop: threading.Event) -> Child | None:
        """Wait until `stop` is set or a child dies.

        Returns:
            The dead child, or None.
        """
        while not stop.wait(0.5):
            dead = self.dead()
            if dead is not None:
                return dead
        return None


def end_survivors(record: Path) -> list[int]:
    """End children that outlived a parent which was killed.

    Only a process whose command line is still the recorded one is ended, because process ids are used again.

    Args:
        record: the file that `Supervisor` wrote.

    Returns:
        Process ids that were ended.
    """
    if not record.exists():
        return []
    ended = []
    for entry in json.loads(record.read_text(encoding="utf-8")):
        pid = int(entry["pid"])
        if _command_line(pid) == " ".join(entry["command"]):
            _end(pid)
            ended.append(pid)
    record.unlink()
    return ended


def _command_line(pid: int) -> str:
    result = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return result.stdout.strip()


def _end(pid: int) -> None:
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while time.monotonic() < deadline:
        if not _command_line(pid):
            return
        time.sleep(_POLL_SECONDS)
    os.kill(pid, signal.SIGKILL)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=_HEALTH_TIMEOUT_SECONDS) as response:  # noqa: S310 - our own children
            return bool(response.status == 200)
    except OSError:
        return False
