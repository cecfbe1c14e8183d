"""Keeps the emulator's state on disk: restores it, saves requests as the policy says, makes generations."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack import app as ministack_app
from ministack.core import persistence
from ministack.services import cloudformation, lambda_svc

from local.emulator.state import dynamodb_journal
from local.emulator.state.generations import JOURNAL_NAME, Generations
from local.emulator.state.journal import Journal, read_journal
from local.emulator.state.policy import STACK_SERVICE, Saving
from local.emulator.state.snapshot import SnapshotFiles, StateReader

_LOGGER = logging.getLogger("local.durability")
_PASS_SECONDS = 1.0
_COMPACT_AT_BYTES = 16 * 1024 * 1024
_STREAMS_KEY = "dynamodb_stream_records"
# Changed by the emulator's own threads (message sources, schedules that fired), not only by requests.
_CHANGED_IN_BACKGROUND = ("sqs", "scheduler")


class StateStore:
    """Owner of the state below one folder. Used from the event loop only, except where said.

    Args:
        root: the folder.
        durable: without it nothing is saved, and a start begins with nothing.
    """

    def __init__(self, root: Path, *, durable: bool = True) -> None:
        self._durable = durable
        self._generations = Generations(root)
        self._files = SnapshotFiles()
        self._recorder = dynamodb_journal.DynamoDBRecorder()
        self._journal: Journal | None = None
        self._generation_wanted = False
        self._soon: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._start_pollers = lambda_svc._ensure_poller
        self._pollers_wanted = False
        self._background = list(_CHANGED_IN_BACKGROUND)
        self._own: dict[str, tuple[StateReader, Callable[[dict[str, Any]], None]]] = {}

    def keep(
        self,
        service: str,
        read: StateReader,
        restore: Callable[[dict[str, Any]], None],
        *,
        changes_unasked: bool = False,
    ) -> None:
        """Keep the state of a service of ours like that of ministack's; call it before the state is restored.

        Args:
            service: its name, also that of its file.
            read: returns the state, as a JSON value.
            restore: is given what `read` returned in an earlier life.
            changes_unasked: look every second whether it changed, since no request of the service says so.
        """
        self._own[service] = (read, restore)
        if changes_unasked:
            self._background.append(service)

    def install(self) -> None:
        """Take the place of ministack's own loading at start and saving at the end."""
        if not self._durable:
            return
        ministack_app._load_persisted_state = self._restore
        ministack_app.save_all = lambda _services: self._finish()
        lambda_svc._ensure_poller = self._want_pollers

    def start(self) -> None:
        """Begin to save periodically; call when the server is about to answer requests."""
        if not self._durable:
            return
        self._task = asyncio.get_running_loop().create_task(self._run(), name="state-store")

    def after_request(self, service: str, saving: Saving) -> None:
        """Do what must be done before the caller of a successful request gets its answer.

        Args:
            service: ministack's service name.
            saving: what the policy says.
        """
        if not self._durable:
            return
        if saving is Saving.GENERATION:
            self._generation_wanted = True
            if service != STACK_SERVICE and not self.stack_operation_runs():
                self.make_generation()
        elif saving is Saving.SOON:
            self._soon.update(self._state_keys(service))
        elif saving is Saving.BEFORE_ANSWER:
            self.save_now(service)

    def save_now(self, service: str) -> None:
        """Rewrite a service's file if its state changed."""
        readers = self._readers()
        for key in self._state_keys(service):
            if key in readers:
                self._files.write_one(key, readers[key])

    def make_generation(self) -> None:
        """Save everything now as a new generation, and start an empty journal with it."""
        if not self._durable:
            return
        started = time.perf_counter()
        folder = self._generations.begin()
        journal = Journal(folder / JOURNAL_NAME)
        # The journal changes first: a change made meanwhile by another thread lands in it, and perhaps in the
        # snapshot too, which is harmless because effects can be replayed twice.
        previous = self._recorder.write_to(journal)
        prune, lambda_svc._prune_orphan_code_blobs = lambda_svc._prune_orphan_code_blobs, lambda _referenced: None
        try:
            self._files.write_all(folder, self._readers())
        finally:
            lambda_svc._prune_orphan_code_blobs = prune
        self._files.use(folder)
        self._generations.complete(folder)
        self._journal = journal
        if previous is not None:
            previous.close()
        self._generation_wanted = False
        self._soon.clear()
        _LOGGER.info("saved generation %s in %.2f s", folder.name, time.perf_counter() - started)

    @staticmethod
    def stack_operation_runs() -> bool:
        """Whether CloudFormation is creating, changing or deleting a stack now."""
        return any(
            str(stack.get("StackStatus", "")).endswith("IN_PROGRESS")
            and stack.get("StackStatus") != "REVIEW_IN_PROGRESS"
            for stack in cloudformation._stacks.all_values()
        )

    def _restore(self) -> None:
        """Load the current generation and replay its journal."""
        current = self._generations.current()
        if current is None:
            self._recorder.install()
            self.make_generation()
            return
        persistence.STATE_DIR = str(current)
        _load_services()
        for service, (_, restore) in self._own.items():
            if (state := persistence.load_state(service)) is not None:
                restore(state)
        dynamodb_journal.restore_stream_state(persistence.load_state(_STREAMS_KEY))
        records = dynamodb_journal.replay(read_journal(current / JOURNAL_NAME))
        _LOGGER.info("restored generation %s and %d journal records", current.name, records)
        self._recorder.install()
        # A fresh generation at each start keeps the journal short and the next start fast.
        self.make_generation()

    def _finish(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self.make_generation()

    async def _run(self) -> None:
        await asyncio.sleep(0.2)
        lambda_svc._ensure_poller = self._start_pollers
        if self._pollers_wanted:
            self._start_pollers()
        while True:
            await asyncio.sleep(_PASS_SECONDS)
            try:
                self._pass()
            except OSError:
                _LOGGER.exception("cannot save the emulator's state; is the disk full?")

    def _pass(self) -> None:
        journal_long = self._journal is not None and self._journal.size > _COMPACT_AT_BYTES
        if (self._generation_wanted or journal_long) and not self.stack_operation_runs():
            self.make_generation()
            return
        readers = self._readers()
        for key in (*self._background, *self._soon):
            if key in readers:
                self._files.write_one(key, readers[key])
        self._soon.clear()

    def _want_pollers(self) -> None:
        """Functions run only once the server answers, or their first calls would be refused."""
        self._pollers_wanted = True

    def _readers(self) -> dict[str, StateReader]:
        readers: dict[str, StateReader] = dict(ministack_app._build_persistence_save_dict())
        readers[_STREAMS_KEY] = dynamodb_journal.stream_state
        return readers | {service: read for service, (read, _) in self._own.items()}

    def _state_keys(self, service: str) -> tuple[str, ...]:
        """Names of the snapshot files that hold a service's state."""
        if service in self._own:
            return (service,)
        config: dict[str, Any] = ministack_app.SERVICE_REGISTRY.get(service, {})
        if not config:
            return ()
        return (config.get("state_key", config["module"]), *config.get("sub_modules", ()))


_load_services = ministack_app._load_persisted_state
