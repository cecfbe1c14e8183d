"""Runs one instance: listens, reads the templates, serves, watches their files, and cleans up."""

import argparse
import asyncio
import json
import logging
import signal
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from aiohttp import web

from appsync_events_local.cli.announcement import Address, announcement
from appsync_events_local.cli.tables import TableError, create_missing
from appsync_events_local.cli.watching import watch
from appsync_events_local.cli.workspace import Workspace
from appsync_events_local.functions.available import AvailableFunctions
from appsync_events_local.functions.model import FunctionModel
from appsync_events_local.http import tls
from appsync_events_local.http.app import Settings, make_app
from appsync_events_local.http.listening import listening
from appsync_events_local.http.server import SERVICE
from appsync_events_local.http.status import routes as status
from appsync_events_local.local_identity import LOCAL_ACCESS_KEY_ID, LOCAL_SECRET_ACCESS_KEY
from appsync_events_local.sources.factory import DataSourceFactory
from appsync_events_local.sources.role_keys import RoleKeys, local_keys
from appsync_events_local.template import TemplateRefused, Templates, TemplateSettings
from appsync_events_local.template.deployment import Deployment
from appsync_events_local.template.inputs import read_inputs

SHUTDOWN_SECONDS: Final = 3.0

_log = logging.getLogger("appsync_events_local")


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        options: see `arguments`.

    Raises:
        TemplateRefused: the templates cannot be served; lists every problem.
        OSError: a port is in use, or a file cannot be read.
        RegistryError: the registrations of an earlier process cannot be read.
        TableError: a table cannot be created.
        ValueError: an option is invalid.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    workspace = Workspace.open(options.state)
    try:
        with listening(options.port, ipv6=options.ipv6) as sockets:
            await Instance(options, workspace, sockets, _print).run(stop)
    finally:
        workspace.close()
    _log.info("stopped")


