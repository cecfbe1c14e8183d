"""botocore clients for AWS APIs or an emulator of them: signed calls, short timeouts, few attempts."""

from dataclasses import dataclass
from typing import Any, Final

import botocore.session
from botocore.config import Config

from appsync_events_local.local_identity import LOCAL_ACCESS_KEY_ID, LOCAL_SECRET_ACCESS_KEY

CONNECT_SECONDS: Final = 2


@dataclass(frozen=True)
class Credentials:
    """AWS credentials that calls are signed with."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


LOCAL_CREDENTIALS: Final = Credentials(LOCAL_ACCESS_KEY_ID, LOCAL_SECRET_ACCESS_KEY)
"""Credentials of this service and of the functions that it runs. Emulators accept any credentials; this service accepts
these when it has no credentials file."""


def aws_client(
    service: str,
    *,
    region: str,
    endpoint_url: str | None,
    credentials: Credentials,
    connections: int,
    read_seconds: float,
    attempts: int,
) -> Any:
    """Create a botocore client.

    Args:
        service: botocore's name of the service.
        region: AWS region.
        endpoint_url: address of the service; `None` is AWS's own.
        credentials: used to sign calls.
        connections: how many may be open at once.
        read_seconds: longest wait for a part of a response, in seconds.
        attempts: attempts per call, including the first.
    """
    return botocore.session.Session().create_client(
        service,
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=read_seconds,
            retries={"total_max_attempts": attempts, "mode": "standard"},
            max_pool_connections=connections,
        ),
    )
