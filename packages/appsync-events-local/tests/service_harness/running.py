"""A running service in the test's process, its user pool and its clients."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import aiohttp
import jwt
from aiohttp import web
from appsync_events_local.functions.invoker import FunctionInvoker
from appsync_events_local.handlers.namespace_handlers import DataSource
from appsync_events_local.http.app import Settings, make_app
from appsync_events_local.http.server import SERVICE
from appsync_events_local.model.api import ApiKey
from appsync_events_local.model.data_sources import DataSourceModel
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography.hazmat.primitives.asymmetric import rsa

REGION = "us-east-1"
ACCOUNT = "000000000000"
POOL = "us-east-1_Tests"
CLIENT = "appclient1"
ISSUER = f"https://cognito-idp.{REGION}.amazonaws.com/{POOL}"
TOKEN = "control-token-of-the-tests"
API = "testapi"
KEY = "da2-abcdefghijklmnopqrstuvwxyz"
SIGNER = Credentials("AKIDLOCAL", "secret-of-the-tests")
SESSION_SIGNER = Credentials("ASIALOCAL", "another-secret", "session-token")
FOREIGN_SIGNER = Credentials("AKIDFOREIGN", "foreign-secret")
SUBPROTOCOL = "aws-appsync-event-ws"
ALL_MODES = ("AMAZON_COGNITO_USER_POOLS", "AWS_IAM", "API_KEY")


def signer_file(account: str = ACCOUNT) -> dict[str, dict[str, str]]:
    def entry(credentials: Credentials, account_id: str) -> dict[str, str]:
        known = {
            "secretAccessKey": credentials.secret_key,
            "arn": f"arn:aws:iam::{account_id}:user/{credentials.access_key}",
            "accountId": account_id,
            "userId": credentials.access_key.lower(),
        }
        return known | ({"sessionToken": credentials.token} if credentials.token else {})

    return {
        SIGNER.access_key: entry(SIGNER, account),
        SESSION_SIGNER.access_key: entry(SESSION_SIGNER, account),
        FOREIGN_SIGNER.access_key: entry(FOREIGN_SIGNER, "111111111111"),
    }


@dataclass
class UserPool:
    """A user pool: its signing key, its key set over HTTP, and its tokens."""

    key: rsa.RSAPrivateKey
    key_id: str = "key-1"
    url: str = ""
    fetches: int = 0
    broken: bool = False

    def key_set(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [public | {"kid": self.key_id, "alg": "RS256", "use": "sig"}]}

    def claims(self, use: str = "access", **changes: Any) -> dict[str, Any]:
        """The claims of a good token, with changes; the value `...` removes a claim."""
        now = int(time.time())
        claims: dict[str, Any] = {"sub": "user-1", "iss": ISSUER, "token_use": use, "iat": now, "exp": now + 3600}
        claims |= (
            {"client_id": CLIENT, "username": "ada"} if use == "access" else {"aud": CLIENT, "cognito:username": "ada"}
        )
        return {name: value for name, value in (claims | changes).items() if value is not ...}

    def token(self, use: str = "access", **changes: Any) -> str:
        return jwt.encode(self.claims(use, **changes), self.key, algorithm="RS256", headers={"kid": self.key_id})

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        async def answer(request: web.Request) -> web.Response:
            self.fetches += 1
            if self.broken:
                return web.Response(status=503)
            return web.json_response(self.key_set())

        app = web.Application()
        app.router.add_get(f"/{POOL}/.well-known/jwks.json", answer)
        async with on_port(app) as self.url:
            yield


@asynccontextmanager
async def on_port(app: web.Application) -> AsyncIterator[str]:
    """Serve the application on a free loopback port; gives its base URL."""
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def no_data_sources(model: DataSourceModel) -> DataSource:
    raise AssertionError(f"this test has no data source, but {model.name} is registered")


def header_protocol(credentials: Mapping[str, Any]) -> str:
    return "header-" + base64.urlsafe_b64encode(json.dumps(credentials).encode()).decode().rstrip("=")


def api_properties(
    *,
    connect: tuple[str, ...] = ALL_MODES,
    publish: tuple[str, ...] = ALL_MODES,
    subscribe: tuple[str, ...] = ALL_MODES,
) -> dict[str, Any]:
    def modes(names: tuple[str, ...]) -> list[dict[str, str]]:
        return [{"AuthType": name} for name in names]

    cognito = {"UserPoolId": POOL, "AwsRegion": REGION, "AppIdClientRegex": "^appclient[0-9]$"}
    return {
        "Name": "tests",
        "EventConfig": {
            "AuthProviders": [
                {"AuthType": "AMAZON_COGNITO_USER_POOLS", "CognitoConfig": cognito},
                {"AuthType": "AWS_IAM"},
                {"AuthType": "API_KEY"},
            ],
            "ConnectionAuthModes": modes(connect),
            "DefaultPublishAuthModes": modes(publish),
            "DefaultSubscribeAuthModes": modes(subscribe),
        },
    }


def signed_headers(
    url: str,
    body: str | bytes,
    credentials: Credentials = SIGNER,
    *,
    region: str = REGION,
    service: str = "appsync",
    age_seconds: float = 0,
) -> dict[str, str]:
    """The headers of a POST signed by botocore some seconds ago, including `Host`."""
    request = AWSRequest("POST", url, data=body, headers={"content-type": "application/json; charset=UTF-8"})
    with patch("botocore.auth.get_current_datetime", lambda: datetime.now(UTC) - timedelta(seconds=age_seconds)):
        SigV4Auth(credentials, service, region).add_auth(request)
    return {**dict(request.headers.items()), "host": urlsplit(url).netloc}


@dataclass
class Socket:
    """A client's WebSocket, with frames as dicts."""

    raw: aiohttp.ClientWebSocketResponse
    authorization: dict[str, Any] = field(default_factory=dict)

    async def send(self, **frame: Any) -> None:
        await self.raw.send_str(json.dumps(frame))

    async def receive(self) -> dict[str, Any]:
        message = await self.raw.receive(timeout=10)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        frame: dict[str, Any] = json.loads(message.data)
        return frame

    async def ask(self, **frame: Any) -> dict[str, Any]:
        await self.send(**frame)
        return await self.receive()

    async def subscribe(self, channel: str, id: str = "s1") -> dict[str, Any]:
        return await self.ask(type="subscribe", id=id, channel=channel, authorization=self.authorization)

    async def publish(self, channel: str, *events: str, id: str = "p1") -> dict[str, Any]:
        return await self.ask(
            type="publish", id=id, channel=channel, events=list(events), authorization=self.authorization
        )

    async def closed(self) -> int | None:
        """Read until the connection is closed; returns the close code."""
        while not self.raw.closed:
            await self.raw.receive(timeout=10)
        return self.raw.close_code


