"""Starts the processes of Python functions by forking one that has imported the AWS SDK already."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Final, TextIO

from local.emulator.workers import template_process

_LOGGER = logging.getLogger("local.workers")
_START_SECONDS: Final = 20.0


class ForkFailedError(Exception):
    """The fork server is gone, or did not answer in time."""


class ForkedProcess:
    """A process of the fork server, with what `subprocess.Popen` offers of one.

    Attributes:
        pid: process id.
        stdin, stdout, stderr: pipes, as text.
        returncode: exit status, negative for a signal; None while it runs.
    """

    def __init__(self, pid: int, stdin: TextIO, stdout: TextIO, stderr: TextIO) -> None:
        self.pid = pid
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self.returncode: int | None = None
        self._ended = threading.Event()

    def note_end(self, returncode: int) -> None:
        """Take the report that the process has ended; only the first one counts."""
        if self.returncode is None:
            self.returncode = returncode
            self._ended.set()

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: it still runs after `timeout` seconds.
        """
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired(["function"], timeout or 0.0)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL; it counts as ended from now on, so that no caller waits for the report of its end."""
        if self.returncode is None:
            self.send_signal(signal.SIGKILL)
            self.note_end(-signal.SIGKILL)


class ForkServer:
    """The fork server and its processes. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._answers: _Answers | None = None

    def start(self) -> None:
        """Start it in the background, so that the first function need not wait for its imports."""
        with self._lock:
            self._started()

    def spawn(self, script: str, directory: str, environment: Mapping[str, str]) -> ForkedProcess:
        """Start a process that runs a Python script.

        Raises:
            ForkFailedError: the fork server is gone or does not answer.
        """
        request = json.dumps({"script": script, "directory": directory, "environment": dict(environment)}).encode()
        request = len(request).to_bytes(template_process.LENGTH_BYTES) + request
        child_in, stdin = os.pipe()
        stdout, child_out = os.pipe()
        stderr, child_err = os.pipe()
        theirs, ours = (child_in, child_out, child_err), (stdin, stdout, stderr)
        try:
            with self._lock:
                answers = self._started()
                assert self._connection is not None
                sent = socket.send_fds(self._connection, [request], theirs)
                self._connection.sendall(request[sent:])
                pid = answers.next_start(_START_SECONDS)
                process = ForkedProcess(
                    pid,
                    os.fdopen(stdin, "w", buffering=1, encoding="utf-8"),
                    os.fdopen(stdout, "r", encoding="utf-8"),
                    os.fdopen(stderr, "r", encoding="utf-8", errors="replace"),
                )
                answers.adopt(process)
        except (OSError, ForkFailedError) as error:
            self.stop()
            for descriptor in ours:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
            raise ForkFailedError(str(error)) from error
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        return process

    def stop(self) -> None:
        """End it; its processes end with it."""
        with self._lock:
            if self._connection is not None:
                with contextlib.suppress(OSError):
                    self._connection.shutdown(socket.SHUT_RDWR)
            self._connection, self._answers = None, None

    def _started(self) -> _Answers:
        if self._answers is not None and not self._answers.over:
            return self._answers
        ours, theirs = socket.socketpair()
        command = [sys.executable, template_process.__file__, str(theirs.fileno())]
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        self._connection, self._answers = ours, _Answers(ours, process)
        return self._answers


class _Answers:
    """Reads the answers of one fork server on a thread of its own."""

    def __init__(self, connection: socket.socket, server: subprocess.Popen[bytes]) -> None:
        self._connection, self._server = connection, server
        self._processes: dict[int, ForkedProcess] = {}
        self._ended_early: dict[int, int] = {}
        self._lock = threading.Lock()
        self._started: list[int] = []
        self._start = threading.Semaphore(0)
        self.over = False
        threading.Thread(target=self._read, daemon=True, name="fork-server").start()

    def next_start(self, seconds: float) -> int:
        """Return the process id of the next started process.

        Raises:
            ForkFailedError: none is started in time.
        """
        if not self._start.acquire(timeout=seconds) or not self._started:
            raise ForkFailedError("the fork server does not answer")
        return self._started.pop(0)

    def adopt(self, process: ForkedProcess) -> None:
        """Report the end of a process to it from now on."""
        with self._lock:
            status = self._ended_early.pop(process.pid, None)
            if status is None and not self.over:
                self._processes[process.pid] = process
        if status is not None or self.over:
            process.note_end(-signal.SIGKILL if status is None else status)

    def _read(self) -> None:
        with self._connection, contextlib.suppress(OSError), self._connection.makefile("rb") as lines:
            for line in lines:
                self._take(json.loads(line))
        self._finish()

    def _take(self, answer: Mapping[str, int]) -> None:
        if "started" in answer:
            self._started.append(answer["started"])
            self._start.release()
            return
        with self._lock:
            process = self._processes.pop(answer["ended"], None)
            if process is None:
                self._ended_early[answer["ended"]] = answer["status"]
        if process is not None:
            process.note_end(answer["status"])

    def _finish(self) -> None:
        """The fork server is gone: end what it left, since no report of an end will come."""
        with self._lock:
            self.over = True
            left, self._processes = list(self._processes.values()), {}
        for process in left:
            process.kill()
        self._server.kill()
        self._server.wait()
        self._start.release()
