"""Two chat programs call each other: ringing, answer, decline, cancel and end."""

from __future__ import annotations

from pathlib import Path

from tests.harness.e2e.terminal import ChatProgram


async def test_two_programs_call_each_other(programs: tuple[ChatProgram, ChatProgram]) -> None:
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
    await ada.shows("cancelled the call.")
    await ada.type("/accept")
    await ada.shows("There is no call.")

    await ada.type("/calls")
    await ada.shows("cancelled")
    await ada.shows("declined")
    await ada.shows("(video): 0:")


async def test_an_answer_in_one_program_of_a_user_stops_the_ringing_in_the_other(
    programs: tuple[ChatProgram, ChatProgram], target_file: Path
) -> None:
    ada, grace = programs
    desk = await ChatProgram.start("--user", "2", "--target", str(target_file))
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
        await desk.kill()
