"""What a user can type about calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from client.chat_client import ChatClient
from client.cli.call_lines import history_line, participant_lines
from client.cli.screen import Screen
from client.state.call import Call
from contract.calls.models import MediaType

HELP = """\
/call [video]        call whoever is in this conversation
/accept, /reject     answer or decline a call
/cancel              take back your call before it is answered
/hangup [NAME]       leave the call; the owner of a group call may name a successor
/end                 end the call for everybody
/who                 who is in the call
/calls               your latest calls"""


class CallCommands:
    """Carries out what the user types about calls."""

    def __init__(self, chat: ChatClient, screen: Screen) -> None:
        self._chat = chat
        self._screen = screen
        self._note = screen.terminal.note

    @property
    def commands(self) -> Mapping[str, Callable[[str], Awaitable[None]]]:
        """Return the commands by name."""
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
        view = self._chat.inbox[conversation].view
        others = [user for user in view.participants if user != self._chat.user_id]
        media: MediaType = "VIDEO" if rest == "video" else "AUDIO"
        if view.type == "DM":
            await self._chat.calling.call(user_id=others[0], media=media)
        else:
            await self._chat.calling.call(conversation_id=conversation, media=media)

    def _current(self) -> Call | None:
        call = self._chat.calling.current()
        if call is None:
            self._note("There is no call. /call begins one, /calls lists the latest.")
        return call

    async def _accept(self, rest: str) -> None:
        if (call := self._current()) is not None:
            await self._chat.calling.accept(call.session_id)

    async def _reject(self, rest: str) -> None:
        if (call := self._current()) is not None:
            await self._chat.calling.reject(call.session_id)

    async def _cancel(self, rest: str) -> None:
        if (call := self._current()) is not None:
            await self._chat.calling.cancel(call.session_id)

    async def _hangup(self, rest: str) -> None:
        call = self._current()
        if call is None:
            return
        successor: str | None = None
        if rest:
            view = await self._chat.calling.who(call.session_id)
            named = [each.userId for each in view.participants if each.name.casefold() == rest.casefold()]
            if len(named) != 1:
                self._note(f"{'Nobody' if not named else 'More than one'} in the call is called {rest}.")
                return
            successor = named[0]
        await self._chat.calling.leave(call.session_id, successor)

    async def _end(self, rest: str) -> None:
        if (call := self._current()) is not None:
            await self._chat.calling.end(call.session_id)

    async def _who(self, rest: str) -> None:
        if (call := self._current()) is not None:
            view = await self._chat.calling.who(call.session_id)
            for line in participant_lines(view, self._chat.user_id):
                self._screen.terminal.show(line)

    async def _calls(self, rest: str) -> None:
        views = await self._chat.calling.history()
        for view in views:
            self._screen.terminal.show(history_line(view, self._chat.user_id))
        if not views:
            self._note("There were no calls yet.")
