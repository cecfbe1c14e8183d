"""IAM auth: signs every connection, subscription and publish with botocore's signer.

Only this module needs an AWS library: `pip install appsync-events[iam]`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from appsync_events._auth import Operation
from appsync_events._errors import CredentialsError, EndpointError, NoCredentialsError

if TYPE_CHECKING:
    from botocore.credentials import Credentials

SERVICE = "appsync"
# Header names as the documentation writes them in a frame; the API ignores their case.
_NAMES = {"X-Amz-Date": "x-amz-date"}


@dataclass(frozen=True)
class _Keys:
    """Static keys with the interface of botocore's credentials."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False)

    def get_frozen_credentials(self) -> _Keys:
        return self


class Iam:
    """AWS Signature Version 4 (AppSync Events: WebSocket protocol, IAM).

    Args:
        credentials: botocore's or boto3's credentials object. Without it botocore's default chain is used
            (environment, profile, container, instance), which also renews temporary credentials.
        region: the AWS region of the API; required if the host is not one of AWS's own.
        profile: the profile in AWS's configuration files for the default chain.

    Raises:
        CredentialsError: botocore is not installed.
    """

    def __init__(
        self, credentials: Credentials | Any = None, *, region: str | None = None, profile: str | None = None
    ) -> None:
        try:
            from botocore.auth import SigV4Auth
            from botocore.awsrequest import AWSRequest
        except ImportError as error:
            raise CredentialsError("IAM auth needs botocore: pip install 'appsync-events[iam]'") from error
        self._signer, self._request = SigV4Auth, AWSRequest
        self._credentials = credentials
        self._region = region
        self._profile = profile

    @classmethod
    def from_keys(
        cls, access_key: str, secret_key: str, session_token: str | None = None, *, region: str | None = None
    ) -> Iam:
        """Sign with static keys. Temporary keys have a session token and are not renewed."""
        return cls(_Keys(access_key, secret_key, session_token), region=region)

    async def authorize(self, operation: Operation, *, refused: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the operation's headers and its signature.

        Raises:
            EndpointError: the AWS region is unknown.
            NoCredentialsError: no AWS credentials were found.
            CredentialsError: AWS credentials could not be renewed.
        """
        region = self._region or operation.region
        if region is None:
            raise EndpointError(f"the host {operation.host} contains no AWS region; pass it as Iam(region=…)")
        # The credential chain may read files or call a metadata service.
        return await asyncio.to_thread(self._signed, operation, region)

    def _signed(self, operation: Operation, region: str) -> dict[str, str]:
        signer = self._signer(self._frozen(), SERVICE, region)
        headers = {**operation.headers, "host": operation.host}
        request = self._request("POST", operation.url, data=operation.body.encode(), headers=headers)
        signer.add_auth(request)
        return {_NAMES.get(name, name): str(value) for name, value in request.headers.items() if name != "host"}

    def _frozen(self) -> Any:
        from botocore.exceptions import BotoCoreError

        try:
            if self._credentials is None:
                from botocore.session import Session

                self._credentials = Session(profile=self._profile).get_credentials()
            if self._credentials is None:
                raise NoCredentialsError("no AWS credentials found in the environment, profile, container or instance")
            return self._credentials.get_frozen_credentials()
        except BotoCoreError as error:
            raise CredentialsError(f"cannot load AWS credentials: {error}") from error
