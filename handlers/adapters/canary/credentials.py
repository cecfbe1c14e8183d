"""The canary's credentials in the parameter store of SSM, as a SecureString that `ops.canary` writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from handlers.core.canary.ports import CanaryError, CanaryUsers, CredentialStore


class SsmCredentials(CredentialStore):
    """Reads the parameter at each run, so that new passwords are used at once.

    Args:
        client: returns the `ssm` client.
        parameter: the name of the parameter.
    """

    def __init__(self, client: Callable[[], Any], parameter: str) -> None:
        self._client = client
        self._parameter = parameter

    def read(self) -> CanaryUsers:
        try:
            answer = self._client().get_parameter(Name=self._parameter, WithDecryption=True)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ParameterNotFound":
                raise CanaryError(
                    f"the parameter {self._parameter} does not exist; create the users with: make canary"
                ) from error
            raise CanaryError(f"SSM refused to read {self._parameter}: {error}") from error
        except BotoCoreError as error:
            raise CanaryError(f"SSM did not answer: {error}") from error
        try:
            return msgspec.json.decode(answer["Parameter"]["Value"], type=CanaryUsers)
        except msgspec.DecodeError:
            # The text of the error could contain a part of the value.
            raise CanaryError(
                f"the parameter {self._parameter} is not the JSON that `make canary` writes; repeat it"
            ) from None
