"""All five modes of a template that the command serves, with key sets and an issuer on loopback."""

import json
from pathlib import Path
from typing import Any

import pytest
from appsync_events_local.local_identity import LOCAL_ACCESS_KEY_ID, LOCAL_SECRET_ACCESS_KEY
from botocore.credentials import Credentials
from cryptography.hazmat.primitives.asymmetric import rsa
from service_harness.issuers import Issuer
from service_harness.running import POOL, REGION, UserPool, signed_headers
from service_harness.standalone import Standalone, standalone
from service_harness.templates import api, modes, namespace, write_template

MODES = ("API_KEY", "AWS_IAM", "AMAZON_COGNITO_USER_POOLS", "OPENID_CONNECT", "AWS_LAMBDA")
IDENTITY = "export function onPublish(ctx) { return [{ id: ctx.events[0].id, payload: ctx.identity }] }"
AUTHORIZER = """
def handle(request, context):
    return {"isAuthorized": request["authorizationToken"] == "let-me-in", "handlerContext": {"guest": "yes"}}
"""
BODY = json.dumps({"channel": "default/a", "events": ["1"]})


def template(folder: Path, issuer: str) -> Path:
    config = {
        "AuthProviders": [
            *modes("API_KEY", "AWS_IAM"),
            {"AuthType": MODES[2], "CognitoConfig": {"UserPoolId": POOL, "AwsRegion": REGION}},
            {"AuthType": MODES[3], "OpenIDConnectConfig": {"Issuer": issuer, "IatTTL": 3_600_000}},
            {
                "AuthType": MODES[4],
                "LambdaAuthorizerConfig": {"AuthorizerUri": {"Fn::GetAtt": ["Authorizer", "Arn"]}},
            },
        ],
        "ConnectionAuthModes": modes(*MODES),
        "DefaultPublishAuthModes": modes(*MODES),
        "DefaultSubscribeAuthModes": modes(*MODES),
    }
    function = {"Runtime": "python3.13", "Handler": "index.handle", "Code": {"ZipFile": AUTHORIZER}, "Role": "none"}
    resources = {
        "Api": api(**config),
        "Key": {"Type": "AWS::AppSync::ApiKey", "Properties": {"ApiId": {"Fn::GetAtt": ["Api", "ApiId"]}}},
        "Authorizer": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Space": namespace(CodeHandlers=IDENTITY),
    }
    return write_template(folder, resources)


def credentials(running: Standalone, pool: UserPool, issuer: Issuer) -> dict[str, dict[str, str]]:
    """Good credentials of each mode."""
    local = Credentials(LOCAL_ACCESS_KEY_ID, LOCAL_SECRET_ACCESS_KEY)
    return {
        "API_KEY": {"x-api-key": running.keys[0]},
        "AWS_IAM": signed_headers(running.endpoints[0], BODY, local),
        "AMAZON_COGNITO_USER_POOLS": {"Authorization": pool.token()},
        "OPENID_CONNECT": {"Authorization": f"Bearer {issuer.token()}"},
        "AWS_LAMBDA": {"Authorization": "let-me-in"},
    }


async def published(running: Standalone, headers: dict[str, str]) -> tuple[int, Any]:
    async with running.session.post(running.endpoints[0], data=BODY.encode(), headers=headers) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize("as_address", [False, True])
async def test_every_mode_of_a_served_template_is_verified(
    tmp_path: Path, pool: UserPool, signing_key: rsa.RSAPrivateKey, as_address: bool
) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(pool.key_set()))
    place = f"{pool.url}/{POOL}/.well-known/jwks.json" if as_address else str(keys)
    async with (
        Issuer(signing_key).served() as issuer,
        standalone("--template", template(tmp_path, issuer.url), "--jwks", f"{POOL}={place}") as running,
    ):
        good = credentials(running, pool, issuer)
        socket = await running.subscribed("/default/*")
        seen: dict[str, Any] = {}
        for mode in MODES:
            status, answer = await published(running, good[mode])
            assert status == 200, (mode, answer)
            seen[mode] = json.loads((await socket.receive())["event"])
        assert seen["API_KEY"] is None
        assert seen["AWS_IAM"]["userArn"].endswith(":user/local")
        assert (seen["AMAZON_COGNITO_USER_POOLS"]["sub"], seen["OPENID_CONNECT"]["sub"]) == ("user-1", "user-7")
        assert seen["AWS_LAMBDA"] == {"handlerContext": {"guest": "yes"}}
        for bad in ({}, {"Authorization": "let-me-out"}, {"Authorization": issuer.token(exp=1)}, {"x-api-key": "no"}):
            assert (await published(running, bad))[0] == 401, bad
