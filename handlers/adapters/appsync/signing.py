"""Signature version 4 for requests to one address and service.

botocore's signer and request objects use as much processor time as the rest of a publish. Here the canonical request
of an HTTP publish varies only in its body and time, and the key is derived once a day (IAM: create a signed AWS API
request). A test compares every header with botocore's own signer.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Signer:
    """Signs POST requests with a JSON body to one host and path.

    Args:
        host: as in the `host` header, with the port unless it is the scheme's default.
        path: path of the address, without characters that need escaping.
        region, service: of the credential scope.
    """

    def __init__(self, host: str, path: str, region: str, service: str) -> None:
        self._host = host
        self._path = path
        self._scope = f"{region}/{service}/aws4_request"
        self._parts = (region, service, "aws4_request")
        self._derived: tuple[str, str, bytes] = ("", "", b"")

    def headers(self, body: bytes, credentials: Any, time: str) -> dict[str, str]:
        """Return the headers of a request.

        Args:
            body: the exact bytes of the body.
            credentials: botocore's frozen credentials: access key, secret key, and token if they are temporary.
            time: the present time, as `YYYYMMDDTHHMMSSZ` in UTC.

        Returns:
            Every header of the request except content-length.
        """
        headers = {"content-type": "application/json", "host": self._host, "x-amz-date": time}
        if credentials.token:
            headers["x-amz-security-token"] = credentials.token
        names = ";".join(headers)
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        canonical = f"POST\n{self._path}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{time[:8]}/{self._scope}"
        to_sign = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = _hmac(self._key(credentials.secret_key, time[:8]), to_sign).hex()
        credential = f"{credentials.access_key}/{scope}"
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
        )
        return headers

    def _key(self, secret: str, day: str) -> bytes:
        if self._derived[:2] != (secret, day):
            key = _hmac(f"AWS4{secret}".encode(), day)
            for part in self._parts:
                key = _hmac(key, part)
            self._derived = (secret, day, key)
        return self._derived[2]
