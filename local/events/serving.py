"""One instance from start to stop: listen, read the templates, serve, clean up."""

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import socket
import time
from collections.abc import Iterator
from typing import Final

from aiohttp import web

from local.events.announcement import Address, announcement
from local.events.app import Settings, make_app
from local.events.auth.signers import LOCAL_ACCESS_KEY_ID, LOCAL_SECRET_ACCESS_KEY
from local.events.data_sources import DataSources
from local.events.deployment import Deployment
from local.events.functions.model import FunctionModel
from local.events.functions.sources import FunctionSources
from local.events.server import SERVICE
from local.events.service import Service
from local.events.status import routes as status
from local.events.template import (
    TemplateProblem,
    TemplateRefused,
    Templates,
    TemplateSettings,
    read_apis,
    read_assembly,
    read_template,
)
from local.events.template.files import Stack
from local.events.workspace import Workspace

IPV4: Final = "127.0.0.1"
IPV6: Final = "::1"
SHUTDOWN_SECONDS: Final = 3.0

_log = logging.getLogger("local.events")


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        options: see `arguments`.

    Raises:
        TemplateRefused: the templates cannot be served, with every reason.
        OSError: a port is taken, or a file cannot be read.
        RegistryError: what an earlier process registered cannot be read.
        ValueError: an option makes no sense.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    workspace = Workspace.open(options.state)
    try:
        with listening(options.port, ipv6=options.ipv6) as sockets:
            await _serve(options, workspace, sockets, stop)
    finally:
        workspace.close()
    _log.info("stopped")


async def _serve(
    options: argparse.Namespace, workspace: Workspace, sockets: list[socket.socket], stop: asyncio.Event
) -> None:
    address = Address(f"localhost:{sockets[0].getsockname()[1]}")
    templated = bool(options.assembly or options.template)
    templates = read(options, address) if templated else Templates()
    settings = _settings(options, workspace, templated=templated)
    functions = FunctionSources(options.aws_endpoint, options.lambda_endpoint)
    data_sources = DataSources(options.aws_endpoint, functions)
    app = make_app(settings, data_sources, functions=functions)
    app[SERVICE].faults.rules = list(options.fault)
    runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_SECONDS, access_log=None)
    await runner.setup()
    try:
        if templated:
            await functions.runner.replace(models(templates))
            problems = await Deployment(app[SERVICE]).apply(templates)
            if problems:
                raise TemplateRefused(problems)
        for each in sockets:
            await web.SockSite(runner, each).start()
        _log.info("serving Event APIs on http://%s", address.authority)
        if templated:
            print(_ready(options, workspace, app[SERVICE], address), flush=True)
        await stop.wait()
    finally:
        await runner.cleanup()
        await data_sources.close()
        await functions.close()


def read(options: argparse.Namespace, address: Address) -> Templates:
    """What the given templates hold; problems of reading are among its problems."""
    stacks: list[Stack] = []
    problems: list[TemplateProblem] = []
    for reader, paths in ((read_assembly, options.assembly), (read_template, options.template)):
        for path in paths:
            try:
                found = reader(path)
                stacks += found if isinstance(found, list) else [found]
            except TemplateRefused as refused:
                problems += refused.problems
    templates = read_apis(
        stacks,
        TemplateSettings(
            address.authority,
            account=options.account,
            region=options.region,
            parameters=dict(options.parameter),
            imports=dict(options.imports),
            resources=dict(options.resource),
            handlers=dict(options.handler),
        ),
    )
    templates.problems[:0] = problems
    return templates


def models(templates: Templates) -> list[FunctionModel]:
    """The functions that can be run; of the others the log says why not."""
    found = []
    for function in templates.functions.values():
        for problem in function.problems:
            _log.info("function %s (%s): %s", function.origin.logical_id, function.origin.file, problem)
        if function.model is not None:
            found.append(function.model)
    return found


@contextlib.contextmanager
def listening(port: int, *, ipv6: bool) -> Iterator[list[socket.socket]]:
    """Sockets on the loopback addresses, closed at the end.

    Args:
        port: 0 takes a free one.
        ipv6: whether ::1 must be among them; otherwise it is if it can be.

    Raises:
        OSError: the port is taken.
    """
    with contextlib.ExitStack() as opened:
        sockets = [opened.enter_context(_bound(socket.AF_INET, IPV4, port))]
        try:
            sockets.append(opened.enter_context(_bound(socket.AF_INET6, IPV6, sockets[0].getsockname()[1])))
        except OSError:
            if ipv6:
                raise
        yield sockets


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise OSError(
            f"port {port} on {host} cannot be listened on ({error.strerror}); choose another: --port"
        ) from error
    return bound


def _settings(options: argparse.Namespace, workspace: Workspace, *, templated: bool) -> Settings:
    token, _ = workspace.control_token(options.control_token_file)
    return Settings(
        state=None if templated else options.state,
        control_token=token,
        cognito_endpoint=options.cognito_endpoint,
        credentials=options.credentials,
        keep_alive_seconds=options.keep_alive_seconds,
        lifetime_seconds=options.lifetime_seconds,
        max_unsent_bytes=options.max_unsent_bytes,
        publishes_per_second=options.publishes_per_second,
        key_sets=dict(options.jwks),
        account_id=options.account,
        show_payloads=options.show_payloads,
    )


def _ready(options: argparse.Namespace, workspace: Workspace, service: Service, address: Address) -> str:
    _, token_file = workspace.control_token(options.control_token_file)
    lines = [announcement(service.apis.values(), address, time.time()), ""]
    if options.credentials is None:
        lines.append(
            f"IAM callers sign with access key id `{LOCAL_ACCESS_KEY_ID}` and secret access key "
            f"`{LOCAL_SECRET_ACCESS_KEY}`."
        )
    lines += [f"Fault rule in force: {json.dumps(rule.as_json())}" for rule in service.faults.rules]
    lines.append(f"The control API (fault switches) asks for the token in {token_file}.")
    lines.append(f"What happens: http://{address.authority}{status.PATH}, and the lines below.")
    lines.append("Ctrl-C stops the service.")
    return "\n".join(lines)
