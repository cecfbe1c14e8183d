"""Makes the credentials that a step presents."""

from __future__ import annotations

from dataclasses import dataclass, field

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningKeys
from conformance_suite.table import Credentials

WRONG_KEY = "da2-00000000000000000000000000"


@dataclass(frozen=True)
class ApiAccess:
    """Good credentials of one API, from which the wrong ones are derived.

    Attributes:
        url: the publish address, which signatures cover.
        host: the API's HTTP host.
        key: a good API key.
        signing_keys: an access key whose signatures the API accepts.
        region: the API's region.
    """

    url: str
    host: str
    key: str = field(repr=False)
    signing_keys: SigningKeys = field(repr=False)
    region: str


def credential_headers(access: ApiAccess, by: Credentials, signed: str) -> dict[str, str]:
    """The credentials as headers; `signed` is the text that a signature covers."""
    host = {"host": access.host}
    match by:
        case Credentials.API_KEY:
            return host | {"x-api-key": access.key}
        case Credentials.WRONG_API_KEY:
            return host | {"x-api-key": WRONG_KEY}
        case Credentials.API_KEY_WITHOUT_HOST:
            return {"x-api-key": access.key}
        case Credentials.API_KEY_FOR_OTHER_HOST:
            return {"host": "elsewhere.example", "x-api-key": access.key}
        case Credentials.API_KEY_IN_UPPER_CASE:
            return host | {"X-API-KEY": access.key}
        case Credentials.NONE:
            return host
        case Credentials.SIGNATURE:
            return _signature(access, signed)
        case Credentials.SIGNATURE_OF_OTHER_TEXT:
            return _signature(access, '{"channel":"/something/else"}')


def _signature(access: ApiAccess, text: str) -> dict[str, str]:
    """The headers of a POST of `text`, as clients sign frames (AppSync Events: WebSocket protocol, IAM)."""
    headers = {
        "accept": "application/json, text/javascript",
        "content-encoding": "amz-1.0",
        "content-type": "application/json; charset=UTF-8",
        "host": access.host,
    }
    request = AWSRequest("POST", access.url, data=text.encode(), headers=headers)
    SigV4Auth(access.signing_keys, "appsync", access.region).add_auth(request)
    return dict(request.headers.items())
