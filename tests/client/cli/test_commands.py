"""The commands of the terminal chat against the small backend; `tests/e2e` runs the program itself."""

from __future__ import annotations

import pytest

from client.chat_client import ChatClient
from client.cli.chat import explain
from client.cli.commands import Commands, Quit
from client.cli.screen import Screen
from client.cli.terminal import Terminal
from client.errors import ServerFaultError, SignInError, UnreachableError
from tests.harness.client.application import RecordingApplication
from tests.harness.client.backend import ChatBackend
from tests.harness.client.servers import Reply


class RecordingTerminal(Terminal):
    """Records the lines that the program shows."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    def show(self, text: str) -> None:
        self.shown.append(text)

    def note(self, text: str) -> None:
        self.shown.append(text)


@pytest.fixture
def terminal() -> RecordingTerminal:
    return RecordingTerminal()


@pytest.fixture
async def commands(chat: ChatClient, terminal: RecordingTerminal) -> Commands:
    """The commands of a connected client, before a conversation is open."""
    return await connect(chat, terminal)


async def connect(chat: ChatClient, terminal: RecordingTerminal) -> Commands:
    """Connect the client and return its commands."""
    screen = Screen(terminal, chat, local=True)
    chat.add_listener(screen.update)
    await chat.start()
    return Commands(chat, screen)


async def test_text_is_sent_to_the_open_conversation(
    backend: ChatBackend, commands: Commands, terminal: RecordingTerminal
) -> None:
    await commands.run("lost")
    assert terminal.shown == ["No conversation is open: /open N or /new NAME."]
    await commands.run("/open 1")
    await commands.run("hello")
    assert backend.messages["c"][-1]["content"] == "hello"
    assert terminal.shown[-1].endswith("you: hello")


async def test_messages_are_edited_deleted_and_paged_by_their_number(
    backend: ChatBackend, chat: ChatClient, terminal: RecordingTerminal
) -> None:
    for number in range(1, 6):
        backend.store(str(number), sender="me")
    commands = await connect(chat, terminal)
    await commands.run("/open 1")
    await commands.run("/edit 5 five")
    assert terminal.shown[-1] == "#5 now says: five"
    await commands.run("/delete #4")
    assert terminal.shown[-1] == "#4 was deleted"
    await commands.run("/edit 1 one")
    assert terminal.shown[-1] == "There is no message #1 here; /history loads earlier ones."
    await commands.run("/history")
    await commands.run("/edit 1 one")
    assert terminal.shown[-1] == "#1 now says: one"


async def test_messages_that_are_shown_within_two_seconds_are_marked_in_one_request(
    backend: ChatBackend, chat: ChatClient, terminal: RecordingTerminal, application: RecordingApplication
) -> None:
    commands = await connect(chat, terminal)
    await commands.run("/open 1")
    for text in ("one", "two", "three"):
        await backend.send(text)
        await application.until(lambda text=text: any(line.endswith(text) for line in terminal.shown))
    await commands._screen.settled()
    marked = [request.document["seq"] for request in backend.api.requests if request.path.endswith("/read")]
    assert marked in ([1, 3], [2, 3], [3])
    assert chat.conversation("c").view.lastReadSeq == 3


async def test_retry_sends_the_failed_messages_again(
    backend: ChatBackend, chat: ChatClient, commands: Commands, terminal: RecordingTerminal
) -> None:
    await commands.run("/open 1")
    chat.api._retry_seconds = 0.0
    backend.overrides["POST /api/messages/send"] = Reply(500)
    with pytest.raises(ServerFaultError):
        await commands.run("hello")
    assert terminal.shown[-1] == "The message was not sent. /retry sends it again."
    backend.overrides.clear()
    await commands.run("/retry")
    assert [message["content"] for message in backend.messages["c"]] == ["hello"]
    await commands.run("/retry")
    assert terminal.shown[-1] == "No message has failed."


async def test_a_call_is_started_and_cancelled(
    backend: ChatBackend, chat: ChatClient, commands: Commands, application: RecordingApplication
) -> None:
    await commands.run("/open 1")
    await commands.run("/call video")
    assert backend.calls["s"]["status"] == "RINGING"
    await commands.run("/cancel")
    assert backend.calls["s"]["status"] == "CANCELLED"


async def test_an_unknown_command_is_named_and_quit_ends_the_program(
    commands: Commands, terminal: RecordingTerminal
) -> None:
    await commands.run("/nonsense")
    assert terminal.shown[-1] == "There is no command /nonsense. /help lists them."
    with pytest.raises(Quit):
        await commands.run("/quit")


def test_an_error_that_ends_the_program_is_explained() -> None:
    assert "start it with make up" in explain(UnreachableError("Cognito", "refused"))
    assert explain(SignInError("X", "no")) == "Signing in failed: no (X)."
