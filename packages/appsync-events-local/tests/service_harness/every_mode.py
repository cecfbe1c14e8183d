"""A running service whose API allows all five modes for every operation, for the tests of clients."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appsync_events_local.model.auth_providers import AuthMode
from cryptography.hazmat.primitives.asymmetric import rsa
from service_harness.authorizers import GOOD_TOKEN, Authorizer, authorizer
from service_harness.issuers import Issuer
from service_harness.running import API, KEY, SESSION_SIGNER, Running, UserPool, api_properties, running

MEMBERS_ONLY = """
import { util } from '@aws-appsync/utils';
export function onSubscribe(ctx) {
  if (ctx.info.channel.segments[1] !== 'open') { util.unauthorized(); }
}
export function onPublish(ctx) {
  return ctx.events
    .filter((event) => event.payload !== 'drop')
    .map((event) => event.payload === 'fail' ? { id: event.id, error: 'not this one' } : event);
}
"""
"""Allows subscriptions to `/moderated/open` only; drops the event `drop` and fails the event `fail`."""


@dataclass(frozen=True)
class EveryMode:
    """The running service and good credentials of every mode."""

    service: Running
    issuer: Issuer
    authorizer: Authorizer

    @property
    def endpoint(self) -> str:
        return self.service.event_url

    def credentials(self) -> dict[str, Any]:
        """Good credentials, by mode."""
        return {
            AuthMode.API_KEY: KEY,
            AuthMode.COGNITO: self.service.pool.token(),
            AuthMode.OIDC: self.issuer.token(),
            AuthMode.LAMBDA: GOOD_TOKEN,
            AuthMode.IAM: SESSION_SIGNER,
        }


def every_mode_properties(issuer_url: str) -> dict[str, Any]:
    """The API's properties."""
    made = api_properties()
    config = made["EventConfig"]
    oidc = {"AuthType": "OPENID_CONNECT", "OpenIDConnectConfig": {"Issuer": issuer_url, "ClientId": "app"}}
    config["AuthProviders"] += [oidc, Authorizer.properties()]
    for name in ("ConnectionAuthModes", "DefaultPublishAuthModes", "DefaultSubscribeAuthModes"):
        config[name] = [{"AuthType": mode} for mode in AuthMode]
    return made


@asynccontextmanager
async def every_mode(folder: Path, key: rsa.RSAPrivateKey) -> AsyncIterator[EveryMode]:
    """Serve the API with the namespaces `open` and `moderated` until the block ends."""
    pool = UserPool(key)
    async with (
        pool.served(),
        Issuer(key).served() as issuer,
        authorizer(folder) as function,
        running(folder, pool, functions=function.runner) as service,
    ):
        await service.register(API, every_mode_properties(issuer.url))
        await service.namespace("moderated", MEMBERS_ONLY)
        yield EveryMode(service, issuer, function)
