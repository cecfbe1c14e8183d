"""Credentials of every kind that a row can ask with."""

from __future__ import annotations

from dataclasses import dataclass, field

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from conformance_suite.table import As

WRONG_KEY = "da2-00000000000000000000000000"


@dataclass(frozen=True)
class Signers:
    """What is needed to make credentials for one API.

    Attributes:
        url: the publish address, which signatures cover.
        host: the API's HTTP host.
        key: a good API key.
        aws: somebody who may sign.
        region: of the API.
    """

    url: str
    host: str
    key: str = field(repr=False)
    aws: Credentials = field(repr=False)
    region: str


def credentials(signers: Signers, by: As, signed: str) -> dict[str, str]:
    """The credentials as headers; `signed` is the text that a signature covers."""
    host = {"host": signers.host}
    match by:
        case As.KEY:
            return host | {"x-api-key": signers.key}
        case As.WRONG_KEY:
            return host | {"x-api-key": WRONG_KEY}
        case As.KEY_WITHOUT_HOST:
            return {"x-api-key": signers.key}
        case As.KEY_FOR_ANOTHER_HOST:
            return {"host": "elsewhere.example", "x-api-key": signers.key}
        case As.KEY_IN_CAPITALS:
            return host | {"X-API-KEY": signers.key}
        case As.NOBODY:
            return host
        case As.SIGNER:
            return _signature(signers, signed)
        case As.SIGNER_OF_SOMETHING_ELSE:
            return _signature(signers, '{"channel":"/something/else"}')


def _signature(signers: Signers, text: str) -> dict[str, str]:
    """The headers of a POST of `text`, as clients sign frames (AppSync Events: WebSocket protocol, IAM)."""
    headers = {
        "accept": "application/json, text/javascript",
        "content-encoding": "amz-1.0",
        "content-type": "application/json; charset=UTF-8",
        "host": signers.host,
    }
    request = AWSRequest("POST", signers.url, data=text.encode(), headers=headers)
    SigV4Auth(signers.aws, "appsync", signers.region).add_auth(request)
    return dict(request.headers.items())
