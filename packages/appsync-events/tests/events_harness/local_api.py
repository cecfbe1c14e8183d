"""An Event API with all five auth modes, served by the command `appsync-events-local` in a process of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import jwt
from appsync_events import ApiKey, Auth, Iam, LambdaToken, OidcToken, UserPoolToken
from cryptography.hazmat.primitives.asymmetric import rsa

REGION: Final = "us-east-1"
POOL: Final = "us-east-1_Tests"
CLIENT: Final = "client1"
CONTROL_TOKEN: Final = "control-token-of-the-tests"
LAMBDA_TOKEN: Final = "let-me-in"
STOP_SECONDS: Final = 10.0
KEY_ID: Final = "key-1"

HTTP_ENDPOINT: Final = r"http://localhost:\d+/\S+/event\b"
API_KEY: Final = r"da2-\w+"
"""What the command prints of an API when it is ready: first its HTTP endpoint, later its key."""

MODES: Final = ("API_KEY", "AMAZON_COGNITO_USER_POOLS", "OPENID_CONNECT", "AWS_LAMBDA", "AWS_IAM")
"""The auth modes under their CloudFormation names."""

MODERATED: Final = """
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

AUTHORIZER: Final = f"""
def handle(request, context):
    return {{"isAuthorized": request["authorizationToken"] == "{LAMBDA_TOKEN}"}}
"""

SIGNERS: Final = {
    "ASIALOCAL": ("000000000000", "a-secret", "a-session-token"),
    "AKIDFOREIGN": ("111111111111", "a-foreign-secret", None),
}
"""Account, secret and session token by access key; the second key is of an account that may not use the API."""


