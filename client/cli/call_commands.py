"""The commands for calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from client.call_client import CallHandle
from client.chat_client import ChatClient
from client.cli.call_lines import history_line, participant_lines
from client.cli.screen import Screen
from contract.calls.models import MediaType

HELP = """\
/call [video]        call the participants of this conversation
/accept, /reject     answer or decline a call
/cancel              cancel your call before it is answered
/hangup [NAME]       leave the call; the owner of a group call may name a successor
/end                 end the call for all participants
/who                 the participants of the call
/calls               your latest calls"""


class CallCommands:
    """Executes the commands for calls."""

    def __init__(self, chat: ChatClient, screen: Screen) -> None:
        self._chat = chat
        self._screen = screen
        self._note = screen.terminal.note

    @property
    def commands(self) -> Mapping[str, Callable[[str], Awaitable[None]]]:
        """The commands by name."""
        return {
            "/call": self._call,
            "/accept": self._accept,
            "/reject": self._reject,
            "/cancel": self._cancel,
            "/hangup": self._hangup,
            "/end": self._end,
            "/who": self._who,
            "/calls": self._calls,
        }

    async def _call(self, rest: str) -> None:
        conversation = self._screen.open
        if conversation is None:
            self._note("No conversation is open: /open N or /new NAME, then /call.")
            return
        if rest not in ("", "audio", "video"):
            self._note("/call takes nothing, audio or video.")
            return
        view = self._chat.conversation(conversation).view
        others = [user for user in view.participants if user != self._chat.user_id]
        media: MediaType = "VIDEO" if rest == "video" else "AUDIO"
        if view.type == "DM":
            await self._chat.calls.start(user_id=others[0], media=media)
        else:
            await self._chat.calls.start(conversation_id=conversation, media=media)

    def _current(self) -> CallHandle | None:
        call = self._chat.calls.current()
        if call is None:
            self._note("There is no call. /call starts one, /calls lists the latest.")
        return call

    async def _accept(self, rest: str) -> None:
        if (call := self._current()) is not None:
            await call.accept()

    async def _reject(self, rest: str) -> None:
        if (call := self._current()) is not None:
            await call.reject()

    async def _cancel(self, rest: str) -> None:
        if (call := self._current()) is not None:
            await call.cancel()

    async def _hangup(self, rest: str) -> None:
        call = self._current()
        if call is None:
            return
        successor: str | None = None
        if rest:
            view = await call.refresh()
            named = [each.userId for each in view.participants if each.name.casefold() == rest.casefold()]
            if len(named) != 1:
                self._note(f"{'No' if not named else 'More than one'} participant of the call is named {rest}.")
                return
            successor = named[0]
        await call.leave(successor)

    async def _end(self, rest: str) -> None:
        if (call := self._current()) is not None:
            await call.end()

    async def _who(self, rest: str) -> None:
        if (call := self._current()) is not None:
            view = await call.refresh()
            for line in participant_lines(view, self._chat.user_id):
                self._screen.terminal.show(line)

    async def _calls(self, rest: str) -> None:
        views = await self._chat.calls.history()
        for view in views:
            self._screen.terminal.show(history_line(view, self._chat.user_id))
        if not views:
            self._note("No calls yet.")
