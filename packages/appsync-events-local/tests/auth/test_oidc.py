"""OpenID Connect: every documented algorithm, the limits of tokens, and wrong documents of an issuer."""

import base64
import hmac
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from appsync_events_local.auth.identity import oidc_identity
from appsync_events_local.auth.tokens.documents import DocumentReader
from appsync_events_local.auth.tokens.key_locations import KeyLocator
from appsync_events_local.auth.tokens.key_sets import KeySetCache
from appsync_events_local.auth.tokens.verifier import TokenVerifier
from appsync_events_local.errors import Refusal
from appsync_events_local.model.auth_providers import CognitoProvider, OidcProvider
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from service_harness.issuers import SECRET, Issuer

ALGORITHMS = [f"{kind}{size}" for kind in ("RS", "PS", "ES", "HS") for size in (256, 384, 512)]


@pytest.fixture
async def issuer(signing_key: rsa.RSAPrivateKey) -> AsyncIterator[Issuer]:
    async with Issuer(signing_key).served() as issuer:
        yield issuer


@pytest.fixture
async def documents() -> AsyncIterator[DocumentReader]:
    async with aiohttp.ClientSession() as session:
        yield DocumentReader(lambda: session)


@pytest.fixture
def verifier(documents: DocumentReader) -> TokenVerifier:
    return TokenVerifier(KeySetCache(documents, KeyLocator(documents), time.monotonic), time.time)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_every_documented_algorithm_is_verified(issuer: Issuer, verifier: TokenVerifier, algorithm: str) -> None:
    token = issuer.token(algorithm)
    claims = await verifier.verify(token, [OidcProvider(issuer.url)])
    assert oidc_identity(claims) == {"sub": "user-7", "issuer": issuer.url, "claims": claims}
    head, body, signature = token.split(".")
    changed = ("A" if signature[0] != "A" else "B") + signature[1:]
    with pytest.raises(Refusal, match="Signature verification failed"):
        await verifier.verify(f"{head}.{body}.{changed}", [OidcProvider(issuer.url)])


def signed_with_text(text: bytes, claims: dict[str, Any]) -> str:
    """A token whose HMAC key is a publicly known text."""

    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    signed = ".".join(part(json.dumps(of).encode()) for of in ({"alg": "HS256", "kid": "rsa"}, claims))
    return f"{signed}.{part(hmac.digest(text, signed.encode(), 'sha256'))}"


async def test_public_key_is_not_accepted_as_an_hmac_secret(issuer: Issuer, verifier: TokenVerifier) -> None:
    public = issuer.rsa_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with pytest.raises(Refusal, match="no key 'rsa' for HS256"):
        await verifier.verify(signed_with_text(public, issuer.claims()), [OidcProvider(issuer.url)])


async def test_key_verifies_only_the_algorithm_that_it_names(
    issuer: Issuer, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = {"keys": [entry | {"alg": "PS256"} for entry in issuer.key_set()["keys"] if entry["kid"] == "rsa"]}
    monkeypatch.setattr(issuer, "key_set", lambda: named)
    await verifier.verify(issuer.token("PS256"), [OidcProvider(issuer.url)])
    with pytest.raises(Refusal, match="no key 'rsa' for RS256"):
        await verifier.verify(issuer.token("RS256"), [OidcProvider(issuer.url)])


NOW = int(time.time())
BAD_CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "expired": ({"exp": NOW - 60}, "expired"),
    "no expiry": ({"exp": ...}, "exp"),
    "no subject": ({"sub": ...}, "sub"),
    "issued in the future": ({"iat": NOW + 600}, "not yet valid"),
    "another audience": ({"aud": "other"}, "neither aud 'other' nor azp None matches"),
    "a longer audience": ({"aud": "app2"}, "neither aud"),
    "no audience": ({"aud": ...}, "neither aud"),
    "issued too long ago": ({"iat": NOW - 120}, "the API accepts 60000 ms at most"),
    "authenticated too long ago": ({"auth_time": NOW - 700}, "the API accepts 600000 ms at most"),
    "not said when authenticated": ({"auth_time": ...}, "no auth_time"),
    "another issuer": ({"iss": "https://other.test"}, "the API has no provider for issuer"),
    "no issuer": ({"iss": ...}, "the API has no provider for issuer"),
}


@pytest.mark.parametrize(("changes", "reason"), BAD_CLAIMS.values(), ids=BAD_CLAIMS.keys())
async def test_a_token_that_breaks_a_rule_of_its_provider_is_refused(
    issuer: Issuer, verifier: TokenVerifier, changes: dict[str, Any], reason: str
) -> None:
    provider = OidcProvider(issuer.url, "app|web", issued_ttl_ms=60_000, authenticated_ttl_ms=600_000)
    await verifier.verify(issuer.token(), [provider])
    with pytest.raises(Refusal, match=reason):
        await verifier.verify(issuer.token(**changes), [provider])


@pytest.mark.parametrize("changes", [{"aud": ["x", "app"]}, {"aud": "x", "azp": "app"}])
async def test_client_pattern_matches_any_audience_or_the_authorised_party(
    issuer: Issuer, verifier: TokenVerifier, changes: dict[str, Any]
) -> None:
    assert await verifier.verify(issuer.token(**changes), [OidcProvider(issuer.url, "app")])