@dataclass
class Running:
    """A listening service, with methods to register, connect and publish."""

    url: str
    session: aiohttp.ClientSession
    pool: UserPool
    credentials_file: Path
    app: web.Application | None = None
    key: str = KEY

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    @property
    def event_url(self) -> str:
        return f"{self.url}/event"

    def expire_key(self, api_id: str, key: str) -> None:
        """Let an API key have expired long ago: AppSync does not accept such a key, it becomes one."""
        assert self.app is not None
        self.app[SERVICE].apis[api_id].keys[key] = ApiKey(key, 1.0)

    async def control(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"x-local-control": TOKEN}
        async with self.session.request(method, f"{self.url}/_control/{path}", json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def registered(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = await self.control(method, path, body)
        assert status == 200, answer
        return answer

    async def register(self, api_id: str = API, properties: dict[str, Any] | None = None) -> None:
        body = {
            "name": "tests",
            "properties": properties or api_properties(),
            "hosts": {"http": "events.test", "realtime": "realtime.test"},
            "region": REGION,
            "accountId": ACCOUNT,
        }
        await self.registered("PUT", f"apis/{api_id}", body)

    async def namespace(self, name: str, code: str | None = None, **properties: Any) -> None:
        own = {"CodeHandlers": code} if code else {}
        await self.registered("PUT", f"apis/{API}/namespaces/{name}", {"properties": own | properties})

    async def faults(self, *rules: dict[str, Any]) -> None:
        await self.registered("PUT", "faults", list(rules))

    def jwt_authorization(self, **changes: Any) -> dict[str, str]:
        return {"host": self.host, "Authorization": self.pool.token(**changes)}

    def key_authorization(self) -> dict[str, str]:
        return {"host": self.host, "x-api-key": self.key}

    async def open(self, authorization: dict[str, Any] | None = None, path: str = "/event/realtime") -> Socket:
        """A socket before its connection_init."""
        own = self.key_authorization() if authorization is None else authorization
        raw = await self.session.ws_connect(self.url + path, protocols=[SUBPROTOCOL, header_protocol(own)])
        return Socket(raw, own)

    async def connect(self, authorization: dict[str, Any] | None = None) -> Socket:
        """An acknowledged socket."""
        socket = await self.open(authorization)
        assert (await socket.ask(type="connection_init"))["type"] == "connection_ack"
        return socket

    async def post(
        self, channel: str, *events: Any, headers: dict[str, str] | None = None, path: str = "/event"
    ) -> tuple[int, dict[str, Any]]:
        own = {"x-api-key": self.key} if headers is None else headers
        body = json.dumps({"channel": channel, "events": list(events)})
        async with self.session.post(self.url + path, data=BytesIO(body.encode()), headers=own) as answer:
            return answer.status, await answer.json()

    async def post_raw(self, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        async with self.session.post(self.event_url, data=BytesIO(body), headers=headers) as answer:
            return answer.status, await answer.json()


@asynccontextmanager
async def running(
    folder: Path,
    pool: UserPool,
    data_sources: Any = no_data_sources,
    *,
    fresh: bool = True,
    clock: Callable[[], float] = time.time,
    functions: FunctionInvoker | None = None,
    **settings: Any,
) -> AsyncIterator[Running]:
    """A service with one API that allows user pool tokens, IAM and API keys, with one API key and the namespace `open`.

    Without `fresh` it serves the registrations that the folder holds instead.
    """
    credentials_file = folder / "signers.json"
    if not credentials_file.exists():
        credentials_file.write_text(json.dumps(signer_file()))
    own = Settings(folder, TOKEN, pool.url, credentials_file, **settings)
    app = make_app(own, data_sources, clock, functions)
    async with on_port(app) as url, aiohttp.ClientSession() as session:
        service = Running(url, session, pool, credentials_file, app)
        if fresh:
            await service.register()
            await service.registered("PUT", f"apis/{API}/keys/{KEY}", {"properties": {}})
            await service.namespace("open")
        yield service


def transport_of(socket: Socket) -> asyncio.Transport:
    """The transport of a client's socket, to pause reading or to write raw bytes."""
    connection = socket.raw._response.connection
    assert connection is not None
    transport = connection.transport
    assert isinstance(transport, asyncio.Transport)
    return transport
