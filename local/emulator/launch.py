"""Puts the emulator together and serves it. Import only after `configure_ministack`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from ministack import app as ministack_app

from local.emulator.chime.installation import ChimeInstallation
from local.emulator.control import ControlPlane
from local.emulator.credentials import CredentialStore
from local.emulator.faults import FaultSwitches
from local.emulator.functions import FunctionProcesses
from local.emulator.patches import apply_fixes
from local.emulator.permissions.guard import STATE as PERMISSIONS
from local.emulator.permissions.guard import PermissionGuard
from local.emulator.permissions.services import ServicesActingForRoles
from local.emulator.providers import install_providers
from local.emulator.requests import RequestPath
from local.emulator.server_errors import ServerErrors
from local.emulator.settings import EmulatorSettings
from local.emulator.state.store import StateStore
from local.emulator.strict.cloudformation import StrictCloudFormation
from local.emulator.strict.dynamodb import StrictDynamoDb
from local.emulator.strict.functions.installation import StrictFunctions
from local.emulator.strict.gateway import StrictGateway
from local.emulator.strict.mode import StrictMode
from local.emulator.workers import installation as workers

_KEEP_ALIVE_SECONDS = 75
_SHUTDOWN_SECONDS = 5


def build(settings: EmulatorSettings) -> ControlPlane:
    """Install providers, fixes, durability and faults into ministack.

    Returns:
        The ASGI application to serve.
    """
    store = CredentialStore(settings.state.credentials_file)
    store.operator()
    faults = FaultSwitches()
    state_store = StateStore(settings.state.emulator, durable=settings.durable)
    processes = FunctionProcesses(store, faults)
    guard = PermissionGuard(store, settings.region)
    strict = StrictMode(settings.strict)
    dynamodb = StrictDynamoDb(strict.rules.dynamodb)
    strict.follow(lambda rules: dynamodb.use(rules.dynamodb))
    chime = ChimeInstallation(state_store, lambda: strict.rules.chime)
    apply_fixes()
    dynamodb.install()
    install_providers(settings, store)
    StrictCloudFormation(lambda: strict.rules.cloudformation).install()
    processes.install()
    services = ServicesActingForRoles(guard)
    services.install()
    functions = StrictFunctions(lambda: strict.rules.functions, services.may_send)
    functions.install()
    workers.install()  # after everything else that starts processes of functions in its own way
    StrictGateway(lambda: strict.rules.gateway).install()
    chime.install()
    state_store.keep(PERMISSIONS, guard.state, guard.restore, changes_unasked=True)
    state_store.install()
    RequestPath(state_store, guard, faults, processes, chime.meetings, dynamodb, functions).install()
    token = settings.state.control_token()
    server_errors = ServerErrors(settings.state.server_errors_file, faults, strict)
    return ControlPlane(ministack_app.app, token, state_store, faults, chime, guard, strict, server_errors)


def serve(settings: EmulatorSettings, application: Callable[..., Awaitable[Any]] | None = None) -> None:
    """Serve on the loopback address until SIGTERM or SIGINT.

    Args:
        settings: of the emulator process.
        application: the ASGI application; the result of `build` if absent.

    uvicorn's own Date and Server headers are off: ministack sends a Date already, and the AWS SDK for JavaScript
    fails on two ("Invalid time value").
    """
    logging.getLogger("persistence").setLevel(logging.WARNING)
    uvicorn.run(
        application or build(settings),
        host="127.0.0.1",
        port=settings.port,
        date_header=False,
        server_header=False,
        access_log=False,
        log_level="warning",
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        ws="none",
    )
