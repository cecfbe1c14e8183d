"""Two terminals: the chat program as `make chat` starts it, with pipes in place of keyboards."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.place import PATIENCE_SECONDS, Account, People, Place

_ROOT = Path(__file__).resolve().parents[2]


class Program:
    """One running chat program."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()

    async def shows(self, text: str) -> str:
        """Read on until a line has the text, and return that line."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for raw in self.process.stdout:
                line = raw.decode().rstrip("\n")
                self.lines.append(line)
                if text in line:
                    return line
        raise AssertionError(f"the program ended without {text!r}: {self.lines}")

    async def ends(self) -> int:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.process.wait()


async def start(*arguments: str, **environment: str) -> Program:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "client.cli.chat",
        *arguments,
        cwd=_ROOT,
        env=os.environ | environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    return Program(process)


def read(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return document


def write(file: Path, document: dict[str, Any]) -> None:
    file.write_text(json.dumps(document), encoding="utf-8")


@pytest.fixture
async def target(place: Place, people: People, tmp_path: Path) -> Path:
    """A target file whose demo users nobody else is called like."""
    family = uuid.uuid4().hex[:12]
    accounts = [await people.account("Ada", f"L{family}"), await people.account("Grace", f"H{family}")]
    file = tmp_path / "target.json"
    write(file, _document(place, accounts))
    return file


@pytest.fixture
async def programs(target: Path) -> AsyncIterator[tuple[Program, Program]]:
    running = [await start("--user", number, "--target", str(target)) for number in ("1", "2")]
    yield running[0], running[1]
    for program in running:
        if program.process.returncode is None:
            program.process.kill()
            await program.process.wait()


def _document(place: Place, accounts: list[Account]) -> dict[str, Any]:
    target = place.target
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
    return document


async def test_two_terminals_talk_to_each_other(programs: tuple[Program, Program]) -> None:
    ada, grace = programs
    for program, other in ((ada, "Grace H"), (grace, "Ada L")):
        await program.shows("Signed in as")
        await program.shows(f"Talking with {other}")

    await ada.type("hello Grace")
    assert (await ada.shows("hello Grace")).startswith("#1 ")
    assert "Ada L" in await grace.shows("hello Grace")
    await ada.shows("has read up to #1")
    await grace.type("/typing")
    await ada.shows("is typing")
    await grace.type("hello Ada")
    await ada.shows("hello Ada")

    await ada.type("/edit 1 hello dear Grace")
    await grace.shows("#1 now says: hello dear Grace")
    await grace.type("/delete 2")
    await ada.shows("#2 was deleted")
    await ada.type("/delete 2")
    await ada.shows("Not done")
    await ada.type("/nonsense")
    await ada.shows("There is no command /nonsense")

    await ada.type("/list")
    await ada.shows("1. Grace H")
    await ada.type("/quit")
    assert await ada.ends() == 0
    assert grace.process.stdin is not None
    grace.process.stdin.close()
    assert await grace.ends() == 0


async def test_a_later_start_shows_what_was_said(programs: tuple[Program, Program], target: Path) -> None:
    ada, grace = programs
    await ada.shows("Talking with")
    await ada.type("to be found later")
    await ada.shows("to be found later")
    await grace.type("/quit")
    assert await grace.ends() == 0
    again = await start("--user", "2", "--target", str(target))
    await again.shows("to be found later")
    await again.type("/quit")
    assert await again.ends() == 0


class Keyboard:
    """The far end of a terminal: what a person types and sees."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        self.seen = ""
        self._happened = asyncio.Event()
        asyncio.get_running_loop().add_reader(self.master, self._read)

    def _read(self) -> None:
        try:
            self.seen += os.read(self.master, 65536).decode(errors="replace")
        except OSError:  # Linux reports the end of a terminal as an error
            asyncio.get_running_loop().remove_reader(self.master)
        self._happened.set()

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    async def sees(self, text: str) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while text not in self.seen:
                self._happened.clear()
                await self._happened.wait()

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.master)
        os.close(self.master)


async def test_in_a_terminal_a_half_typed_line_stays_below_what_arrives(target: Path) -> None:
    keyboard = Keyboard()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "client.cli.chat", "--user", "1", "--target", str(target)),
        cwd=_ROOT,
        env=os.environ | {"TERM": "xterm", "NO_COLOR": "1"},
        stdin=keyboard.slave,
        stdout=keyboard.slave,
        stderr=keyboard.slave,
    )
    os.close(keyboard.slave)
    grace = await start("--user", "2", "--target", str(target))
    try:
        await keyboard.sees("Talking with")
        await grace.shows("Talking with")
        keyboard.type("half a li")
        await keyboard.sees("half a li")
        await grace.type("hello")
        await keyboard.sees(": hello\r\n> half a li")
        keyboard.type("ne\n")
        assert "half a line" in await grace.shows("half a line")
        keyboard.type("/quit\n")
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.wait() == 0
    finally:
        keyboard.close()
        for running in (process, grace.process):
            if running.returncode is None:
                running.kill()
                await running.wait()


async def test_people_of_the_same_name_are_told_apart(
    programs: tuple[Program, Program], people: People, target: Path
) -> None:
    ada, _ = programs
    first, last = read(target)["demoUsers"][1]["name"].split()
    await ada.shows("Talking with")
    await people.account(first, last)
    await ada.type(f"/new {first} {last}")
    await ada.shows("Several people match")
    await ada.shows("#1 Grace")
    await ada.shows("#2 Grace")
    await ada.type(f"/new {first} {last} #2")
    await ada.shows(f"Talking with {first} {last}")
    await ada.type(f"/group Twins: {first} {last} #1, {first} {last} #2")
    await ada.shows("Talking with Twins")
    await ada.type("/members")
    await ada.shows("you (admin)")
    await ada.type("/leave")
    await ada.shows("no longer in this conversation")


async def test_an_unknown_user_and_a_wrong_password_are_explained(target: Path) -> None:
    unknown = await start("--user", "3", "--target", str(target))
    await unknown.shows("there is no demo user 3")
    assert await unknown.ends() == 1
    email = read(target)["demoUsers"][0]["email"]
    wrong = await start("--email", email, "--target", str(target), CHAT_PASSWORD="Wrong-1-password")
    await wrong.shows("Signing in failed")
    assert await wrong.ends() == 1


async def test_a_program_that_reaches_no_cloud_says_how_to_start_one(target: Path) -> None:
    write(target, read(target) | {"userPoolEndpoint": "http://127.0.0.1:9"})
    program = await start("--target", str(target))
    await program.shows("start it with make up")
    assert await program.ends() == 1


async def test_a_program_without_its_target_says_so(tmp_path: Path) -> None:
    missing = await start("--target", str(tmp_path / "nothing.json"))
    await missing.shows("cannot be read")
    assert await missing.ends() == 1
