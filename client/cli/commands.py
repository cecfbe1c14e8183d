"""The commands of the terminal chat."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from client.chat_client import ChatClient
from client.cli import call_commands
from client.cli.screen import Screen
from client.conversation import ConversationHandle
from contract.models import Message, PublicUser

HELP = f"""\
text                 send a message
/list                your conversations
/open N              open conversation N of the list
/new NAME            open the conversation with a user
/group TITLE: NAME, NAME …   create a group
/members             the members of this conversation
/history             earlier messages
/edit N TEXT         replace your message #N
/delete N            delete message #N
/typing              announce that you type
/read                mark as read
/retry               send the failed messages again
/leave               leave this group
/block, /unblock     block or unblock the other user of this conversation
{call_commands.HELP}
/quit                end"""


class Quit(Exception):  # noqa: N818 - a signal, not an error
    """The user quits the program."""


class Commands:
    """Executes the lines that the user types."""

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

    async def open_first(self, other: str | None) -> None:
        """Open the conversation with the other demo user, or show the list."""
        if other is None:
            self._screen.conversations()
            return
        for view in self._chat.conversations():
            if view.type == "DM" and view.name == other:
                await self._enter(self._chat.conversation(view.conversationId))
                return
        await self._new(other)

    async def run(self, line: str) -> None:
        """Execute one line.

        Raises:
            Quit: the user quits the program.
            ClientError: the command failed.
        """
        if not line.strip():
            return
        if not line.startswith("/"):
            if (conversation := self._open_conversation()) is not None:
                await conversation.send(line)
            return
        name, _, rest = line.partition(" ")
        command = self._commands.get(name)
        if command is None:
            self._note(f"There is no command {name}. /help lists them.")
        else:
            await command(rest.strip())

    def _open_conversation(self) -> ConversationHandle | None:
        if self._screen.open is None:
            self._note("No conversation is open: /open N or /new NAME.")
            return None
        return self._chat.conversation(self._screen.open)

    async def _enter(self, conversation: ConversationHandle) -> None:
        messages = await conversation.history()
        self._screen.open = conversation.id
        self._note(f"Talking with {self._screen.title(conversation.view)}.")
        for message in messages[-20:]:
            self._screen.terminal.show(self._screen.line(message))
        await conversation.mark_read()

    async def _help(self, rest: str) -> None:
        self._note(HELP)

    async def _list(self, rest: str) -> None:
        self._screen.conversations()

    async def _open(self, rest: str) -> None:
        views = self._chat.conversations()
        if rest.isdigit() and 1 <= int(rest) <= len(views):
            await self._enter(self._chat.conversation(views[int(rest) - 1].conversationId))
        else:
            self._note("/open takes a number of /list.")

    async def _find(self, wanted: str) -> PublicUser | None:
        """Return the user with a name; `NAME #2` means the second of several."""
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
            self._note(f"No user is named {name}.")
            return None
        self._note(f"Several users match. Add a number, as in {name} #1:")
        for place, user in enumerate(found, 1):
            self._note(f"  #{place} {user.fullName}{f', {user.major}' if user.major else ''} ({user.userId[:8]})")
        return None

    async def _new(self, rest: str) -> None:
        if not rest:
            self._note("/new takes a name.")
            return
        user = await self._find(rest)
        if user is not None:
            await self._enter(await self._chat.open_direct(user.userId))

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
        await self._enter(await self._chat.create_group(title.strip(), members))

    async def _members(self, rest: str) -> None:
        if (conversation := self._open_conversation()) is not None:
            for member in await conversation.members():
                role = " (admin)" if member.role == "ADMIN" else ""
                self._screen.terminal.show(
                    f"{self._screen.name(member.userId)}{role}, has read up to #{member.lastReadSeq}"
                )

    async def _history(self, rest: str) -> None:
        if (conversation := self._open_conversation()) is not None:
            older = await conversation.older()
            for message in older:
                self._screen.terminal.show(self._screen.line(message))
            if not older:
                self._note("There are no earlier messages.")

    def _numbered(self, conversation: ConversationHandle, number: str) -> Message | None:
        wanted = number.removeprefix("#")
        for message in conversation.messages:
            if wanted.isdigit() and message.seq == int(wanted):
                return message
        self._note(f"There is no message #{wanted or '?'} here; /history loads earlier ones.")
        return None

    async def _edit(self, rest: str) -> None:
        number, _, text = rest.partition(" ")
        conversation = self._open_conversation()
        if conversation is not None and (message := self._numbered(conversation, number)) is not None:
            await conversation.edit(message.messageId, text)

    async def _delete(self, rest: str) -> None:
        conversation = self._open_conversation()
        if conversation is not None and (message := self._numbered(conversation, rest)) is not None:
            await conversation.delete(message.messageId)

    async def _typing(self, rest: str) -> None:
        if (conversation := self._open_conversation()) is not None:
            await conversation.typing()

    async def _read(self, rest: str) -> None:
        if (conversation := self._open_conversation()) is not None:
            await conversation.mark_read()
            self._note("All messages here are marked as read.")

    async def _retry(self, rest: str) -> None:
        failed = [draft for draft in self._chat.drafts.values() if draft.error is not None]
        for draft in failed:
            await self._chat.conversation(draft.conversation_id).resend(draft.temp_id)
        if not failed:
            self._note("No message has failed.")

    async def _leave(self, rest: str) -> None:
        if (conversation := self._open_conversation()) is not None:
            await conversation.leave()

    def _other_user(self) -> str | None:
        conversation = self._open_conversation()
        if conversation is None:
            return None
        view = conversation.view
        others = [user for user in view.participants if user != self._chat.user_id]
        if view.type != "DM" or len(others) != 1:
            self._note("Only the other user of a direct conversation can be blocked.")
            return None
        return others[0]

    async def _block(self, rest: str) -> None:
        if (user := self._other_user()) is not None:
            await self._chat.block(user)

    async def _unblock(self, rest: str) -> None:
        if (user := self._other_user()) is not None:
            await self._chat.unblock(user)

    async def _quit(self, rest: str) -> None:
        raise Quit
