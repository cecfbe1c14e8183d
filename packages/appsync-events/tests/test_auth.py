"""Credentials have the documented headers; missing credentials raise the documented errors."""

from __future__ import annotations

import json
from collections.abc import Mapping

import aiohttp
import pytest
from appsync_events import (
    ApiKey,
    Auth,
    Backoff,
    CredentialsError,
    EndpointError,
    EventsClient,
    Iam,
    LambdaToken,
    NoCredentialsError,
    OidcToken,
    Operation,
    UserPoolToken,
)
from appsync_events._endpoint import Endpoint
from appsync_events._operations import http_operation, socket_operation
from botocore.credentials import Credentials
from botocore.exceptions import CredentialRetrievalError
from events_harness.server import EventServer

AWS = Endpoint.parse("abcdefghijklmnopqrstuvwxyz.appsync-api.eu-west-1.amazonaws.com")
SUBSCRIBE = socket_operation(AWS, '{"channel":"/a/*"}')
QUICK = Backoff(base=0.01, cap=0.02)


async def test_api_key_is_a_header_and_not_in_the_repr() -> None:
    assert await ApiKey("da2-x").authorize(SUBSCRIBE) == {"x-api-key": "da2-x"}
    assert "da2-x" not in repr(ApiKey("da2-x"))


@pytest.mark.parametrize("mode", [UserPoolToken, OidcToken, LambdaToken])
async def test_token_is_sent_unchanged_and_callback_gets_the_rejected_one(
    mode: type[UserPoolToken | OidcToken | LambdaToken],
) -> None:
    assert await mode("t").authorize(SUBSCRIBE) == {"Authorization": "t"}
    assert await mode(lambda refused: f"after {refused}").authorize(SUBSCRIBE) == {"Authorization": "after None"}
    renewed = await mode(lambda refused: f"after {refused}").authorize(SUBSCRIBE, refused={"Authorization": "t"})
    assert renewed == {"Authorization": "after t"}


async def test_error_of_a_token_callback_is_in_the_message() -> None:
    def broken(refused: str | None) -> str:
        raise OSError("the vault is closed")

    with pytest.raises(CredentialsError, match="the vault is closed") as raised:
        await UserPoolToken(broken).authorize(SUBSCRIBE)
    assert not isinstance(raised.value, NoCredentialsError)


async def test_signature_for_the_socket_has_exactly_the_documented_headers() -> None:
    headers = await Iam.from_keys("AKIDEXAMPLE", "secret", "session").authorize(SUBSCRIBE)
    assert set(headers) == {
        "accept", "content-encoding", "content-type", "x-amz-date", "X-Amz-Security-Token", "Authorization",
    }  # fmt: skip
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-west-1/appsync/aws4_request, " in headers["Authorization"]
    assert (
        "SignedHeaders=accept;content-encoding;content-type;host;x-amz-date;x-amz-security-token"
        in (headers["Authorization"])
    )


async def test_signature_for_http_covers_only_the_headers_of_a_publish() -> None:
    headers = await Iam.from_keys("AKIDEXAMPLE", "secret").authorize(http_operation(AWS, "{}"))
    assert set(headers) == {"content-type", "x-amz-date", "Authorization"}


async def test_iam_needs_a_region_if_the_host_contains_none() -> None:
    operation = socket_operation(Endpoint.parse("https://events.example.com"), "{}")
    with pytest.raises(EndpointError, match=r"Iam\(region=…\)"):
        await Iam.from_keys("a", "b").authorize(operation)
    signed = await Iam.from_keys("a", "b", region="eu-north-1").authorize(operation)
    assert "/eu-north-1/appsync/" in signed["Authorization"]


async def test_iam_uses_the_default_credential_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert "Credential=AKIDENVIRONMENT/" in (await Iam().authorize(SUBSCRIBE))["Authorization"]


async def test_iam_without_credentials_names_the_places_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(NoCredentialsError, match="environment, profile, container or instance"):
        await Iam().authorize(SUBSCRIBE)


async def test_failed_renewal_of_aws_credentials_is_a_transient_error() -> None:
    class Broken(Credentials):
        def get_frozen_credentials(self) -> None:
            raise CredentialRetrievalError(provider="tests", error_msg="try later")

    with pytest.raises(CredentialsError, match="try later") as raised:
        await Iam(Broken("a", "b")).authorize(SUBSCRIBE)
    assert not isinstance(raised.value, NoCredentialsError)


async def test_application_may_implement_its_own_auth(events: EventServer, http: aiohttp.ClientSession) -> None:
    class Own:
        async def authorize(self, operation: Operation, *, refused: Mapping[str, str] | None = None) -> dict[str, str]:
            return {"Authorization": f"over {operation.body}"}

    own: Auth = Own()
    async with EventsClient(events.endpoint, own, http=http, backoff=QUICK) as client:
        await client.subscribe("/a/b", print)
        await client.publish("/a/b", [1])
    [connection] = events.connections
    over = [connection.authorization, *(frame["authorization"] for frame in connection.frames[1:3])]
    assert [json.loads(each["Authorization"].removeprefix("over ")) for each in over] == [
        {},
        {"channel": "/a/b"},
        {"channel": "/a/b", "events": ["1"]},
    ]


async def test_rejected_api_key_is_not_retried(events: EventServer, http: aiohttp.ClientSession) -> None:
    events.on_publish = lambda frame: {
        "type": "publish_error", "id": frame["id"], "errors": [{"errorType": "UnauthorizedException"}],
    }  # fmt: skip
    async with EventsClient(events.endpoint, ApiKey("k"), http=http, backoff=QUICK) as client:
        with pytest.raises(Exception, match="UnauthorizedException"):
            await client.publish("/a/b", [1])
    assert [frame["type"] for frame in events.connections[0].frames] == ["connection_init", "publish"]
