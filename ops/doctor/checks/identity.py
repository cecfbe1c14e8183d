"""Checks of the user pool: client, flows, trigger, keys, and a token that a service refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ops.deployed.values import differences
from ops.doctor.check import Check
from ops.doctor.examination import Examination, different
from ops.doctor.finding import Finding, NotTriedError
from ops.doctor.tokens import issuer, token_faults
from ops.doctor.web import fetch
from stacks import outputs

_CLIENT: Final = (
    *("ExplicitAuthFlows", "AccessTokenValidity", "IdTokenValidity", "RefreshTokenValidity", "TokenValidityUnits"),
    *("EnableTokenRevocation", "PreventUserExistenceErrors", "ReadAttributes", "WriteAttributes"),
)
_NEEDED_FLOWS: Final = frozenset({"ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"})


def pool_of(examination: Examination) -> tuple[str, str, str]:
    """Return the ids of pool and app client, and the pool's region.

    Raises:
        NotTriedError: the stack Identity has no such output.
    """
    values = [
        examination.target.output(each) for each in (outputs.USER_POOL_ID, outputs.CLIENT_ID, outputs.POOL_REGION)
    ]
    if None in values:
        raise NotTriedError("the stack Identity lacks an output of pool, client or region")
    pool, client, region = map(str, values)
    return pool, client, region


def _pool(examination: Examination) -> Any:
    pool, _, region = pool_of(examination)
    return examination.find("cognito-idp", "describe_user_pool", region=region, UserPoolId=pool)


def _client(examination: Examination) -> Any:
    pool, client, region = pool_of(examination)
    answer = examination.find(
        "cognito-idp", "describe_user_pool_client", region=region, UserPoolId=pool, ClientId=client
    )
    return answer["UserPoolClient"] if answer else None


def _exists(examination: Examination) -> Iterator[Finding]:
    pool, client, _ = pool_of(examination)
    if _pool(examination) is None:
        yield Finding(f"the user pool {pool} does not exist")
    elif _client(examination) is None:
        yield Finding(f"the app client {client} does not exist in the user pool {pool}")


def _flows(examination: Examination) -> Iterator[Finding]:
    found = _client(examination)
    if absent := sorted(_NEEDED_FLOWS - set(found.get("ExplicitAuthFlows", []))):
        yield Finding(f"the app client does not allow {', '.join(absent)}; users cannot sign in or stay signed in")
    if found.get("ClientSecret"):
        yield Finding("the app client has a secret, which a browser cannot keep")
    for resource in examination.target.deployed.resources("AWS::Cognito::UserPoolClient"):
        if resource.properties.get("ClientName") != found.get("ClientName"):
            continue  # the canary's
        expected = {key: resource.properties[key] for key in _CLIENT if key in resource.properties}
        if absent:
            expected.pop("ExplicitAuthFlows", None)
        yield from different("app client", differences(expected, found))


def _trigger(examination: Examination) -> Iterator[Finding]:
    pools = list(examination.target.deployed.resources("AWS::Cognito::UserPool"))
    if not pools:
        raise NotTriedError("the user pool is imported, and its triggers are not this product's")
    actual = _pool(examination)["UserPool"].get("LambdaConfig", {})
    yield from different("triggers of the user pool", differences(pools[0].properties.get("LambdaConfig", {}), actual))


def _keys(examination: Examination) -> Iterator[Finding]:
    pool, _, region = pool_of(examination)
    url = f"{issuer(examination.target, pool, region)}/.well-known/jwks.json"
    answer = fetch("GET", url)
    if answer.status != 200 or not json.loads(answer.body or b"{}").get("keys"):
        yield Finding(f"{url} responds with {answer.status} and no keys; no token can be verified")


def _token(examination: Examination) -> Iterator[Finding]:
    token = examination.question.token
    if token is None:
        raise NotTriedError("no token was given (--token-file FILE)")
    pool, client, region = pool_of(examination)
    url = f"{issuer(examination.target, pool, region)}/.well-known/jwks.json"
    keys: Mapping[str, Any] = json.loads(fetch("GET", url).body or b"{}")
    clients = examination.target.environment.identity.client_ids or (client,)
    for text in token_faults(token, pool=pool, region=region, clients=clients, keys=keys):
        yield Finding(text)


_REVERT: Final = "Deploy with `npx cdk deploy -c env={env} Identity --revert-drift`."

CHECKS: Final = (
    Check(
        id="D701",
        title="The user pool and its app client exist",
        looks_at="Cognito DescribeUserPool and DescribeUserPoolClient",
        cause="One was deleted, or an imported pool has another id; no user can sign in.",
        remedy="An imported pool: correct identity.pool_id and identity.client_ids in environments/{env}.toml, then "
        "`make deploy ENV={env}` and `make outputs ENV={env}`. A created one: see docs/how-to/deploy.md.",
        run=_exists,
        needs=("D201",),
    ),
    Check(
        id="D702",
        title="The app client allows the flows and validities that the front end uses",
        looks_at="Cognito DescribeUserPoolClient: flows, validity of the tokens, attributes, secret",
        cause="It was changed by hand; sign-in or renewal of tokens fails, or tokens expire too early.",
        remedy=_REVERT,
        run=_flows,
        needs=("D701",),
    ),
    Check(
        id="D703",
        title="The user pool invokes the function profile",
        looks_at="Cognito DescribeUserPool: LambdaConfig",
        cause="The trigger was removed, or another one was added, which can refuse sign-ups.",
        remedy=_REVERT,
        run=_trigger,
        needs=("D701",),
    ),
    Check(
        id="D704",
        title="The signing keys of the user pool can be read",
        looks_at="GET of the pool's .well-known/jwks.json",
        cause="The pool's region is wrong, or the network does not reach Cognito; every token is refused.",
        remedy="Compare the outputs with the pool: `aws cognito-idp describe-user-pool --user-pool-id POOL`.",
        run=_keys,
        needs=("D701",),
    ),
    Check(
        id="D705",
        title="The token that a service refuses is valid for this environment",
        looks_at="the token of --token-file: form, signature, expiry, clock, pool, app client, kind of token",
        cause="The client sends an ID token, an expired token, or one of another pool or app client.",
        remedy="Let the client renew its tokens and send the access token. If the token was issued in the future, "
        "correct the clock of the device or of this machine.",
        run=_token,
        needs=("D704",),
    ),
)
