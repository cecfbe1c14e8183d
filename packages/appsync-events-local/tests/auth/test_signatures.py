"""SigV4: signatures of botocore are accepted, and every deviation is refused with its reason."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from appsync_events_local.auth.credentials import Credentials as Presented
from appsync_events_local.auth.credentials import lower_names
from appsync_events_local.auth.iam.signatures import SignatureVerifier
from appsync_events_local.auth.iam.signers import LocalSigner, SignerFile
from appsync_events_local.errors import Refusal
from appsync_events_local.local_identity import LOCAL_ACCESS_KEY_ID, LOCAL_SECRET_ACCESS_KEY
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from service_harness.running import (
    ACCOUNT,
    FOREIGN_SIGNER,
    REGION,
    SESSION_SIGNER,
    SIGNER,
    Running,
    signed_headers,
    signer_file,
)

BODY = b'{"channel":"/open/a","events":["1"]}'
URL = "http://events.test/event"


def presented(headers: dict[str, str], signed: Any = BODY, **changes: Any) -> Presented:
    fields: dict[str, Any] = {"source_ip": "127.0.0.1", "paths": ("/event",), "signed": signed}
    return Presented(lower_names(headers), **(fields | changes))


@pytest.fixture(scope="module")
def signers(tmp_path_factory: pytest.TempPathFactory) -> SignerFile:
    path = tmp_path_factory.mktemp("signers") / "signers.json"
    path.write_text(json.dumps(signer_file()))
    return SignerFile(path)


@pytest.fixture
def verifier(signers: SignerFile) -> SignatureVerifier:
    return SignatureVerifier(signers, time.time)


@pytest.mark.parametrize("credentials", [SIGNER, SESSION_SIGNER])
def test_a_request_signed_by_botocore_is_identified(verifier: SignatureVerifier, credentials: Credentials) -> None:
    identity = verifier.identify(presented(signed_headers(URL, BODY, credentials)), REGION, ACCOUNT)
    assert identity["userArn"] == f"arn:aws:iam::{ACCOUNT}:user/{credentials.access_key}"
    assert identity["accountId"] == ACCOUNT
    assert identity["sourceIp"] == ["127.0.0.1"]
    assert set(identity) == {
        "accountId", "cognitoIdentityPoolId", "cognitoIdentityId", "sourceIp", "username", "userArn",
        "cognitoIdentityAuthType", "cognitoIdentityAuthProvider",
    }  # fmt: skip


def without(name: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda headers: {key: value for key, value in headers.items() if key.lower() != name}


def with_header(name: str, value: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda headers: {**without(name)(headers), name: value}


def in_authorization(old: str, new: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda headers: {**headers, "Authorization": headers["Authorization"].replace(old, new)}


WRONG: dict[str, tuple[Callable[[dict[str, str]], dict[str, str]], str]] = {
    "other host": (with_header("host", "other.test"), "does not match"),
    "host not sent": (without("host"), "signed but not sent: host"),
    "host not signed": (in_authorization("content-type;host;", "content-type;"), "not covered by the signature: host"),
    "date not signed after all": (in_authorization(";x-amz-date", ""), "does not match"),
    "date not sent": (without("x-amz-date"), "signed but not sent: x-amz-date"),
    "date not a date": (with_header("x-amz-date", "today"), "not of the form"),
    "other content type": (with_header("content-type", "text/plain"), "does not match"),
    "unknown key": (in_authorization("AKIDLOCAL", "AKIDOTHER"), "unknown access key"),
    "other service": (in_authorization("/appsync/", "/execute-api/"), "signed for service execute-api"),
    "other region": (in_authorization("us-east-1", "eu-west-1"), "signed for region eu-west-1"),
    "signature changed": (in_authorization("Signature=", "Signature=0"), "does not match"),
    "no signature": (in_authorization("Signature=", "Sig="), "not a complete"),
    "no terminator": (in_authorization("aws4_request", "aws5_request"), "not a complete"),
    "headers out of order": (in_authorization("content-type;host", "host;content-type"), "not sorted"),
    "unexpected session token": (with_header("x-amz-security-token", "t"), "session token"),
    "other body hash": (with_header("x-amz-content-sha256", "0" * 64), "not the hash of the body"),
    "unsigned payload": (with_header("x-amz-content-sha256", "UNSIGNED-PAYLOAD"), "not the hash of the body"),
}


@pytest.mark.parametrize(("corrupt", "reason"), WRONG.values(), ids=WRONG.keys())
def test_wrong_signature_is_refused_with_its_reason(
    verifier: SignatureVerifier, corrupt: Callable[[dict[str, str]], dict[str, str]], reason: str
) -> None:
    headers = corrupt(signed_headers(URL, BODY))
    with pytest.raises(Refusal, match=reason) as caught:
        verifier.identify(presented(headers), REGION, ACCOUNT)
    assert caught.value.message == "You are not authorized to make this call."


class HostSigner(SigV4Auth):
    """Signs only the host header, like an independent client that is tested against AWS."""

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        signed = HTTPHeaders()
        signed["host"] = request.headers["host"]
        return signed


def test_signature_needs_to_cover_no_header_but_the_host(verifier: SignatureVerifier) -> None:
    request = AWSRequest("POST", URL, data=BODY, headers={"host": urlsplit(URL).netloc})
    HostSigner(SIGNER, "appsync", REGION).add_auth(request)
    headers = dict(request.headers.items())
    assert "SignedHeaders=host," in headers["Authorization"]
    verifier.identify(presented(headers), REGION, ACCOUNT)
    with pytest.raises(Refusal, match="not of the form"):
        verifier.identify(presented(without("x-amz-date")(headers)), REGION, ACCOUNT)
    date = headers["X-Amz-Date"]
    other_second = f"{date[:-2]}{'1' if date[-2] == '0' else '0'}Z"
    with pytest.raises(Refusal, match="does not match"):
        verifier.identify(presented(with_header("x-amz-date", other_second)(headers)), REGION, ACCOUNT)


@pytest.mark.parametrize("body", [b"", BODY + b" ", BODY.replace(b"1", b"2")])
def test_a_signature_does_not_cover_another_body(verifier: SignatureVerifier, body: bytes) -> None:
    with pytest.raises(Refusal, match="does not match"):
        verifier.identify(presented(signed_headers(URL, BODY), body), REGION, ACCOUNT)


def test_a_signature_does_not_cover_another_path(verifier: SignatureVerifier) -> None:
    with pytest.raises(Refusal, match="does not match"):
        verifier.identify(presented(signed_headers(URL, BODY), paths=("/other/event",)), REGION, ACCOUNT)


def test_the_query_is_part_of_the_signature(verifier: SignatureVerifier) -> None:
    headers = signed_headers(URL + "?a=1&b=x%20y", BODY)
    verifier.identify(presented(headers, query="b=x%20y&a=1"), REGION, ACCOUNT)
    with pytest.raises(Refusal, match="does not match"):
        verifier.identify(presented(headers, query="a=2&b=x%20y"), REGION, ACCOUNT)


@pytest.mark.parametrize("token", [None, "wrong"])
def test_session_credentials_need_their_session_token(verifier: SignatureVerifier, token: str | None) -> None:
    lacking = Credentials(SESSION_SIGNER.access_key, SESSION_SIGNER.secret_key, token)
    with pytest.raises(Refusal, match="session token"):
        verifier.identify(presented(signed_headers(URL, BODY, lacking)), REGION, ACCOUNT)


def test_a_signer_of_another_account_is_refused(verifier: SignatureVerifier) -> None:
    with pytest.raises(Refusal, match="another account"):
        verifier.identify(presented(signed_headers(URL, BODY, FOREIGN_SIGNER)), REGION, ACCOUNT)


@pytest.mark.parametrize(("off", "good"), [(-301, False), (-295, True), (295, True), (301, False)])
def test_signature_is_valid_for_five_minutes_before_and_after_its_date(
    signers: SignerFile, off: int, good: bool
) -> None:
    verifier = SignatureVerifier(signers, lambda: time.time() + off)
    headers = presented(signed_headers(URL, BODY))
    if good:
        verifier.identify(headers, REGION, ACCOUNT)
    else:
        with pytest.raises(Refusal, match="s ago"):
            verifier.identify(headers, REGION, ACCOUNT)


def test_scope_and_date_of_a_signature_must_name_the_same_day(verifier: SignatureVerifier) -> None:
    headers = signed_headers(URL, BODY)
    day = headers["X-Amz-Date"][:8]
    wrong = {**headers, "Authorization": headers["Authorization"].replace(f"/{day}/", "/20200101/")}
    with pytest.raises(Refusal, match="different days"):
        verifier.identify(presented(wrong), REGION, ACCOUNT)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(), min_size=1, max_size=5), st.booleans())
def test_frame_signature_covers_the_compact_json_with_or_without_escaped_text(
    verifier: SignatureVerifier, events: list[str], escape: bool
) -> None:
    frame = {"channel": "/open/ä", "events": events}
    body = json.dumps(frame, separators=(",", ":"), ensure_ascii=escape).encode()
    verifier.identify(presented(signed_headers(URL, body), frame), REGION, ACCOUNT)
    with pytest.raises(Refusal, match="does not match"):
        verifier.identify(presented(signed_headers(URL, body), {**frame, "channel": "/open/b"}), REGION, ACCOUNT)


async def test_a_signed_publish_is_accepted_over_http(service: Running) -> None:
    headers = signed_headers(service.event_url, BODY)
    status, answer = await service.post_raw(BODY, headers)
    assert (status, len(answer["successful"])) == (200, 1)
    status, _ = await service.post_raw(BODY + b"\n", headers)
    assert status == 401


async def test_signed_frames_are_accepted_over_the_socket(service: Running) -> None:
    def authorization(body: Any) -> dict[str, str]:
        return signed_headers(service.event_url, json.dumps(body, separators=(",", ":")))

    socket = await service.connect(authorization({}))
    channel, events = "/open/a", ['"ü"']
    own = authorization({"channel": channel})
    assert (await socket.ask(type="subscribe", id="1", channel=channel, authorization=own))["type"] == (
        "subscribe_success"
    )
    own = authorization({"channel": channel, "events": events})
    await socket.send(type="publish", id="2", channel=channel, events=events, authorization=own)
    assert {(await socket.receive())["type"], (await socket.receive())["type"]} == {"data", "publish_success"}
    other = await socket.ask(type="publish", id="3", channel=channel, events=['"u"'], authorization=own)
    assert other["errors"][0]["errorType"] == "UnauthorizedException"


def test_signers_are_reloaded_when_their_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "signers.json"
    signers = SignerFile(path)
    assert signers.find("AKIDLOCAL") is None
    path.write_text(json.dumps(signer_file()))
    assert signers.find("AKIDLOCAL") is not None
    path.write_text("{half written")
    assert signers.find("AKIDLOCAL") is not None, "signers loaded before stay valid"
    path.write_text(json.dumps({"NEW": signer_file()["AKIDLOCAL"]}))
    assert signers.find("AKIDLOCAL") is None
    assert signers.find("NEW") is not None


def test_only_the_local_key_is_accepted_without_a_credentials_file() -> None:
    verifier = SignatureVerifier(LocalSigner(ACCOUNT), time.time)
    local = Credentials(LOCAL_ACCESS_KEY_ID, LOCAL_SECRET_ACCESS_KEY)
    identity = verifier.identify(presented(signed_headers(URL, BODY, local)), REGION, ACCOUNT)
    assert identity["userArn"] == f"arn:aws:iam::{ACCOUNT}:user/local"
    for unknown in (SIGNER, Credentials(LOCAL_ACCESS_KEY_ID, "guessed")):
        with pytest.raises(Refusal):
            verifier.identify(presented(signed_headers(URL, BODY, unknown)), REGION, ACCOUNT)


def test_identity_of_a_cognito_signer_has_its_cognito_fields(tmp_path: Path) -> None:
    own = {
        "cognitoIdentityPoolId": "us-east-1:pool",
        "cognitoIdentityId": "us-east-1:identity",
        "cognitoIdentityAuthType": "authenticated",
        "cognitoIdentityAuthProvider": '"cognito-idp.us-east-1.amazonaws.com/pool"',
    }
    path = tmp_path / "signers.json"
    path.write_text(json.dumps({"AKIDLOCAL": signer_file()["AKIDLOCAL"] | own}))
    identity = SignatureVerifier(SignerFile(path), time.time).identify(
        presented(signed_headers(URL, BODY)), REGION, ACCOUNT
    )
    assert own.items() <= identity.items()
