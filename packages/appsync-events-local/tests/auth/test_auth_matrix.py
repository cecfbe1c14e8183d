"""Every mode, operation and kind of credentials, through a running service whose API has all five modes."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from appsync_events_local.model.auth_providers import AuthMode
from cryptography.hazmat.primitives.asymmetric import rsa
from service_harness.authorizers import GOOD_TOKEN, authorizer
from service_harness.issuers import Issuer
from service_harness.running import FOREIGN_SIGNER, KEY, Running, UserPool, api_properties, running, signed_headers

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPERATIONS = ("connect", "subscribe", "publish", "publish over HTTP")
KINDS = ("good", "none", "malformed", "expired", "foreign", "mode not allowed")
API_ID = "everything"
EXPIRED_KEY, FOREIGN_KEY = "da2-expiredexpiredexpiredexpired", "da2-foreignforeignforeignforeign"
CHANNEL, EVENTS = "/open/a", ["1"]
CLOSED_TOKEN = json.dumps({"isAuthorized": False})
REFUSED = {"errorType": "UnauthorizedException", "message": "You are not authorized to make this call."}


class Service:
    """A running service with the API `everything`, and for each mode an API that has its provider but forbids it."""

    def __init__(self, service: Running, issuer: Issuer, foreign_issuer: Issuer) -> None:
        self.service = service
        self.issuer = issuer
        self.foreign_issuer = foreign_issuer

    def path(self, mode: AuthMode, kind: str) -> str:
        """The path of the API to call; for 'mode not allowed' the API without this mode."""
        return f"/{without(mode) if kind == 'mode not allowed' else API_ID}/event"

    def credentials(self, mode: AuthMode, kind: str, body: str) -> dict[str, str]:
        """Credentials of this mode and kind; a signature covers `body`."""
        if kind == "none":
            return {}
        if mode is AuthMode.API_KEY:
            keys = {"malformed": "no key", "expired": EXPIRED_KEY, "foreign": FOREIGN_KEY}
            return {"x-api-key": keys.get(kind, KEY)}
        if mode is AuthMode.IAM:
            return self.signature(mode, kind, body)
        return {"Authorization": self.token(mode, kind)}

    def signature(self, mode: AuthMode, kind: str, body: str) -> dict[str, str]:
        url = self.service.url + self.path(mode, kind)
        if kind == "foreign":
            return signed_headers(url, body, FOREIGN_SIGNER)
        headers = signed_headers(url, body, age_seconds=600 if kind == "expired" else 0)
        malformed = "AWS4-HMAC-SHA256 Credential=nonsense"
        return headers | ({"Authorization": malformed} if kind == "malformed" else {})

    def token(self, mode: AuthMode, kind: str) -> str:
        if mode is AuthMode.LAMBDA:
            tokens = {"malformed": "[]", "expired": CLOSED_TOKEN, "foreign": "of-another-service"}
            return tokens.get(kind, GOOD_TOKEN)
        issuer = self.service.pool if mode is AuthMode.COGNITO else self.issuer
        if kind == "malformed":
            return "Bearer not.a.token"
        if kind == "expired":
            return issuer.token(exp=1)
        if kind == "foreign":
            return self.foreign_issuer.token(token_use="id")
        return issuer.token()


def without(mode: AuthMode) -> str:
    return f"no-{mode.replace('_', '-').lower()}"


def modes(*excluded: AuthMode) -> list[dict[str, str]]:
    return [{"AuthType": mode} for mode in AuthMode if mode not in excluded]


def properties(issuer: Issuer, function: dict[str, Any], *excluded: AuthMode) -> dict[str, Any]:
    made = api_properties()
    config = made["EventConfig"]
    oidc = {"AuthType": "OPENID_CONNECT", "OpenIDConnectConfig": {"Issuer": issuer.url, "ClientId": "app"}}
    config["AuthProviders"] += [oidc, function]
    for name in ("ConnectionAuthModes", "DefaultPublishAuthModes", "DefaultSubscribeAuthModes"):
        config[name] = modes(*excluded)
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everything(
    tmp_path_factory: pytest.TempPathFactory, signing_key: rsa.RSAPrivateKey, other_key: rsa.RSAPrivateKey
) -> AsyncIterator[Service]:
    folder, pool = tmp_path_factory.mktemp("matrix"), UserPool(signing_key)
    async with (
        pool.served(),
        Issuer(signing_key).served() as issuer,
        Issuer(other_key).served() as foreign_issuer,
        authorizer(folder) as asked,
        running(folder, pool, functions=asked.runner) as service,
    ):
        for api_id, excluded in [(API_ID, ()), *((without(mode), (mode,)) for mode in AuthMode)]:
            await service.register(api_id, properties(issuer, asked.properties(), *excluded))
            await service.registered("PUT", f"apis/{api_id}/keys/{KEY}", {"properties": {}})
            await service.registered("PUT", f"apis/{api_id}/keys/{EXPIRED_KEY}", {"properties": {}})
            service.expire_key(api_id, EXPIRED_KEY)
            await service.registered("PUT", f"apis/{api_id}/namespaces/open", {"properties": {}})
        yield Service(service, issuer, foreign_issuer)


async def connected(everything: Service, mode: AuthMode, kind: str, *, good: bool) -> Any:
    """A socket with connect credentials of this kind, or with `good` ones of another mode of the same API."""
    path = everything.path(mode, kind)
    own = everything.credentials(mode, kind, "{}")
    if good:
        own = {"x-api-key": KEY} if mode is not AuthMode.API_KEY else {"Authorization": everything.issuer.token()}
    return await everything.service.open({"host": everything.service.host} | own, path + "/realtime")


@pytest.mark.parametrize("mode", AuthMode)
@pytest.mark.parametrize("kind", KINDS)
async def test_connect_succeeds_only_with_good_credentials_of_an_allowed_mode(
    everything: Service, mode: AuthMode, kind: str
) -> None:
    socket = await connected(everything, mode, kind, good=False)
    answer = await socket.ask(type="connection_init")
    if kind == "good":
        assert answer["type"] == "connection_ack"
        await socket.raw.close()
    else:
        assert answer == {"type": "connection_error", "errors": [REFUSED | {"errorCode": 401}]}
        assert await socket.closed() == 1008


@pytest.mark.parametrize("mode", AuthMode)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("operation", ["subscribe", "publish"])
async def test_frame_on_a_socket_opened_in_another_mode_needs_good_credentials_of_an_allowed_mode(
    everything: Service, mode: AuthMode, kind: str, operation: str
) -> None:
    socket = await connected(everything, mode, kind, good=True)
    assert (await socket.ask(type="connection_init"))["type"] == "connection_ack"
    signed: dict[str, Any] = {"channel": CHANNEL} | ({"events": EVENTS} if operation == "publish" else {})
    own = everything.credentials(mode, kind, json.dumps(signed, separators=(",", ":")))
    answer = await socket.ask(type=operation, id="1", **signed, authorization=own)
    if kind == "good":
        assert answer["type"] == f"{operation}_success"
    else:
        assert answer == {"type": f"{operation}_error", "id": "1", "errors": [REFUSED]}
        again = await socket.ask(type=operation, id="2", **signed, authorization=socket.authorization)
        assert again["type"] == f"{operation}_success", "the socket stays usable"
    await socket.raw.close()


@pytest.mark.parametrize("mode", AuthMode)
@pytest.mark.parametrize("kind", KINDS)
async def test_http_publish_succeeds_only_with_good_credentials_of_an_allowed_mode(
    everything: Service, mode: AuthMode, kind: str
) -> None:
    body = json.dumps({"channel": CHANNEL, "events": EVENTS})
    headers = everything.credentials(mode, kind, body)
    url = everything.service.url + everything.path(mode, kind)
    async with everything.service.session.post(url, data=body.encode(), headers=headers) as response:
        answer = await response.json()
        if kind == "good":
            assert (response.status, len(answer["successful"])) == (200, 1)
        else:
            assert (response.status, answer) == (401, {"errors": [REFUSED]})


async def test_credential_names_in_frames_are_case_insensitive(everything: Service) -> None:
    socket = await connected(everything, AuthMode.OIDC, "good", good=True)
    await socket.ask(type="connection_init")
    spellings = [{"authorization": everything.issuer.token()}, {"AUTHORIZATION": f"Bearer {everything.issuer.token()}"},
                 {"X-Api-Key": KEY}, {"x-API-key": KEY}]  # fmt: skip
    for number, own in enumerate(spellings):
        answer = await socket.ask(type="subscribe", id=f"{number}", channel="/open/*", authorization=own)
        assert answer["type"] == "subscribe_success", own
    await socket.raw.close()


async def test_handlers_see_the_identity_of_each_mode(everything: Service) -> None:
    code = "export function onPublish(ctx) { return [{id: ctx.events[0].id, payload: ctx.identity}] }"
    path = f"apis/{API_ID}/namespaces/identity"
    await everything.service.registered("PUT", path, {"properties": {"CodeHandlers": code}})
    socket = await connected(everything, AuthMode.IAM, "good", good=True)
    await socket.ask(type="connection_init")
    await socket.ask(type="subscribe", id="s", channel="/identity/a", authorization=socket.authorization)
    seen: dict[AuthMode, Any] = {}
    for mode in AuthMode:
        signed = {"channel": "/identity/a", "events": EVENTS}
        own = everything.credentials(mode, "good", json.dumps(signed, separators=(",", ":")))
        await socket.send(type="publish", id="p", **signed, authorization=own)
        frames = [await socket.receive(), await socket.receive()]
        event = next(frame["event"] for frame in frames if frame["type"] == "data")
        seen[mode] = json.loads(event)
    assert seen[AuthMode.API_KEY] is None
    assert seen[AuthMode.LAMBDA] == {"handlerContext": {"role": "guest", "op": "EVENT_PUBLISH"}}
    assert seen[AuthMode.IAM]["userArn"].endswith("user/AKIDLOCAL")
    oidc = seen[AuthMode.OIDC]
    assert (set(oidc), oidc["sub"], oidc["issuer"]) == ({"sub", "issuer", "claims"}, "user-7", everything.issuer.url)
    assert set(seen[AuthMode.COGNITO]) == {
        "sourceIp", "username", "groups", "sub", "issuer", "claims", "defaultAuthStrategy",
    }  # fmt: skip
    await socket.raw.close()


async def test_a_namespace_replaces_the_modes_of_its_api(everything: Service) -> None:
    path = f"apis/{API_ID}/namespaces/narrow"
    own = {"PublishAuthModes": [{"AuthType": "OPENID_CONNECT"}], "SubscribeAuthModes": [{"AuthType": "AWS_LAMBDA"}]}
    await everything.service.registered("PUT", path, {"properties": own})
    socket = await connected(everything, AuthMode.COGNITO, "good", good=True)
    await socket.ask(type="connection_init")
    for mode in AuthMode:
        signed = {"channel": "/narrow/a"}
        own = everything.credentials(mode, "good", json.dumps(signed, separators=(",", ":")))
        answer = await socket.ask(type="subscribe", id=f"{mode}", **signed, authorization=own)
        assert (answer["type"] == "subscribe_success") is (mode is AuthMode.LAMBDA), mode
        publishing = {"channel": "/narrow/b", "events": EVENTS}
        own = everything.credentials(mode, "good", json.dumps(publishing, separators=(",", ":")))
        answer = await socket.ask(type="publish", id=f"{mode}", **publishing, authorization=own)
        assert (answer["type"] == "publish_success") is (mode is AuthMode.OIDC), mode
    await socket.raw.close()
