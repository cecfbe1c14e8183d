"""Keeps the user's view complete: reads the list at each connection, and fills the gaps that sequence numbers show.

The order guarantees that nothing is missed: the subscriptions are acknowledged first; then the list is read, and with
it the newest sequence number of every conversation; then the events that arrived meanwhile are applied. What is
missing after that is read from history, conversation by conversation.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from appsync_events import Backoff

from client.api.http_api import HttpApi
from client.call_client import CallClient
from client.errors import ApiError, ForbiddenError, NotFoundError, UnreachableError
from client.live_view import LiveView
from client.state.conversation_log import ConversationLog
from contract import events
from contract.calls.events import CallEvent
from contract.limits import CHECK_FIRST_MS, CHECK_INTERVAL_MS, CONVERSATIONS_PAGE_MAX, GAP_SETTLE_MS
from contract.models import ConversationView
from contract.responses import HistoryPage

_log = logging.getLogger(__name__)
CHECK_SECONDS: Final = (CHECK_FIRST_MS / 1000, CHECK_INTERVAL_MS / 1000)
"""When the list is read again while connected: after the first time once, then after each second time."""
_CONCURRENT_REQUESTS: Final = 4


class Recovery:
    """The recovery of one view.

    Args:
        api: the routes to read from.
        view: the view to keep complete.
        calls: the calls of the user.
        backoff: waits between attempts.
        check_seconds: when completeness is checked while connected: first, and then again and again.
    """

    def __init__(
        self,
        api: HttpApi,
        view: LiveView,
        calls: CallClient,
        *,
        backoff: Backoff,
        check_seconds: tuple[float, float] = CHECK_SECONDS,
    ) -> None:
        self._api = api
        self._view = view
        self._inbox = view.inbox
        self._calls = calls
        self._backoff = backoff
        self._check_seconds = check_seconds
        self._check: asyncio.TimerHandle | None = None
        self._held: list[events.Event] | None = []
        self._first = True
        self._tasks: set[asyncio.Task[None]] = set()
        self._listing: asyncio.Task[None] | None = None
        self._filling: set[str] = set()
        self._fetching: set[str] = set()
        self._slots = asyncio.Semaphore(_CONCURRENT_REQUESTS)

    def take(self, event: events.Event) -> None:
        """Take an event: apply it now, or after the list has been read."""
        if self._held is not None:
            self._held.append(event)
            return
        self._apply(event)
        self.fill_gaps()

    def take_conversation(self, conversation: ConversationView) -> None:
        """Take a conversation from a response of the API."""
        self._view.publish(self._inbox.take_views([conversation]))
        self.fill_gaps()

    def pause(self) -> None:
        """Hold events from now on: the connection is lost, and the next one starts with the list."""
        if self._held is None:
            self._held = []
        if self._listing is not None:
            self._listing.cancel()
        self._stop_checks()

    def start(self, done: Callable[[], None]) -> None:
        """Read the list, apply the held events, then fill gaps; `done` is called when the list has been read.

        Every subscription has been acknowledged when this is called.
        """
        self.pause()
        self._listing = self._spawn(self._recover(done, self._check_seconds[0]), "recovery")

    async def close(self) -> None:
        """Cancel every task."""
        self._stop_checks()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def fill_gaps(self) -> None:
        """Start to read everything that is known to be missing and is not being read."""
        if self._held is not None:
            return
        for conversation_id in list(self._inbox.unknown):
            self.fetch(conversation_id)
        for log in self._inbox.incomplete_logs():
            if log.conversation_id not in self._filling:
                self._filling.add(log.conversation_id)
                self._spawn(self._fill(log), f"filling the gap of conversation {log.conversation_id}")

    def fetch(self, conversation_id: str) -> None:
        """Start to read a conversation that is not in the list."""
        if conversation_id not in self._fetching:
            self._fetching.add(conversation_id)
            self._spawn(self._fetch(conversation_id), f"reading conversation {conversation_id}")

    def _apply(self, event: events.Event) -> None:
        if isinstance(event, CallEvent):
            self._calls.apply(event)
        else:
            self._view.apply(event)

    # The list

    def _schedule_check(self, delay: float) -> None:
        self._stop_checks()
        self._check = asyncio.get_running_loop().call_later(delay, self._begin_check)

    def _stop_checks(self) -> None:
        if self._check is not None:
            self._check.cancel()
            self._check = None

    def _begin_check(self) -> None:
        """Read the list as after a connection, so that an event which never arrived is noticed without a later one."""
        self.pause()
        self._listing = self._spawn(self._recover(lambda: None, self._check_seconds[1]), "completeness check")

    async def _recover(self, done: Callable[[], None], next_check: float) -> None:
        attempt = 0
        while not await self._read_list():
            await asyncio.sleep(self._backoff.delay(attempt))
            attempt += 1
        self._first = False
        held, self._held = self._held or [], None
        for event in held:
            self._apply(event)
        self.fill_gaps()
        self._schedule_check(next_check)
        done()

    async def _read_list(self) -> bool:
        try:
            views = await self._all_conversations()
            self._view.publish(self._inbox.take_views(views, first=self._first))
            listed = {view.conversationId for view in views}
            for view in self._inbox.conversations():
                # The list may have changed while its pages were read, so absence alone proves nothing.
                if view.conversationId not in listed:
                    await self._read_conversation(view.conversationId)
            self._view.publish(self._inbox.take_blocks((await self._api.blocks()).userIds))
            await self._calls.refresh()
        except (ApiError, UnreachableError) as error:
            _log.info("recovery failed; will retry: %s", error)
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

    async def _read_conversation(self, conversation_id: str) -> None:
        """Read one conversation into the view; remove it if the user is not a participant any more."""
        try:
            view = (await self._api.conversation(conversation_id)).conversation
        except (ForbiddenError, NotFoundError):
            self._view.publish(self._inbox.remove(conversation_id))
        else:
            self._view.publish(self._inbox.take_views([view]))

    # One conversation

    async def _fill(self, log: ConversationLog) -> None:
        """Read what a log misses until it misses nothing."""
        try:
            await asyncio.sleep(GAP_SETTLE_MS / 1000)
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
        view: ConversationView | None = None
        try:
            async with self._slots:
                page = await self._api.history(
                    log.conversation_id, after_seq=gap.after_seq, after_change=gap.after_change
                )
                if page.reload:
                    newest = await self._api.history(log.conversation_id)
                    # The page does not show how many of the skipped messages are unread.
                    view = (await self._api.conversation(log.conversation_id)).conversation
        except (ForbiddenError, NotFoundError):
            self._view.publish(self._inbox.remove(log.conversation_id))
            return
        except (ApiError, UnreachableError) as error:
            _log.info("filling a gap failed; will retry: conversation %s: %s", log.conversation_id, error)
            return
        if log.conversation_id in self._inbox:
            changes = log.fill_gap(gap, page) if newest is None else log.restart(newest)
            self._view.take_log_changes(log, changes)
            if view is not None:
                self._view.publish(self._inbox.take_views([view]))

    async def _fetch(self, conversation_id: str) -> None:
        attempt = 0
        try:
            while True:
                self._inbox.unknown.discard(conversation_id)
                try:
                    async with self._slots:
                        await self._read_conversation(conversation_id)
                    break
                except (ApiError, UnreachableError) as error:
                    _log.info("reading a conversation failed; will retry: %s: %s", conversation_id, error)
                    await asyncio.sleep(self._backoff.delay(attempt))
                    attempt += 1
        finally:
            self._fetching.discard(conversation_id)
        self.fill_gaps()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._task_ended)
        return task

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("%s failed", task.get_name(), exc_info=task.exception())
