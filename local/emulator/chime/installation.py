"""Makes Chime SDK Meetings a service of the emulator: routing, state on disk, meetings that end by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ministack import app as ministack_app
from ministack.core import router

from local.emulator.chime.control import ChimeControl
from local.emulator.chime.meetings import Meetings, ServiceClock
from local.emulator.chime.notifications import EventBridgeNotifier
from local.emulator.chime.service import SERVICE, ChimeService
from local.emulator.state.store import StateStore
from local.emulator.strict.rules.chime import ChimeSwitches

_LOOK_SECONDS = 1.0


class ChimeInstallation:
    """The parts put together.

    Args:
        store: of the emulator's state.
        rules: returns the switches of strict mode's rules.
    """

    def __init__(self, store: StateStore, rules: Callable[[], ChimeSwitches]) -> None:
        clock = ServiceClock()
        self._store = store
        self._rules = rules
        self.meetings = Meetings(clock, EventBridgeNotifier(clock.now, rules))
        self.control = ChimeControl(self.meetings, clock, self._save)
        self._task: asyncio.Task[None] | None = None

    def install(self) -> None:
        """Register with ministack's dispatcher and the state store."""
        router.SERVICE_PATTERNS[SERVICE] = {}
        ministack_app.SERVICE_HANDLERS[SERVICE] = ChimeService(self.meetings, self._rules).handle_request
        self._store.keep(SERVICE, self.meetings.state, self.meetings.restore)

    def start(self) -> None:
        """Begin to look for meetings whose time is over; call when the server is about to answer requests."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="chime-meetings")

    def _save(self) -> None:
        self._store.save_now(SERVICE)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if self.meetings.end_overdue():
                self._save()
