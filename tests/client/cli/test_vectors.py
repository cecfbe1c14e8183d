"""The vectors on the terminal: its lines show the same messages and calls as the other clients (promise P9)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from client.cli.call_lines import change_line
from client.cli.screen import Screen
from client.live_view import LiveView
from tests.harness import vectors
from tests.harness.client.call_vectors import CallsUnderTest
from tests.harness.client.calls import ME as CALLED
from tests.harness.client.vector_steps import CONVERSATION, ClientUnderTest, sequences

from .test_commands import RecordingTerminal

_MESSAGE = re.compile(r"#(?P<seq>\d+) \d\d:\d\d [^:]+: (?P<text>.*)")
_EDITED = re.compile(r"#(?P<seq>\d+) now says: (?P<text>.*)")
_DELETED = re.compile(r"#(?P<seq>\d+) was deleted")


class QuietScreen(Screen):
    """A screen that marks nothing as read: there is no API."""

    def _spawn_read(self, conversation_id: str) -> None:
        return


class ChatOfView:
    """What a screen needs of a chat client, on a view without a connection."""

    def __init__(self, view: LiveView) -> None:
        self.user_id = view.user_id
        self.conversations = view.inbox.conversations

    def conversation(self, conversation_id: str) -> Any:
        raise AssertionError("the conversation is open")


def read_lines(lines: list[str]) -> dict[int, str | None]:
    """Return the messages that the lines of a terminal show, by sequence number; None for a deleted one."""
    found: dict[int, str | None] = {}
    for line in lines:
        if match := _EDITED.fullmatch(line):
            found[int(match["seq"])] = match["text"]
        elif match := _DELETED.fullmatch(line):
            found[int(match["seq"])] = None
        elif match := _MESSAGE.fullmatch(line):
            text = match["text"].removesuffix(" (edited)")
            found[int(match["seq"])] = None if text == "(deleted)" else text
    return found


@pytest.mark.parametrize("case", vectors.load("messages")["cases"], ids=lambda case: case["name"])
async def test_terminal_shows_the_messages_of_the_view(case: dict[str, Any]) -> None:
    for steps in sequences(case):
        client = ClientUnderTest(case)
        terminal = RecordingTerminal()
        screen = QuietScreen(terminal, ChatOfView(client.view), local=True)  # type: ignore[arg-type]
        client.view.feed.add_listener(screen.update)
        screen.open = CONVERSATION
        for message in client.log.messages if CONVERSATION in client.view.inbox else ():
            terminal.show(screen.line(message))
        for step in steps:
            client.apply(step)
            loads = "older" in step or "newest" in step
            for message in client.log.messages if loads else ():
                terminal.show(screen.line(message))
        shown = read_lines(terminal.shown)
        for seq, text in case["view"].get("messages", []):
            assert seq is None or shown[seq] == text, steps
        if case["view"].get("listed") is False and case.get("start") != "none":
            assert screen.open is None
        client.view.close()


@pytest.mark.parametrize(
    "case", [case for case in vectors.load("calls")["cases"] if "lines" in case], ids=lambda case: case["name"]
)
def test_terminal_shows_the_lines_of_a_call(case: dict[str, Any]) -> None:
    calls = CallsUnderTest()
    lines = []
    for step in case["steps"]:
        known = len(calls.changes)
        calls.apply(step)
        lines += [change_line(change, CALLED, lambda user: user[:8]) for change in calls.changes[known:]]
    assert lines == case["lines"]
