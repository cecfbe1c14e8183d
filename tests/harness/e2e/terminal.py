"""The chat program as `make chat` starts it: with pipes as its terminal, or with a pseudoterminal."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.harness.e2e.environment import LONGEST_WAIT_SECONDS, TestEnvironment
from tests.harness.e2e.users import Account

ROOT = Path(__file__).resolve().parents[3]


class ChatProgram:
    """One running chat program with pipes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    @classmethod
    async def start(cls, *arguments: str, **variables: str) -> ChatProgram:
        """Start the program with these arguments and environment variables."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "client.cli.chat",
            *arguments,
            cwd=ROOT,
            env=os.environ | variables,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        return cls(process)

    async def type(self, line: str) -> None:
        """Write a line to the program's input."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()

    async def shows(self, text: str) -> str:
        """Read lines until one contains the text, and return that line."""
        assert self.process.stdout is not None
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            async for raw in self.process.stdout:
                line = raw.decode().rstrip("\n")
                self.lines.append(line)
                if text in line:
                    return line
        raise AssertionError(f"the program ended without {text!r}: {self.lines}")

    async def ends(self) -> int:
        """Wait for the end of the program and return its exit status."""
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            return await self.process.wait()

    async def kill(self) -> None:
        """Kill the program if it still runs."""
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


class Pseudoterminal:
    """The user's side of a terminal: what the user types and what the terminal shows."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        self.shown = ""
        self._changed = asyncio.Event()
        asyncio.get_running_loop().add_reader(self.master, self._read)

    def _read(self) -> None:
        try:
            self.shown += os.read(self.master, 65536).decode(errors="replace")
        except OSError:  # Linux reports the end of a terminal as an error
            asyncio.get_running_loop().remove_reader(self.master)
        self._changed.set()

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    async def shows(self, text: str) -> None:
        """Wait until the terminal shows a text."""
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            while text not in self.shown:
                self._changed.clear()
                await self._changed.wait()

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.master)
        os.close(self.master)


def read_target(file: Path) -> dict[str, Any]:
    """Return the document of a target file."""
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return document


def change_target(file: Path, **changes: Any) -> None:
    """Change values of a target file."""
    file.write_text(json.dumps(read_target(file) | changes), encoding="utf-8")


def write_target(file: Path, environment: TestEnvironment, accounts: list[Account]) -> None:
    """Write a target file of the environment whose demo users are these accounts."""
    target = environment.target
    document: dict[str, Any] = {
        "apiUrl": target.api_url,
        "eventsHttpEndpoint": target.events_http_url,
        "eventsRealtimeEndpoint": target.events_realtime_url,
        "region": target.region,
        "userPoolId": target.user_pool_id,
        "userPoolClientId": target.client_id,
        "demoUsers": [{"email": a.email, "name": a.name, "password": a.password} for a in accounts],
    }
    if target.cognito_endpoint:
        document["userPoolEndpoint"] = target.cognito_endpoint
    file.write_text(json.dumps(document), encoding="utf-8")
