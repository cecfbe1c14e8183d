"""Two terminals that call each other, through ringing, answer and end."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.test_terminal_chat import Program, programs, start, target

__all__ = ["programs", "target"]
"""Fixtures of the chat's tests."""


async def test_two_terminals_call_each_other(programs: tuple[Program, Program], target: Path) -> None:
    ada, grace = programs
    for program in programs:
        await program.shows("Talking with")

    await ada.type("/call video")
    await grace.shows("is calling (video). /accept or /reject.")
    await ada.shows("It rings at Grace")
    await grace.type("/accept")
    await grace.shows("Connected with Ada")
    await ada.shows("Connected with Grace")
    await ada.type("/who")
    await ada.shows("you (owner): in the call")
    await ada.shows("in the call")
    await grace.type("/call")
    await grace.shows("Not done: you are in another call")
    await grace.type("/hangup")
    await ada.shows("The call is over")
    await grace.shows("The call is over")

    await grace.type("/call")
    await ada.shows("is calling (audio)")
    await grace.shows("It rings at Ada")
    await ada.type("/reject")
    await grace.shows("declined.")

    await grace.type("/call")
    await ada.shows("is calling (audio)")
    await grace.shows("It rings at Ada")
    await grace.type("/cancel")
    await ada.shows("took the call back.")
    await ada.type("/accept")
    await ada.shows("There is no call.")

    await ada.type("/calls")
    await ada.shows("taken back")
    await ada.shows("declined")
    await ada.shows("(video): 0:")


async def test_of_two_terminals_of_one_user_one_answers_and_the_other_falls_silent(
    programs: tuple[Program, Program], target: Path
) -> None:
    ada, grace = programs
    desk = await start("--user", "2", "--target", str(target))
    try:
        for program in (ada, grace, desk):
            await program.shows("Talking with")
        await ada.type("/call")
        await grace.shows("is calling")
        await desk.shows("is calling")
        await desk.type("/accept")
        await desk.shows("Connected with Ada")
        await grace.shows("Answered on another device.")
        await ada.type("/end")
        await desk.shows("The call is over")
    finally:
        desk.process.kill()
        await desk.process.wait()
