"""Builds the aiohttp application that serves every registered API."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

from appsync_events_local import limits
from appsync_events_local.auth.authorizer import Authorizer
from appsync_events_local.auth.iam.permissions import AllowAll, RemotePermissionChecker
from appsync_events_local.auth.iam.signatures import SignatureVerifier
from appsync_events_local.auth.iam.signers import LocalSigner, SignerFile
from appsync_events_local.auth.lambda_authorizer import LambdaAuthorizer
from appsync_events_local.auth.tokens.documents import DocumentReader
from appsync_events_local.auth.tokens.key_locations import KeyLocator
from appsync_events_local.auth.tokens.key_sets import KeySetCache
from appsync_events_local.auth.tokens.verifier import TokenVerifier
from appsync_events_local.functions.chain import InvokerChain
from appsync_events_local.functions.invoker import FunctionInvoker
from appsync_events_local.handlers.loader import HandlerLoader
from appsync_events_local.handlers.namespace_handlers import DataSource
from appsync_events_local.http.control import TOKEN, control_routes
from appsync_events_local.http.control_plane_routes import control_plane_routes
from appsync_events_local.http.malformed_requests import reject_malformed, shorten_aiohttp_log, with_expect_handler
from appsync_events_local.http.server import SERVICE, SETTINGS, event_routes, other_routes
from appsync_events_local.http.status.routes import STARTED_AT, status_routes
from appsync_events_local.http.upgrade import SessionSettings
from appsync_events_local.local_identity import LOCAL_ACCOUNT_ID
from appsync_events_local.model.data_sources import DataSourceModel
from appsync_events_local.publish.broker import MAX_UNSENT_BYTES
from appsync_events_local.publish.quotas import Quotas
from appsync_events_local.registry.service import Service
from appsync_events_local.registry.store import Registry


@dataclass(frozen=True)
class Settings:
    """The settings of an application.

    Attributes:
        state: folder of the registry; `None` stores nothing on disk.
        control_token: token of the control API.
        cognito_endpoint: base URL of `/<poolId>/.well-known/jwks.json`; `None` is AWS's own.
        credentials: file of the signers (see `SignerFile`); `None` allows the local signer only.
        keep_alive_seconds: interval of `ka` frames.
        lifetime_seconds: longest duration of a connection.
        max_unsent_bytes: limit of unsent bytes of a connection; beyond it the connection is aborted.
        publishes_per_second: limit of publishes per connection.
        events_per_second: limit of inbound events per API; 0 is unlimited.
        connections_per_second: limit of new connections per API; 0 is unlimited.
        key_sets: addresses or files of JSON Web Key Sets, by user pool id or issuer.
        account_id: account of the local signer.
        show_payloads: whether the status page shows published payloads.
        permissions_url: address of the decision endpoint for IAM permissions; `None` allows everything.
    """

    state: Path | None
    control_token: str
    cognito_endpoint: str | None
    credentials: Path | None
    keep_alive_seconds: float = limits.KEEP_ALIVE_SECONDS
    lifetime_seconds: float = limits.CONNECTION_LIFETIME_SECONDS
    max_unsent_bytes: int = MAX_UNSENT_BYTES
    publishes_per_second: int = limits.PUBLISHES_PER_SECOND_PER_CONNECTION
    events_per_second: int = limits.EVENTS_PER_SECOND_PER_API
    connections_per_second: int = limits.CONNECTIONS_PER_SECOND_PER_API
    key_sets: Mapping[str, str] = field(default_factory=dict)
    account_id: str = LOCAL_ACCOUNT_ID
    show_payloads: bool = False
    permissions_url: str | None = None


def make_app(
    settings: Settings,
    data_sources: Callable[[DataSourceModel], DataSource],
    clock: Callable[[], float] = time.time,
    functions: FunctionInvoker | None = None,
) -> web.Application:
    """Return the application; it restores its registrations at start and closes its connections at shutdown.

    Args:
        settings: see `Settings`.
        data_sources: creates data sources from their models.
        clock: seconds since the epoch, for credentials.
        functions: invokes the functions of authorizers and direct handlers; without it, all of them refuse.

    Raises:
        RegistryError: at start, if the registry file cannot be used.
    """
    app = web.Application(client_max_size=limits.TRANSPORT_MESSAGE_BYTES, middlewares=[reject_malformed])
    session: list[aiohttp.ClientSession] = []
    invoker = functions or InvokerChain(())
    authorizer = _authorizer(settings, lambda: session[0], clock, invoker)
    service = Service(
        Registry(settings.state),
        authorizer,
        HandlerLoader(data_sources, invoker),
        clock,
        keep_payloads=settings.show_payloads,
        quotas=Quotas(settings.events_per_second, settings.connections_per_second),
    )
    app[SERVICE] = service
    app[STARTED_AT] = time.time()
    app[TOKEN] = settings.control_token
    app[SETTINGS] = SessionSettings(
        settings.keep_alive_seconds,
        settings.lifetime_seconds,
        settings.max_unsent_bytes,
        settings.publishes_per_second,
    )

    async def lifespan(_: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession() as opened:
            session.append(opened)
            await service.restore()
            yield
            await service.close_handlers()

    async def end_connections(_: web.Application) -> None:
        service.end_connections()

    app.cleanup_ctx.append(lifespan)
    app.on_shutdown.append(end_connections)
    served = (control_routes(), control_plane_routes(), status_routes(), event_routes(), other_routes())
    for routes in served:
        app.add_routes(with_expect_handler(routes))
    shorten_aiohttp_log()
    return app


def _authorizer(
    settings: Settings,
    session: Callable[[], aiohttp.ClientSession],
    clock: Callable[[], float],
    functions: FunctionInvoker,
) -> Authorizer:
    documents = DocumentReader(session)
    locator = KeyLocator(documents, settings.cognito_endpoint, settings.key_sets)
    endpoint = settings.permissions_url
    signers = LocalSigner(settings.account_id) if settings.credentials is None else SignerFile(settings.credentials)
    return Authorizer(
        tokens=TokenVerifier(KeySetCache(documents, locator, time.monotonic), clock),
        signatures=SignatureVerifier(signers, clock),
        permissions=AllowAll()
        if endpoint is None
        else RemotePermissionChecker(endpoint, settings.control_token, session),
        functions=LambdaAuthorizer(functions, time.monotonic),
        clock=clock,
    )
