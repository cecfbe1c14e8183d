"""Reads credentials from HTTP headers, from the `header-...` subprotocol, or from a frame's `authorization`.

Names are compared case-insensitively, because clients differ.
Source: AppSync Events: "Understanding the Event API WebSocket protocol".
"""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from appsync_events_local import assumptions
from appsync_events_local.errors import bad_request, unauthorized
from appsync_events_local.strict_json import parse

HEADER_SUBPROTOCOL: Final = "header-"
SIGNATURE_ALGORITHM: Final = "AWS4-HMAC-SHA256"
API_KEY_HEADER: Final = "x-api-key"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials of a caller, and what a signature among them must cover.

    Attributes:
        headers: by lower-case name.
        source_ip: the caller's address.
        paths: URL paths that a signature may cover; one of them must match.
        signed: what a signature covers: a request's body, or the JSON object that represents a frame.
        query: the raw query string.
        hosts: allowed values of the `host` header; `None` where the host has already selected the API.
        host_required: whether the credentials must contain their host.
        method: method of the HTTP request that a signature covers.
    """

    headers: Mapping[str, str]
    source_ip: str
    paths: tuple[str, ...]
    signed: bytes | Mapping[str, Any]
    query: str = ""
    hosts: frozenset[str] | None = None
    host_required: bool = False
    method: str = "POST"

    def bodies(self) -> tuple[bytes, ...]:
        """Return the byte strings that a signature may cover; one of them must match."""
        if isinstance(self.signed, bytes):
            return (self.signed,)
        texts = (
            json.dumps(self.signed, separators=(",", ":"), ensure_ascii=escape)
            for escape in assumptions.SIGV4_BODIES.value
        )
        return tuple(dict.fromkeys(text.encode("utf-8", "surrogatepass") for text in texts))

    def check_host(self) -> None:
        """Check that the credentials were made for this API.

        Raises:
            Refusal: they name another host, or no host where one is required.
        """
        if self.hosts is None:
            return
        host = self.headers.get("host")
        if host is None and self.host_required:
            raise unauthorized("the credentials name no host")
        if host is not None and host.lower() not in self.hosts:
            raise unauthorized(f"the credentials are for host {host!r}, not for one of {', '.join(sorted(self.hosts))}")


def from_subprotocols(offered: Iterable[str]) -> dict[str, str] | None:
    """Return the connect credentials among the offered subprotocols; `None` if no subprotocol holds any.

    Raises:
        Refusal: the encoding is not base64url of a JSON object of strings.
    """
    for protocol in offered:
        if protocol.startswith(HEADER_SUBPROTOCOL):
            return lower_names(_decoded(protocol.removeprefix(HEADER_SUBPROTOCOL)))
    return None


def lower_names(headers: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers by lower-case name; values that are not strings are left out."""
    return {name.lower(): value.strip() for name, value in headers.items() if isinstance(value, str)}


def _decoded(encoded: str) -> dict[str, Any]:
    try:
        padded = encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4)
        value = parse(base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True))
    except (ValueError, binascii.Error) as error:
        raise bad_request("The header subprotocol is not base64url of a JSON object") from error
    if not isinstance(value, dict):
        raise bad_request("The header subprotocol is not base64url of a JSON object")
    return value
