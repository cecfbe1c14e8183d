"""The signer produces the same headers as botocore's signer."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from handlers.adapters.appsync.signing import Signer

TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


def botocore_headers(url: str, body: bytes, credentials: Credentials, at: datetime) -> dict[str, str]:
    request = AWSRequest("POST", url, headers={"content-type": "application/json"}, data=body)
    signer = SigV4Auth(credentials, "appsync", "eu-west-1")
    request.context["timestamp"] = at.strftime("%Y%m%dT%H%M%SZ")
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    if credentials.token:
        request.headers["X-Amz-Security-Token"] = credentials.token
    canonical = signer.canonical_request(request)
    to_sign = signer.string_to_sign(request, canonical)
    signer._inject_signature_to_request(request, signer.signature(to_sign, request))
    return {name.lower(): value for name, value in request.headers.items()}


@pytest.mark.parametrize("host", ["abc.appsync-api.eu-west-1.amazonaws.com", "localhost:4567"])
@given(body=st.binary(max_size=200), access=TEXT, secret=TEXT, token=st.none() | TEXT, at=st.datetimes())
def test_headers_equal_those_of_botocores_signer(
    host: str, body: bytes, access: str, secret: str, token: str | None, at: datetime
) -> None:
    at = at.replace(year=2000 + at.year % 100, tzinfo=UTC)
    credentials = Credentials(access, secret, token)
    signer = Signer(host, "/event", "eu-west-1", "appsync")
    ours = signer.headers(body, credentials, at.strftime("%Y%m%dT%H%M%SZ"))
    theirs = botocore_headers(f"https://{host}/event", body, credentials, at)
    assert ours["authorization"] == theirs["authorization"]
    assert {name: ours.get(name) for name in ("content-type", "x-amz-date", "x-amz-security-token")} == {
        name: theirs.get(name) for name in ("content-type", "x-amz-date", "x-amz-security-token")
    }


def test_signing_key_depends_on_the_day_and_the_secret() -> None:
    signer = Signer("localhost", "/event", "eu-west-1", "appsync")
    seen = {
        signer.headers(b"{}", Credentials("access", secret, None), time)["authorization"]
        for secret in ("one", "two")
        for time in ("20260101T000000Z", "20260102T000000Z")
    }
    assert len(seen) == 4
