"""Requests to AWS with the operator's credentials, and the errors that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import botocore.exceptions
import botocore.session
from botocore.config import Config

from ops.errors import CommandError

_CONFIG: Final = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 3})


def client(service: str, region: str | None = None) -> Any:
    """Create a botocore client of a service; without a region, in the region of the operator's configuration."""
    return botocore.session.get_session().create_client(service, region_name=region, config=_CONFIG)


@contextmanager
def explained_errors() -> Iterator[None]:
    """Turn errors of botocore into errors for operators.

    Raises:
        CommandError: AWS refused a request or did not respond.
    """
    try:
        yield
    except botocore.exceptions.ClientError as error:
        raise CommandError(f"AWS refused the request: {error}. Check the credentials.") from error
    except botocore.exceptions.BotoCoreError as error:
        raise CommandError(f"AWS did not respond: {error}. Check AWS_PROFILE, AWS_REGION and the network.") from error


def caller_account() -> str:
    """Return the account of the operator's credentials (AWS STS: GetCallerIdentity).

    Raises:
        CommandError: there are no credentials, or AWS refused them.
    """
    with explained_errors():
        account: str = client("sts", "us-east-1").get_caller_identity()["Account"]
    return account


def operator_keys() -> dict[str, str]:
    """Return the operator's credentials as environment variables.

    Raises:
        CommandError: there are none, or they could not be renewed.
    """
    with explained_errors():
        found = botocore.session.get_session().get_credentials()
        if found is None:
            raise CommandError("There are no AWS credentials: set AWS_PROFILE or sign in.")
        frozen = found.get_frozen_credentials()
    keys = {"AWS_ACCESS_KEY_ID": frozen.access_key, "AWS_SECRET_ACCESS_KEY": frozen.secret_key}
    return keys | ({"AWS_SESSION_TOKEN": frozen.token} if frozen.token else {})


def operator_region() -> str | None:
    """Return the region of the operator's configuration; None if it has none.

    Raises:
        CommandError: the configuration names a profile that does not exist.
    """
    with explained_errors():
        region: str | None = botocore.session.get_session().get_config_variable("region")
    return region
