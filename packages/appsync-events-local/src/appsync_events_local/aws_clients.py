"""How this service calls AWS's APIs, wherever they are: signed, with short timeouts and few attempts."""

from dataclasses import dataclass
from typing import Any, Final

import botocore.session
from botocore.config import Config

from appsync_events_local.local_identity import LOCAL_ACCESS_KEY_ID, LOCAL_SECRET_ACCESS_KEY

CONNECT_SECONDS: Final = 2


@dataclass(frozen=True)
class Credentials:
    """AWS credentials with which calls are signed."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


LOCAL_CREDENTIALS: Final = Credentials(LOCAL_ACCESS_KEY_ID, LOCAL_SECRET_ACCESS_KEY)
"""What this service and the functions it runs sign their calls with: emulators take any letters and digits, and the
service itself takes these from a caller where no others are given."""


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
    """A botocore client.

    Args:
        service: as botocore names it.
        region: AWS region.
        endpoint_url: address of the service; `None` is AWS's own.
        credentials: with which calls are signed.
        connections: that may be open at once.
        read_seconds: longest wait for a part of an answer, in seconds.
        attempts: of one call, the first included.
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