class Instance:
    """The parts of one running service.

    Args:
        options: see `arguments`.
        workspace: its folder.
        sockets: bound sockets, not yet listening.
        announce: called with the announcement as soon as the service listens.
    """

    def __init__(
        self,
        options: argparse.Namespace,
        workspace: Workspace,
        sockets: list[socket.socket],
        announce: Callable[[str], None],
    ) -> None:
        self._options = options
        self._announce = announce
        self._sockets = sockets
        self._templated = bool(options.assembly or options.template)
        self._certificate = _certificate(options, workspace)
        self._address = Address(f"localhost:{sockets[0].getsockname()[1]}", tls=self._certificate is not None)
        token, self._token_file = workspace.control_token(options.control_token_file)
        self._functions = AvailableFunctions(options.aws_endpoint, options.lambda_endpoint)
        self._data_sources = DataSourceFactory(
            options.aws_endpoint,
            self._functions,
            local_keys if options.credentials is None else RoleKeys(options.credentials),
        )
        self._app = make_app(_settings(options, token), self._data_sources, functions=self._functions)
        self._app[SERVICE].faults.rules = list(options.fault)
        self._deployment = Deployment(self._app[SERVICE])

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop`; raises the errors of `serve`."""
        runner = web.AppRunner(self._app, shutdown_timeout=SHUTDOWN_SECONDS, access_log=None)
        await runner.setup()
        try:
            templates = await self._serve_templates() if self._templated else Templates()
            context = None if self._certificate is None else self._certificate.context()
            await self._listen(runner, context)
            if self._options.watch:
                given = [*self._options.assembly, *(file for _, file in self._options.template)]
                await watch(templates, given, self._reload, stop)
            await stop.wait()
        finally:
            await runner.cleanup()
            await self._data_sources.close()
            await self._functions.close()

    async def _listen(self, runner: web.AppRunner, context: ssl.SSLContext | None) -> None:
        for each in self._sockets:
            await web.SockSite(runner, each, ssl_context=context).start()
        _log.info("serving Event APIs on %s://%s", self._address.http, self._address.authority)
        if self._templated:
            self._announce(self._announcement())

    async def _serve_templates(self) -> Templates:
        templates = self._read()
        for remark in templates.remarks:
            _log.warning("%s (%s)", remark.finding(), remark.remedy)
        await self._functions.runner.replace(_models(templates))
        problems = await self._deployment.apply(templates)
        if problems:
            raise TemplateRefused(problems)
        await self._make_tables(templates)
        return templates

    async def _reload(self, changed: frozenset[Path]) -> Templates:
        """Apply the changed files; resources with problems stay as they were, and the problems are logged."""
        templates = await asyncio.to_thread(self._read)
        await self._functions.runner.replace(_models(templates))
        for model in _models(templates):
            if isinstance(model.code, Path) and any(path.is_relative_to(model.code.resolve()) for path in changed):
                await self._functions.runner.restart(model.name)
        problems = await self._deployment.apply(templates)
        try:
            await self._make_tables(templates)
        except TableError as error:
            _log.error("%s", error)
        for problem in problems:
            _log.error("change not applied: %s (%s)", problem.finding(), problem.remedy)
        if changed and not problems:
            names = ", ".join(sorted(path.name for path in changed))
            _log.info("%s changed; the change is applied", names)
        return templates

    async def _make_tables(self, templates: Templates) -> None:
        if self._options.create_tables:
            await asyncio.to_thread(create_missing, templates.tables, self._options.aws_endpoint)

    def _read(self) -> Templates:
        options = self._options
        settings = TemplateSettings(
            self._address.authority,
            account=options.account,
            region=options.region,
            parameters=dict(options.parameter),
            imports=dict(options.imports),
            resources=dict(options.resource),
            handlers=dict(options.handler),
        )
        return read_inputs(options.assembly, options.template, settings)

    def _announcement(self) -> str:
        service = self._app[SERVICE]
        lines = [announcement(service.apis.values(), self._address, time.time()), ""]
        if self._options.credentials is None:
            keys = f"access key id `{LOCAL_ACCESS_KEY_ID}` and secret access key `{LOCAL_SECRET_ACCESS_KEY}`"
            lines.append(f"IAM: sign with {keys}.")
        if self._certificate is not None and self._certificate.self_signed:
            lines.append(self._certificate.instructions())
        lines += [f"Active fault rule: {json.dumps(rule.as_json())}" for rule in service.faults.rules]
        lines.append(f"Token of the control API (fault rules, metrics): {self._token_file}")
        at = f"{self._address.http}://{self._address.authority}{status.PATH}"
        lines.append(f"Status page: {at}")
        if self._options.watch:
            lines.append("Changed templates and handlers are loaded when they are saved.")
        return "\n".join([*lines, "Ctrl-C stops the service."])


def _print(announced: str) -> None:
    print(announced, flush=True)


def _settings(options: argparse.Namespace, token: str) -> Settings:
    templated = bool(options.assembly or options.template)
    return Settings(
        state=None if templated else options.state,
        control_token=token,
        cognito_endpoint=options.cognito_endpoint,
        credentials=options.credentials,
        keep_alive_seconds=options.keep_alive_seconds,
        lifetime_seconds=options.lifetime_seconds,
        max_unsent_bytes=options.max_unsent_bytes,
        publishes_per_second=options.publishes_per_second,
        events_per_second=options.events_per_second,
        connections_per_second=options.connections_per_second,
        key_sets=dict(options.jwks),
        account_id=options.account,
        show_payloads=options.show_payloads,
        permissions_url=options.permissions,
    )


def _certificate(options: argparse.Namespace, workspace: Workspace) -> tls.Certificate | None:
    if options.tls_certificate is not None:
        return tls.Certificate(options.tls_certificate, options.tls_key, self_signed=False)
    return tls.self_signed_in(workspace.folder) if options.tls else None


def _models(templates: Templates) -> list[FunctionModel]:
    """Return the functions that can be run; the problems of the others are logged."""
    for function in templates.functions.values():
        for problem in function.problems:
            _log.info("function %s (%s): %s", function.origin.logical_id, function.origin.file, problem)
    return [function.model for function in templates.functions.values() if function.model is not None]