async def test_cached_token_is_refused_once_it_is_too_old(issuer: Issuer, documents: DocumentReader) -> None:
    ahead = 0.0
    verifier = TokenVerifier(KeySetCache(documents, KeyLocator(documents), time.monotonic), lambda: time.time() + ahead)
    token, provider = issuer.token(), OidcProvider(issuer.url, issued_ttl_ms=60_000)
    await verifier.verify(token, [provider])
    ahead = 70.0
    with pytest.raises(Refusal, match="iat is"):
        await verifier.verify(token, [provider])
    await verifier.verify(token, [OidcProvider(issuer.url)])


async def test_api_can_have_several_providers_of_one_issuer_and_of_other_issuers(
    issuer: Issuer, verifier: TokenVerifier, other_key: rsa.RSAPrivateKey
) -> None:
    async with Issuer(other_key).served() as second:
        providers = [OidcProvider(issuer.url, "app"), OidcProvider(issuer.url, "web"), OidcProvider(second.url)]
        for token in (issuer.token(), issuer.token(aud="web"), second.token(aud="anything")):
            assert await verifier.verify(token, providers)
        with pytest.raises(Refusal, match="matches web"):
            await verifier.verify(issuer.token(aud="anything"), providers)
        with pytest.raises(Refusal, match="Signature verification failed"):
            await verifier.verify(second.token(iss=issuer.url), providers)


async def test_trailing_slash_is_ignored_in_the_configured_issuer_but_not_in_the_token(
    issuer: Issuer, verifier: TokenVerifier
) -> None:
    await verifier.verify(issuer.token(), [OidcProvider(issuer.url + "/")])
    with pytest.raises(Refusal, match="Invalid issuer"):
        await verifier.verify(issuer.token(iss=issuer.url + "/"), [OidcProvider(issuer.url)])


BAD_DISCOVERY: dict[str, tuple[dict[str, Any], str]] = {
    "issuer": ({"issuer": "https://other.test"}, "is of issuer 'https://other.test'"),
    "no address": ({"jwks_uri": None}, "names no jwks_uri"),
    "a file": ({"jwks_uri": "file:///etc/passwd"}, "names no jwks_uri"),
    "a path": ({"jwks_uri": "/etc/passwd"}, "names no jwks_uri"),
    "unreachable": ({"jwks_uri": "http://127.0.0.1:1/keys"}, "cannot be fetched"),
}


@pytest.mark.parametrize(("discovery", "reason"), BAD_DISCOVERY.values(), ids=BAD_DISCOVERY.keys())
async def test_wrong_document_of_an_issuer_is_a_server_error_until_it_is_corrected(
    issuer: Issuer, verifier: TokenVerifier, discovery: dict[str, Any], reason: str
) -> None:
    issuer.discovery = discovery
    with pytest.raises(Refusal, match=reason) as caught:
        await verifier.verify(issuer.token(), [OidcProvider(issuer.url)])
    assert caught.value.status == 500
    issuer.discovery = {}
    assert await verifier.verify(issuer.token(), [OidcProvider(issuer.url)])


async def test_keys_can_be_read_from_files(issuer: Issuer, documents: DocumentReader, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(issuer.key_set()))
    places = KeyLocator(documents, None, {issuer.url: str(file), "us-east-1_Pool": str(file)})
    verifier = TokenVerifier(KeySetCache(documents, places, time.monotonic), time.time)
    await verifier.verify(issuer.token(), [OidcProvider(issuer.url)])
    pool = CognitoProvider("us-east-1_Pool", "us-east-1")
    await verifier.verify(issuer.token(iss=pool.issuer, token_use="id"), [pool])
    assert issuer.fetches == 0
    file.unlink()
    fresh = TokenVerifier(KeySetCache(documents, places, time.monotonic), time.time)
    with pytest.raises(Refusal, match=f"cannot be fetched from {file}"):
        await fresh.verify(issuer.token(), [OidcProvider(issuer.url)])


@pytest.mark.parametrize(
    ("endpoint", "region", "place"),
    [
        (None, "eu-west-1", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_P/.well-known/jwks.json"),
        (None, "cn-north-1", "https://cognito-idp.cn-north-1.amazonaws.com.cn/eu-west-1_P/.well-known/jwks.json"),
        ("http://127.0.0.1:9/", "eu-west-1", "http://127.0.0.1:9/eu-west-1_P/.well-known/jwks.json"),
    ],
)
async def test_user_pool_keys_come_from_aws_unless_an_endpoint_is_configured(
    documents: DocumentReader, endpoint: str | None, region: str, place: str
) -> None:
    found = await KeyLocator(documents, endpoint).find(CognitoProvider("eu-west-1_P", region))
    assert found.location == place


async def test_published_symmetric_key_is_logged_as_a_warning(
    issuer: Issuer, verifier: TokenVerifier, caplog: pytest.LogCaptureFixture
) -> None:
    await verifier.verify(issuer.token("HS256"), [OidcProvider(issuer.url)])
    assert "publishes a symmetric key" in caplog.text
    assert SECRET not in caplog.text
