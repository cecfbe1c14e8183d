"""Any malformed credentials give a refusal, never an exception of another kind."""

import asyncio
import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import aiohttp
import pytest
from appsync_events_local.auth.authorizer import Authorizer
from appsync_events_local.auth.credentials import Credentials
from appsync_events_local.auth.iam.permissions import AllowAll
from appsync_events_local.auth.iam.signatures import SignatureVerifier
from appsync_events_local.auth.iam.signers import LocalSigner
from appsync_events_local.auth.lambda_authorizer import LambdaAuthorizer
from appsync_events_local.auth.operation import EventOperation, RequestedOperation
from appsync_events_local.auth.tokens.documents import DocumentReader
from appsync_events_local.auth.tokens.key_locations import KeyLocator
from appsync_events_local.auth.tokens.key_sets import KeySetCache
from appsync_events_local.auth.tokens.verifier import TokenVerifier
from appsync_events_local.errors import Refusal
from appsync_events_local.functions.chain import InvokerChain
from appsync_events_local.limits import AUTHORIZATION_CHARACTERS
from appsync_events_local.model.api import Api, api_from
from appsync_events_local.model.auth_providers import AuthMode
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from service_harness.authorizers import Authorizer as AuthorizerFunction
from service_harness.running import ISSUER, POOL, api_properties

OIDC_ISSUER = "https://issuer.test"


def part(content: object) -> str:
    text = content if isinstance(content, str) else json.dumps(content)
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode().rstrip("=")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
heads = st.fixed_dictionaries(
    {}, optional={"alg": st.sampled_from(["RS256", "HS256", "ES384", "none"]) | json_values, "kid": json_values}
)
bodies = st.fixed_dictionaries(
    {}, optional={"iss": st.sampled_from([ISSUER, OIDC_ISSUER]) | json_values, "exp": json_values, "sub": json_values}
)
tokens = st.builds(
    lambda head, body, end: f"{part(head)}.{part(body)}.{end}", heads | json_values, bodies | json_values, st.text()
)
signatures = st.builds(
    lambda rest: "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/appsync/aws4_request, " + rest,
    st.text() | st.just("SignedHeaders=host;x-amz-date, Signature=00"),
)
texts = st.text() | tokens | signatures | tokens.map("Bearer {}".format)
names = st.sampled_from(["authorization", "x-api-key", "host", "x-amz-date", "x-amz-security-token"])


@dataclass(frozen=True)
class ApiUnderTest:
    """An API with all five modes, and an authorizer whose key sets cannot be read."""

    loop: asyncio.AbstractEventLoop
    api: Api
    authorizer: Authorizer

    def refusal(self, headers: dict[str, str]) -> Refusal | None:
        """The refusal of these headers, or `None` if they are accepted."""
        presented = Credentials(headers, "127.0.0.1", ("/event",), {"channel": "/a"})
        call = RequestedOperation(EventOperation.SUBSCRIBE, None)
        try:
            self.loop.run_until_complete(self.authorizer.authorize(self.api, (), frozenset(AuthMode), presented, call))
        except Refusal as refusal:
            return refusal
        return None


def no_session() -> aiohttp.ClientSession:
    raise AssertionError("the key sets are files")


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiUnderTest]:
    properties = api_properties()
    oidc = {"AuthType": "OPENID_CONNECT", "OpenIDConnectConfig": {"Issuer": OIDC_ISSUER, "AuthTTL": 1}}
    properties["EventConfig"]["AuthProviders"] += [oidc, AuthorizerFunction.properties()]
    hosts = {"http": "events.test", "realtime": "realtime.test"}
    api = api_from("a", {"properties": properties, "hosts": hosts, "region": "us-east-1", "accountId": "1"})
    nowhere = str(tmp_path_factory.mktemp("keys") / "none.json")
    documents = DocumentReader(no_session)
    places = KeyLocator(documents, None, {OIDC_ISSUER: nowhere, POOL: nowhere})
    authorizer = Authorizer(
        TokenVerifier(KeySetCache(documents, places, time.monotonic), time.time),
        SignatureVerifier(LocalSigner(), time.time),
        LambdaAuthorizer(InvokerChain(()), time.monotonic),
        AllowAll(),
        time.time,
    )
    loop = asyncio.new_event_loop()
    yield ApiUnderTest(loop, api, authorizer)
    loop.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(names, texts, max_size=5))
@example({"authorization": f"{part('[' * 9000)}.{part({})}.x"})
@example({"authorization": f"{part({})}.{part('[' * 9000)}.x"})
@example({"authorization": "\ud800.\ud800.\ud800"})
@example({"authorization": f"{part({'alg': 'RS256', 'kid': 'k'})}.{part({'iss': ISSUER})}.AA"})
@example({"authorization": "x" * (AUTHORIZATION_CHARACTERS + 1)})
@example(
    {"authorization": "AWS4-HMAC-SHA256 Credential=local/a/b/appsync/aws4_request,SignedHeaders=host,Signature=\ud800"}
)
def test_malformed_credentials_are_refused_without_an_exception(subject: ApiUnderTest, headers: dict[str, str]) -> None:
    refusal = subject.refusal(headers)
    assert refusal is not None
    assert refusal.status in (401, 500)
    assert refusal.status != 500 or "cannot be fetched" in refusal.reason
