"""AWS clients: created once per process, on first use, with timeouts and retries.

botocore is used directly: importing boto3 as well would make a function's start slower without benefit.
"""

from __future__ import annotations

import importlib
import importlib.util
import random
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config

CONNECT_SECONDS = 1
READ_SECONDS = 2
ATTEMPTS = 3
"""botocore's standard mode: throttling, 5xx, timeouts and lost connections are retried, with jitter."""
CONNECTIONS = 32
_SNAPSTART_HOOKS = "snapshot_restore_py"


@cache
def session() -> botocore.session.Session:
    """Return the process's session, with region and credentials from the environment."""
    _reseed_after_restore()
    return botocore.session.Session()


def _reseed_after_restore() -> None:
    """Let every environment that SnapStart restores have its own random numbers: botocore's retries pause at random.

    The module is part of Lambda's Python runtimes only (AWS Lambda: runtime hooks for SnapStart).
    """
    if importlib.util.find_spec(_SNAPSTART_HOOKS) is not None:
        importlib.import_module(_SNAPSTART_HOOKS).register_after_restore(random.seed)


@cache
def client(service: str, region: str | None = None) -> Any:
    """Return the process's client of a service, for example `dynamodb` or `sqs`.

    `AWS_ENDPOINT_URL` replaces the address of the service, as in every AWS SDK.

    Args:
        service: botocore's name of the service.
        region: the region of the service; None for the region of the function.
    """
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=CONNECTIONS,
        tcp_keepalive=True,
        parameter_validation=False,
    )
    return session().create_client(service, region_name=region, config=config)
