"""Verifies AWS signatures, version 4 (AWS general reference: "Create a signed AWS API request").

An HTTP request is signed as it is. A frame of a socket is signed as the equivalent POST to the HTTP endpoint; its
headers are the frame's `authorization` object.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from appsync_events_local.auth.credentials import SIGNATURE_ALGORITHM, Credentials
from appsync_events_local.auth.iam.signers import Signer, Signers
from appsync_events_local.auth.identity import iam_identity
from appsync_events_local.errors import unauthorized
from appsync_events_local.limits import SIGNATURE_SKEW_SECONDS

SERVICE: Final = "appsync"
REQUIRED_SIGNED_HEADERS: Final = frozenset({"host"})
"""Not x-amz-date: the time is part of every signature anyway, and clients that AWS accepts do not sign that header."""
_FIELD: Final = re.compile(r"(\w+)=([^,\s]+)")
_TIME_FORMAT: Final = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class _Signature:
    key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


class SignatureVerifier:
    """Verifies signatures.

    Args:
        signers: the known access keys.
        clock: seconds since the epoch.
    """

    def __init__(self, signers: Signers, clock: Callable[[], float]) -> None:
        self._signers = signers
        self._clock = clock

    def identify(self, credentials: Credentials, region: str, account_id: str) -> dict[str, Any]:
        """Return `ctx.identity` of the signer.

        Args:
            credentials: headers and what they must cover.
            region: region of the API; signatures for another region are refused.
            account_id: account of the API; signers of another account are refused.

        Raises:
            Refusal: the signature is not valid; the reason says why.
        """
        signer = self.signer(credentials, region)
        if signer.account_id != account_id:
            raise unauthorized(f"{signer.arn} belongs to another account than the API")
        return iam_identity(signer, credentials.source_ip)

    def signer(self, credentials: Credentials, region: str | None = None) -> Signer:
        """Return the signer.

        Args:
            credentials: headers and what they must cover.
            region: signatures for another region are refused; `None` accepts any.

        Raises:
            Refusal: the signature is not valid; the reason says why.
        """
        headers = credentials.headers
        if not headers.get("authorization", "").startswith(SIGNATURE_ALGORITHM):
            raise unauthorized("the request is not signed")
        signature = _parsed(headers["authorization"])
        _check_scope(signature, region)
        _check_headers(signature, headers)
        self._check_time(signature, headers.get("x-amz-date", ""))
        signer = self._known(signature, headers)
        bodies = credentials.bodies()
        _check_content_hash(headers, bodies)
        if not _matches(signature, signer, credentials, bodies):
            raise unauthorized(f"the signature of {signature.key_id} does not match the request")
        return signer

    def _check_time(self, signature: _Signature, date: str) -> None:
        try:
            signed_at = datetime.strptime(date, _TIME_FORMAT).replace(tzinfo=UTC).timestamp()
        except ValueError:
            raise unauthorized(f"x-amz-date {date!r} is not of the form YYYYMMDDTHHMMSSZ") from None
        if not date.startswith(signature.date):
            raise unauthorized("x-amz-date and the credential scope name different days")
        off = self._clock() - signed_at
        if abs(off) > SIGNATURE_SKEW_SECONDS:
            raise unauthorized(f"signed {off:.0f} s ago; at most {SIGNATURE_SKEW_SECONDS} s are allowed")

    def _known(self, signature: _Signature, headers: Mapping[str, str]) -> Signer:
        signer = self._signers.find(signature.key_id)
        if signer is None:
            raise unauthorized(f"unknown access key {signature.key_id}")
        presented = headers.get("x-amz-security-token", "")
        if not _equal(presented, signer.session_token or ""):
            raise unauthorized(f"wrong or missing session token of {signature.key_id}")
        return signer


def signed_region(credentials: Credentials) -> str:
    """Return the region of a signature that `SignatureVerifier.signer` has accepted."""
    return _parsed(credentials.headers["authorization"]).region


def _parsed(authorization: str) -> _Signature:
    fields = dict(_FIELD.findall(authorization.removeprefix(SIGNATURE_ALGORITHM)))
    scope = fields.get("Credential", "").rsplit("/", 4)
    signed_headers, signature = fields.get("SignedHeaders"), fields.get("Signature")
    if len(scope) != 5 or scope[4] != "aws4_request" or not signed_headers or not signature:
        raise unauthorized("the authorization header is not a complete AWS4-HMAC-SHA256 signature")
    return _Signature(scope[0], scope[1], scope[2], scope[3], tuple(signed_headers.split(";")), signature)


def _check_scope(signature: _Signature, region: str | None) -> None:
    if signature.service != SERVICE:
        raise unauthorized(f"signed for service {signature.service}, not {SERVICE}")
    if region is not None and signature.region != region:
        raise unauthorized(f"signed for region {signature.region}, not {region}")


def _check_headers(signature: _Signature, headers: Mapping[str, str]) -> None:
    unsigned = REQUIRED_SIGNED_HEADERS - set(signature.signed_headers)
    if unsigned:
        raise unauthorized(f"not covered by the signature: {', '.join(sorted(unsigned))}")
    missing = [name for name in signature.signed_headers if name not in headers]
    if missing:
        raise unauthorized(f"signed but not sent: {', '.join(missing)}")
    if list(signature.signed_headers) != sorted(set(signature.signed_headers)):
        raise unauthorized("SignedHeaders are not sorted and distinct")


def _check_content_hash(headers: Mapping[str, str], bodies: tuple[bytes, ...]) -> None:
    claimed = headers.get("x-amz-content-sha256")
    if claimed is not None and claimed not in {hashlib.sha256(body).hexdigest() for body in bodies}:
        raise unauthorized("x-amz-content-sha256 is not the hash of the body")


def _matches(signature: _Signature, signer: Signer, credentials: Credentials, bodies: tuple[bytes, ...]) -> bool:
    key = _signing_key(signer.secret, signature.date, signature.region)
    return any(
        _equal(_signature_of(key, signature, credentials, path, body), signature.signature)
        for body in bodies
        for path in credentials.paths
    )


def _signature_of(key: bytes, signature: _Signature, credentials: Credentials, path: str, body: bytes) -> str:
    headers = credentials.headers
    canonical = "\n".join(
        (
            credentials.method,
            quote(path, safe="/-_.~"),
            _canonical_query(credentials.query),
            *(f"{name}:{' '.join(headers[name].split())}" for name in signature.signed_headers),
            "",
            ";".join(signature.signed_headers),
            hashlib.sha256(body).hexdigest(),
        )
    )
    to_sign = "\n".join(
        (
            SIGNATURE_ALGORITHM,
            headers["x-amz-date"],
            signature.scope,
            hashlib.sha256(canonical.encode("utf-8", "replace")).hexdigest(),
        )
    )
    return hmac.new(key, to_sign.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _canonical_query(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    return "&".join(sorted(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs))


@lru_cache(maxsize=256)
def _signing_key(secret: str, date: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, SERVICE, "aws4_request"):
        key = hmac.new(key, part.encode("utf-8", "replace"), hashlib.sha256).digest()
    return key


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))
