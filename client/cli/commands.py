"""What a user can type into the terminal chat."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable

from client.chat_client import ChatClient
from client.cli import call_commands
from client.cli.screen import Screen
from contract.models import Message, PublicUser
from contract.requests import CreateGroup

HELP = f"""\
text                 send a message
/list                your conversations
/open N              talk in conversation N of the list
/new NAME            find somebody and talk
/group TITLE: NAME, NAME …   make a group
/members             who is in this conversation
/history             earlier messages
/edit N TEXT         replace your message #N
/delete N            delete message #N
/typing              tell the others that you type
/read                mark as read
/retry               send again what failed
/leave               leave this group
/block, /unblock     the other person of this conversation
{call_commands.HELP}
/quit                end"""


class Quit(Exception):  # noqa: N818 - a wish, not an error
    """The user wants to end."""


class Commands:
    """Carries out what the user types."""

    def __init__(self, chat: ChatClient, screen: Screen) -> None:
        self._chat = chat
        self._screen = screen
        self._note = screen.terminal.note
        self._commands: dict[str, Callable[[str], Awaitable[None]]] = {
            "/help": self._help,
            "/list": self._list,
            "/open": self._open,
            "/new": self._new,
            "/group": self._group,
            "/members": self._members,
            "/history": self._history,
            "/edit": self._edit,
            "/delete": self._delete,
            "/typing": self._typing,
            "/read": self._read,
            "/retry": self._retry,
            "/leave": self._leave,
            "/block": self._block,
            "/unblock": self._unblock,
            **call_commands.CallCommands(chat, screen).commands,
            "/quit": self._quit,
        }

    async def begin(self, other: str | None) -> None:
        """Open the conversation with the other demo user, or show the list."""
        if other is None:
            self._screen.conversations()
            return
        for view in self._chat.inbox.conversations():
            if view.type == "DM" and view.name == other:
                await self._enter(view.conversationId)
                return
        await self._new(other)

    async def run(self, line: str) -> None:
        """Carry out one line.

        Raises:
            Quit: the user wants to end.
            ClientError: it could not be done.
        """
        if not line.strip():
            return
        if not line.startswith("/"):
            if (conversation := self._here()) is not None:
                await self._chat.send(conversation, line)
            return
        name, _, rest = line.partition(" ")
        command = self._commands.get(name)
        if command is None:
            self._note(f"There is no command {name}. /help lists them.")
        else:
            await command(rest.strip())

    def _here(self) -> str | None:
        if self._screen.open is None:
            self._note("No conversation is open: /open N or /new NAME.")
        return self._screen.open

    async def _enter(self, conversation_id: str) -> None:
        messages = await self._chat.open(conversation_id)
        self._screen.open = conversation_id
        self._note(f"Talking with {self._screen.title(self._chat.inbox[conversation_id].view)}.")
        for message in messages[-20:]:
            self._screen.terminal.show(self._screen.line(message))
        await self._chat.mark_read(conversation_id)

    async def _help(self, rest: str) -> None:
        self._note(HELP)

    async def _list(self, rest: str) -> None:
        self._screen.conversations()

    async def _open(self, rest: str) -> None:
        views = self._chat.inbox.conversations()
        if rest.isdigit() and 1 <= int(rest) <= len(views):
            await self._enter(views[int(rest) - 1].conversationId)
        else:
            self._note("/open takes a number of /list.")

    async def _find(self, wanted: str) -> PublicUser | None:
        """Return the user of a name; `NAME #2` means the second of several."""
        name, _, number = wanted.partition("#")
        name = name.strip()
        users = (await self._chat.api.search_users(name)).users
        found = [user for user in users if user.fullName.casefold() == name.casefold()] or users
        place = int(number) if number.strip().isdigit() else None
        if place is not None and 1 <= place <= len(found):
            found = [found[place - 1]]
        if len(found) == 1:
            self._screen.learn(found[0].userId, found[0].fullName)
            return found[0]
        if not found:
            self._note(f"Nobody is called {name}.")
            return None
        self._note(f"Several people match. Add a number, as in {name} #1:")
        for place, user in enumerate(found, 1):
            self._note(f"  #{place} {user.fullName}{f', {user.major}' if user.major else ''} ({user.userId[:8]})")
        return None

    async def _new(self, rest: str) -> None:
        if not rest:
            self._note("/new takes a name.")
            return
        user = await self._find(rest)
        if user is not None:
            answer = await self._chat.api.open_direct(user.userId)
            self._chat.take(answer.conversation)
            await self._enter(answer.conversation.conversationId)

    async def _group(self, rest: str) -> None:
        title, _, names = rest.partition(":")
        if not title.strip() or not names.strip():
            self._note("/group takes a title and names: /group Study: Grace Hopper, Alan Turing")
            return
        members = []
        for name in names.split(","):
            user = await self._find(name.strip())
            if user is None:
                return
            members.append(user.userId)
        request = CreateGroup(name=title.strip(), memberIds=members, tempId=uuid.uuid4().hex)
        created = (await self._chat.api.create_group(request)).conversation
        view = (await self._chat.api.conversation(created.conversationId)).conversation
        self._chat.take(view)
        await self._enter(view.conversationId)

    async def _members(self, rest: str) -> None:
        if (conversation := self._here()) is not None:
            answer = await self._chat.api.conversation(conversation)
            for member in answer.members:
                role = " (admin)" if member.role == "ADMIN" else ""
                self._screen.terminal.show(
                    f"{self._screen.name(member.userId)}{role}, has read up to #{member.lastReadSeq}"
                )

    async def _history(self, rest: str) -> None:
        if (conversation := self._here()) is not None:
            older = await self._chat.older(conversation)
            for message in older:
                self._screen.terminal.show(self._screen.line(message))
            if not older:
                self._note("There is nothing earlier.")

    def _numbered(self, number: str) -> Message | None:
        conversation = self._here()
        if conversation is None:
            return None
        wanted = number.removeprefix("#")
        for message in self._chat.inbox[conversation].log.messages:
            if wanted.isdigit() and message.seq == int(wanted):
                return message
        self._note(f"There is no message #{wanted or '?'} here; /history loads earlier ones.")
        return None

    async def _edit(self, rest: str) -> None:
        number, _, text = rest.partition(" ")
        if (message := self._numbered(number)) is not None:
            await self._chat.edit(message.conversationId, message.messageId, text)

    async def _delete(self, rest: str) -> None:
        if (message := self._numbered(rest)) is not None:
            await self._chat.delete(message.conversationId, message.messageId)

    async def _typing(self, rest: str) -> None:
        if (conversation := self._here()) is not None:
            await self._chat.typing(conversation)

    async def _read(self, rest: str) -> None:
        if (conversation := self._here()) is not None:
            await self._chat.mark_read(conversation)
            self._note("Everything here is marked as read.")

    async def _retry(self, rest: str) -> None:
        failed = [draft for draft in self._chat.drafts.values() if draft.error is not None]
        for draft in failed:
            await self._chat.resend(draft.request.conversationId, draft.temp_id)
        if not failed:
            self._note("Nothing has failed.")

    async def _leave(self, rest: str) -> None:
        if (conversation := self._here()) is not None:
            await self._chat.api.leave_group(conversation)

    async def _other(self) -> str | None:
        conversation = self._here()
        if conversation is None:
            return None
        view = self._chat.inbox[conversation].view
        others = [user for user in view.participants if user != self._chat.user_id]
        if view.type != "DM" or len(others) != 1:
            self._note("Only the other person of a direct conversation can be blocked.")
            return None
        return others[0]

    async def _block(self, rest: str) -> None:
        if (user := await self._other()) is not None:
            await self._chat.api.block(user)

    async def _unblock(self, rest: str) -> None:
        if (user := await self._other()) is not None:
            await self._chat.api.unblock(user)

    async def _quit(self, rest: str) -> None:
        raise Quit
