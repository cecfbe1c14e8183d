"""Two chat programs, as `make chat` starts them, exchange messages."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from local.emulator.strict.rules.dynamodb import LAG_MOST_MILLISECONDS
from tests.harness.e2e.environment import LONGEST_WAIT_SECONDS
from tests.harness.e2e.terminal import ROOT, ChatProgram, Pseudoterminal, change_target, read_target
from tests.harness.e2e.users import Users


async def test_two_programs_exchange_messages(programs: tuple[ChatProgram, ChatProgram]) -> None:
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


async def test_a_restarted_program_shows_the_earlier_messages(
    programs: tuple[ChatProgram, ChatProgram], target_file: Path
) -> None:
    ada, grace = programs
    await ada.shows("Talking with")
    await ada.type("shown after the restart")
    await ada.shows("shown after the restart")
    await grace.type("/quit")
    assert await grace.ends() == 0
    again = await ChatProgram.start("--user", "2", "--target", str(target_file))
    await again.shows("shown after the restart")
    await again.type("/quit")
    assert await again.ends() == 0


async def test_a_half_typed_line_stays_below_an_arriving_message(target_file: Path) -> None:
    terminal = Pseudoterminal()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "client.cli.chat", "--user", "1", "--target", str(target_file)),
        cwd=ROOT,
        env=os.environ | {"TERM": "xterm", "NO_COLOR": "1"},
        stdin=terminal.slave,
        stdout=terminal.slave,
        stderr=terminal.slave,
    )
    os.close(terminal.slave)
    grace = await ChatProgram.start("--user", "2", "--target", str(target_file))
    try:
        await terminal.shows("Talking with")
        await grace.shows("Talking with")
        terminal.type("half a li")
        await terminal.shows("half a li")
        await grace.type("hello")
        await terminal.shows(": hello\r\n> half a li")
        terminal.type("ne\n")
        assert "half a line" in await grace.shows("half a line")
        terminal.type("/quit\n")
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            assert await process.wait() == 0
    finally:
        terminal.close()
        for program in (ChatProgram(process), grace):
            await program.kill()


async def test_users_of_the_same_name_are_distinguished_by_number(
    programs: tuple[ChatProgram, ChatProgram], users: Users, target_file: Path
) -> None:
    ada, _ = programs
    first, last = read_target(target_file)["demoUsers"][1]["name"].split()
    await ada.shows("Talking with")
    await users.account(first, last)
    await asyncio.sleep(2 * LAG_MOST_MILLISECONDS / 1000)  # a search is eventually consistent
    await ada.type(f"/new {first} {last}")
    await ada.shows("Several users match")
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


async def test_an_unknown_user_and_a_wrong_password_are_explained(target_file: Path) -> None:
    unknown = await ChatProgram.start("--user", "3", "--target", str(target_file))
    await unknown.shows("there is no demo user 3")
    assert await unknown.ends() == 1
    email = read_target(target_file)["demoUsers"][0]["email"]
    wrong = await ChatProgram.start("--email", email, "--target", str(target_file), CHAT_PASSWORD="Wrong-1-password")
    await wrong.shows("Signing in failed")
    assert await wrong.ends() == 1


async def test_a_program_without_a_running_cloud_shows_how_to_start_one(target_file: Path) -> None:
    change_target(target_file, userPoolEndpoint="http://127.0.0.1:9")
    program = await ChatProgram.start("--target", str(target_file))
    await program.shows("start it with make up")
    assert await program.ends() == 1


async def test_a_program_names_the_target_file_that_it_cannot_read(tmp_path: Path) -> None:
    missing = await ChatProgram.start("--target", str(tmp_path / "nothing.json"))
    await missing.shows("cannot be read")
    assert await missing.ends() == 1
