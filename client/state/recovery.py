"""Keeping one user's view complete: what is asked for at each connection, and whenever the numbers show a gap.

The order that leaves no hole: the subscriptions are acknowledged first, then the list (and with it how far every
conversation has come) is read, and only then the events that arrived meanwhile are applied; what the numbers show to
be missing is asked for conversation by conversation.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

from appsync_events import Backoff

from client.api.http_api import Api
from client.call_client import Calling
from client.errors import ApiError, ForbiddenError, NotFoundError, UnreachableError
from client.state.conversation_log import ConversationLog
from client.state.inbox import Inbox
from client.state.updates import Update
from contract import events
from contract.limits import CONVERSATIONS_PAGE_MAX
from contract.models import ConversationView
from contract.responses import HistoryPage

_log = logging.getLogger(__name__)
_SETTLE_SECONDS: Final = 0.15
_AT_ONCE: Final = 4
"""Conversations that are asked for at the same time."""


class Recovery:
    """The recovery of one view.

    Args:
        api: what is asked.
        inbox: the view.
        calling: the calls of the view.
        apply: applies one event to the view.
        tell: tells the application what changed.
        backoff: waits between tries.
    """

    def __init__(
        self,
        api: Api,
        inbox: Inbox,
        calling: Calling,
        *,
        apply: Callable[[events.Event], None],
        tell: Callable[[Iterable[Update]], None],
        backoff: Backoff,
    ) -> None:
        self._api = api
        self._inbox = inbox
        self._calling = calling
        self._apply = apply
        self._tell = tell
        self._backoff = backoff
        self._held: list[events.Event] | None = []
        self._first = True
        self._tasks: set[asyncio.Task[None]] = set()
        self._listing: asyncio.Task[None] | None = None
        self._filling: set[str] = set()
        self._fetching: set[str] = set()
        self._slots = asyncio.Semaphore(_AT_ONCE)

    def take(self, event: events.Event) -> None:
        """Take an event: it is applied now, or once the list has been read."""
        if self._held is not None:
            self._held.append(event)
            return
        self._apply(event)
        self.fill_gaps()

    def pause(self) -> None:
        """Hold events from now on: the connection is gone, and the next one begins with the list."""
        if self._held is None:
            self._held = []
        if self._listing is not None:
            self._listing.cancel()

    def begin(self, done: Callable[[], None]) -> None:
        """Read the list, then apply what was held, then fill gaps; `done` is called when the list is in.

        Every subscription has been acknowledged when this is called.
        """
        self.pause()
        self._listing = self._spawn(self._recover(done), "recover")

    async def close(self) -> None:
        """End everything under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def fill_gaps(self) -> None:
        """Begin to ask for everything that is known to be missing and is not being asked for."""
        if self._held is not None:
            return
        for conversation_id in list(self._inbox.unknown):
            self.fetch(conversation_id)
        for log in self._inbox.behind():
            if log.conversation_id not in self._filling:
                self._filling.add(log.conversation_id)
                self._spawn(self._fill(log), f"fill {log.conversation_id}")

    def fetch(self, conversation_id: str) -> None:
        """Begin to ask for a conversation that is not in the list."""
        if conversation_id not in self._fetching:
            self._fetching.add(conversation_id)
            self._spawn(self._fetch(conversation_id), f"fetch {conversation_id}")

    # The list

    async def _recover(self, done: Callable[[], None]) -> None:
        attempt = 0
        while not await self._list():
            await asyncio.sleep(self._backoff.delay(attempt))
            attempt += 1
        self._first = False
        held, self._held = self._held or [], None
        for event in held:
            self._apply(event)
        self.fill_gaps()
        done()

    async def _list(self) -> bool:
        try:
            views = await self._all_conversations()
            self._tell(self._inbox.listed(views, first=self._first))
            listed = {view.conversationId for view in views}
            for view in self._inbox.conversations():
                # The list may have changed while its pages were read, so absence alone proves nothing.
                if view.conversationId not in listed:
                    await self._look(view.conversationId)
            self._tell(self._inbox.listed_blocks((await self._api.blocks()).userIds))
            await self._calling.refresh()
        except (ApiError, UnreachableError) as error:
            _log.info("the recovery is tried again: %s", error)
            return False
        return True

    async def _all_conversations(self) -> list[ConversationView]:
        views: list[ConversationView] = []
        cursor: str | None = None
        while True:
            page = await self._api.conversations(limit=CONVERSATIONS_PAGE_MAX, cursor=cursor)
            views += page.conversations
            cursor = page.nextCursor
            if cursor is None:
                return views

    async def _look(self, conversation_id: str) -> None:
        """Ask for one conversation and take what the API says of it, also that it is no longer the user's."""
        try:
            view = (await self._api.conversation(conversation_id)).conversation
        except (ForbiddenError, NotFoundError):
            self._tell(self._inbox.gone(conversation_id))
        else:
            self._tell(self._inbox.listed([view]))

    # One conversation

    async def _fill(self, log: ConversationLog) -> None:
        """Ask for what a log misses until it misses nothing."""
        try:
            # Events of concurrent senders overtake each other by milliseconds; those gaps close by themselves.
            await asyncio.sleep(_SETTLE_SECONDS)
            attempt = 0
            while (gap := log.gap) is not None and log.conversation_id in self._inbox:
                await self._fill_once(log)
                if log.gap == gap:
                    await asyncio.sleep(self._backoff.delay(attempt))
                    attempt += 1
        finally:
            self._filling.discard(log.conversation_id)

    async def _fill_once(self, log: ConversationLog) -> None:
        gap = log.gap
        if gap is None:
            return
        newest: HistoryPage | None = None
        try:
            async with self._slots:
                page = await self._api.history(
                    log.conversation_id, after_seq=gap.after_seq, after_change=gap.after_change
                )
                if page.reload:
                    newest = await self._api.history(log.conversation_id)
        except (ForbiddenError, NotFoundError):
            self._tell(self._inbox.gone(log.conversation_id))
            return
        except (ApiError, UnreachableError) as error:
            _log.info("a gap of %s is asked for again: %s", log.conversation_id, error)
            return
        if log.conversation_id in self._inbox:
            changes = log.filled(gap, page) if newest is None else log.restart(newest)
            self._tell(self._inbox.progressed(log.conversation_id, changes))

    async def _fetch(self, conversation_id: str) -> None:
        attempt = 0
        try:
            while True:
                self._inbox.unknown.discard(conversation_id)
                try:
                    async with self._slots:
                        await self._look(conversation_id)
                    break
                except (ApiError, UnreachableError) as error:
                    _log.info("conversation %s is asked for again: %s", conversation_id, error)
                    await asyncio.sleep(self._backoff.delay(attempt))
                    attempt += 1
        finally:
            self._fetching.discard(conversation_id)
        self.fill_gaps()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("%s failed", task.get_name(), exc_info=task.exception())