@dataclass(frozen=True)
class LocalApi:
    """A running API, valid and invalid credentials for it, and its fault rules.

    Attributes:
        endpoint: the HTTP endpoint.
        api_key: a valid API key.
        issuer: the URL of the OpenID Connect issuer.
        signing_key: signs the tokens of the user pool and of the issuer.
    """

    endpoint: str
    api_key: str
    issuer: str
    signing_key: rsa.RSAPrivateKey = field(repr=False)

    def user_pool_token(self, **changes: Any) -> str:
        """Return an access token of the user pool, with changed claims."""
        issuer = f"https://cognito-idp.{REGION}.amazonaws.com/{POOL}"
        claims = {"iss": issuer, "token_use": "access", "client_id": CLIENT, "username": "ada"}
        return self._signed(claims | changes)

    def oidc_token(self, **changes: Any) -> str:
        """Return a token of the OpenID Connect issuer, with changed claims."""
        return self._signed({"iss": self.issuer, "aud": "app", "auth_time": int(time.time())} | changes)

    def valid(self, mode: str) -> Auth:
        """Return valid credentials of an auth mode."""
        _, secret, session = SIGNERS["ASIALOCAL"]
        made: dict[str, Auth] = {
            "API_KEY": ApiKey(self.api_key),
            "AMAZON_COGNITO_USER_POOLS": UserPoolToken(self.user_pool_token()),
            "OPENID_CONNECT": OidcToken(self.oidc_token()),
            "AWS_LAMBDA": LambdaToken(LAMBDA_TOKEN),
            "AWS_IAM": Iam.from_keys("ASIALOCAL", secret, session, region=REGION),
        }
        return made[mode]

    def invalid(self, mode: str) -> Auth:
        """Return well-formed credentials of an auth mode that the API must reject."""
        made: dict[str, Auth] = {
            "API_KEY": ApiKey("da2-unknownunknownunknownunkno"),
            "AMAZON_COGNITO_USER_POOLS": UserPoolToken(self.user_pool_token(exp=1)),
            "OPENID_CONNECT": OidcToken(self.oidc_token(exp=1)),
            "AWS_LAMBDA": LambdaToken("let-me-not-in"),
            "AWS_IAM": Iam.from_keys("AKIDFOREIGN", SIGNERS["AKIDFOREIGN"][1], region=REGION),
        }
        return made[mode]

    def set_faults(self, *rules: dict[str, Any]) -> None:
        """Replace the fault rules of the API."""
        base = self.endpoint.split("/", 3)
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{base[0]}//{base[2]}/_control/faults",
            data=json.dumps(rules).encode(),
            method="PUT",
            headers={"x-local-control": CONTROL_TOKEN, "content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=STOP_SECONDS) as response:  # noqa: S310 - loopback
            assert response.status == 200

    def _signed(self, claims: Mapping[str, Any]) -> str:
        now = int(time.time())
        own = {"sub": "user-1", "iat": now, "exp": now + 3600} | dict(claims)
        return jwt.encode(own, self.signing_key, algorithm="RS256", headers={"kid": KEY_ID})


@contextmanager
def local_api(folder: Path) -> Iterator[LocalApi]:
    """Serve the API until the block ends.

    Args:
        folder: for the template, the keys and the log.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    key_set = {"keys": [public | {"kid": KEY_ID, "alg": "RS256", "use": "sig"}]}
    with _issuer(key_set) as issuer:
        files = {
            "api.json": _template(issuer),
            "keys.json": key_set,
            "signers.json": {name: _signer(name, *entry) for name, entry in SIGNERS.items()},
        }
        for name, content in files.items():
            (folder / name).write_text(json.dumps(content), encoding="utf-8")
        (folder / "token").write_text(CONTROL_TOKEN, encoding="utf-8")
        command = [
            sys.executable, "-m", "appsync_events_local", "--port", "0", "--template", str(folder / "api.json"),
            "--jwks", f"{POOL}={folder / 'keys.json'}", "--credentials", str(folder / "signers.json"),
            "--control-token-file", str(folder / "token"),
        ]  # fmt: skip
        with _process(command, folder) as announcement:
            yield LocalApi(_first(HTTP_ENDPOINT, announcement), _first(API_KEY, announcement), issuer, key)


@contextmanager
def _process(command: list[str], folder: Path) -> Iterator[str]:
    """Run the service; gives what it prints until its API key."""
    log = folder / "log.txt"
    with log.open("wb") as errors:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert process.stdout is not None
    try:
        printed = ""
        while not re.search(API_KEY, printed):
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"appsync-events-local does not start:\n{log.read_text(errors='replace')}")
            printed += line
        yield printed
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)
        process.stdout.close()


@contextmanager
def _issuer(key_set: dict[str, Any]) -> Iterator[str]:
    """Serve an OpenID Connect issuer on loopback; gives its URL."""
    documents: dict[str, Callable[[], Any]] = {
        "/.well-known/openid-configuration": lambda: {"issuer": url, "jwks_uri": f"{url}/keys"},
        "/keys": lambda: key_set,
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(documents[self.path]()).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Write no access log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _template(issuer: str) -> dict[str, Any]:
    modes = [{"AuthType": mode} for mode in MODES]
    providers = {
        "AMAZON_COGNITO_USER_POOLS": {"CognitoConfig": {"UserPoolId": POOL, "AwsRegion": REGION}},
        "OPENID_CONNECT": {"OpenIDConnectConfig": {"Issuer": issuer, "ClientId": "app"}},
        "AWS_LAMBDA": {"LambdaAuthorizerConfig": {"AuthorizerUri": {"Fn::GetAtt": ["Authorizer", "Arn"]}}},
    }
    config = {
        "AuthProviders": [{"AuthType": mode} | providers.get(mode, {}) for mode in MODES],
        "ConnectionAuthModes": modes,
        "DefaultPublishAuthModes": modes,
        "DefaultSubscribeAuthModes": modes,
    }
    api_id = {"Fn::GetAtt": ["Api", "ApiId"]}
    function = {"Runtime": "python3.13", "Handler": "index.handle", "Code": {"ZipFile": AUTHORIZER}, "Role": "none"}
    return {
        "Resources": {
            "Api": {"Type": "AWS::AppSync::Api", "Properties": {"Name": "tests", "EventConfig": config}},
            "Key": {"Type": "AWS::AppSync::ApiKey", "Properties": {"ApiId": api_id}},
            "Authorizer": {"Type": "AWS::Lambda::Function", "Properties": function},
            "Open": {"Type": "AWS::AppSync::ChannelNamespace", "Properties": {"ApiId": api_id, "Name": "open"}},
            "Moderated": {
                "Type": "AWS::AppSync::ChannelNamespace",
                "Properties": {"ApiId": api_id, "Name": "moderated", "CodeHandlers": MODERATED},
            },
        }
    }


def _signer(name: str, account: str, secret: str, session: str | None) -> dict[str, str]:
    arn = f"arn:aws:iam::{account}:user/{name}"
    known = {"secretAccessKey": secret, "arn": arn, "accountId": account, "userId": name.lower()}
    return known | ({"sessionToken": session} if session else {})


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, text
    return found[0]
