"""The HTTP data source: executes `{method, resourcePath, params: {query, headers, body}}` against one endpoint.

Redirects are not followed; a response of any status is a result and not an error.
Source: "AppSync Events: JavaScript function reference for HTTP".
"""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import quote_plus

import aiohttp
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningCredentials
from yarl import URL

from appsync_events_local import assumptions
from appsync_events_local.aws_clients import CONNECT_SECONDS, Credentials
from appsync_events_local.model.data_sources import HttpModel, HttpSigning
from appsync_events_local.sources.data_source import DataSourceError
from appsync_events_local.sources.deadline import deadline

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
CONTENT_TYPES: Final = (
    "text/",
    "application/xml",
    "application/json",
    "application/soap+xml",
    "application/x-amz-json-1.0",
    "application/x-amz-json-1.1",
    "application/vnd.api+json",
    "application/x-ndjson",
)
NOT_SET: Final = frozenset({"host", "connection", "user-agent", "expect", "transfer-encoding", "content-length"})
"""Headers that a handler cannot set; they are removed, so that a handler can pass on a copy of the caller's headers."""

VALIDATION: Final = "Http:ValidationException"


class HttpDataSource:
    """An `HTTP` data source.

    Args:
        model: its endpoint, and the signing of its requests.
        credentials: used to sign requests, if they are signed.
    """

    def __init__(self, model: HttpModel, credentials: Credentials) -> None:
        self._model = model
        self._credentials = credentials
        self._session: aiohttp.ClientSession | None = None

    async def execute(self, request: dict[str, Any]) -> Any:
        """Send one request.

        Returns:
            `{statusCode, headers, body}`, the body as text.

        Raises:
            DataSourceError: the request is malformed, the server cannot be reached, or its response is too large or
                late.
        """
        method = request.get("method")
        if method not in METHODS:
            raise DataSourceError(VALIDATION, f"method {method!r} is not one of {', '.join(METHODS)}")
        params = _object(request.get("params"), "params")
        url = self._url(request.get("resourcePath"), _object(params.get("query"), "params.query"))
        body = _body(params.get("body"))
        headers = _headers(_object(params.get("headers"), "params.headers"), body)
        if self._model.signing is not None:
            headers = _signed(self._model.signing, self._credentials, method, str(url), headers, body)
        async with deadline("Http"):
            return await self._send(method, url, headers, body)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _url(self, path: Any, query: dict[str, Any]) -> URL:
        if not isinstance(path, str) or not path.startswith("/"):
            raise DataSourceError(VALIDATION, f"resourcePath must be text that begins with '/', not {path!r}")
        pairs = [
            f"{quote_plus(_sendable(name))}={quote_plus(text)}"
            for name, value in query.items()
            for text in _texts(value)
        ]
        mark = "&" if "?" in path else "?"
        # The path is sent as the handler wrote it; only characters that are not allowed in a URL are encoded.
        address = self._model.endpoint.rstrip("/") + _sendable(path) + (mark + "&".join(pairs) if pairs else "")
        return URL(str(URL(address)), encoded=True)

    async def _send(self, method: str, url: URL, headers: dict[str, str], body: bytes | None) -> Any:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        try:
            async with self._session.request(
                method, url, headers=headers, data=body, allow_redirects=False, skip_auto_headers=["Content-Type"]
            ) as answer:
                content = await _read(answer)
                text = content.decode(answer.charset or "utf-8", "replace")
                return {"statusCode": answer.status, "headers": _joined(answer), "body": text}
        except (aiohttp.ClientError, LookupError, OSError) as error:
            text = f"{self._model.endpoint} could not be reached: {error or type(error).__name__}"
            raise DataSourceError("Http:ConnectionException", text) from error


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    limit = assumptions.HTTP_RESPONSE_BYTES.value
    content = b""
    async for part in answer.content.iter_any():
        content += part
        if len(content) > limit:
            raise DataSourceError("Http:ResponseTooLarge", f"the response has more than {limit} bytes")
    return content


def _joined(answer: aiohttp.ClientResponse) -> dict[str, str]:
    names = dict.fromkeys(name.lower() for name in answer.headers)
    return {name: ", ".join(answer.headers.getall(name)) for name in names}


def _object(value: Any, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise DataSourceError(VALIDATION, f"{name} must be an object")
    return value


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [_sendable(value) if isinstance(value, str) else json.dumps(value)]


def _sendable(text: str) -> str:
    """Return the text with lone surrogates, which UTF-8 cannot encode, replaced."""
    return text.encode("utf-8", "replace").decode()


def _body(body: Any) -> bytes | None:
    if body is None:
        return None
    return (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)).encode("utf-8", "replace")


def _headers(given: dict[str, Any], body: bytes | None) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in given.items():
        if name.lower() in NOT_SET or value is None:
            continue
        text = ", ".join(_texts(value))
        if any(char in name + text for char in "\r\n\0"):
            raise DataSourceError(VALIDATION, f"the header {name!r} contains a line break")
        headers[_sendable(name)] = text
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), None)
    if kind is not None and not kind.lower().startswith(CONTENT_TYPES):
        raise DataSourceError(VALIDATION, f"Content-Type {kind!r} is not allowed for HTTP data sources")
    if kind is None and body is not None:
        headers["Content-Type"] = "application/json"
    return headers


def _signed(
    signing: HttpSigning, credentials: Credentials, method: str, url: str, headers: dict[str, str], body: bytes | None
) -> dict[str, str]:
    request = AWSRequest(method, url, data=body or b"", headers=headers)
    keys = SigningCredentials(credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
    SigV4Auth(keys, signing.service, signing.region).add_auth(request)
    return dict(request.headers.items())
