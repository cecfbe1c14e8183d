"""Authorises one operation: checks that its mode is allowed and that its credentials are valid."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from appsync_events_local import assumptions
from appsync_events_local.auth.api_key import check_api_key
from appsync_events_local.auth.credentials import API_KEY_HEADER, Credentials
from appsync_events_local.auth.iam.permissions import PermissionChecker, check_permission
from appsync_events_local.auth.iam.signatures import SignatureVerifier, signed_region
from appsync_events_local.auth.identity import cognito_identity, oidc_identity
from appsync_events_local.auth.lambda_authorizer import LambdaAuthorizer
from appsync_events_local.auth.mode_selection import mode_of
from appsync_events_local.auth.operation import RequestedOperation
from appsync_events_local.auth.tokens.verifier import TokenVerifier
from appsync_events_local.errors import NOT_AUTHORIZED_MESSAGE, UNAUTHORIZED, Refusal
from appsync_events_local.model.api import Api, ApiKey, AuthMode


@dataclass(frozen=True)
class Authorizer:
    """Authorises operations of all APIs.

    Attributes:
        tokens: verifies the tokens of user pools and OpenID Connect issuers.
        signatures: verifies signatures (SigV4).
        functions: invokes Lambda authorizers.
        permissions: checks the IAM permissions of signers.
        clock: seconds since the epoch.
    """

    tokens: TokenVerifier
    signatures: SignatureVerifier
    functions: LambdaAuthorizer
    permissions: PermissionChecker
    clock: Callable[[], float]

    async def authorize(
        self,
        api: Api,
        keys: Iterable[ApiKey],
        allowed: frozenset[AuthMode],
        credentials: Credentials,
        requested: RequestedOperation,
    ) -> Mapping[str, Any] | None:
        """Return `ctx.identity` of the caller; `None` for an API key.

        Args:
            api: the API that is called.
            keys: its API keys.
            allowed: modes that the operation allows.
            credentials: the caller's credentials.
            requested: the operation that the caller requests.

        Raises:
            Refusal: the operation is not authorised.
        """
        mode = mode_of(credentials, api.providers)
        if mode not in allowed:
            status = assumptions.MODE_NOT_ALLOWED_STATUS.value
            reason = f"{mode} is not allowed here; {', '.join(sorted(allowed))} would be"
            raise Refusal(UNAUTHORIZED, NOT_AUTHORIZED_MESSAGE, status, reason)
        credentials.check_host()
        match mode:
            case AuthMode.API_KEY:
                check_api_key(credentials.headers[API_KEY_HEADER], keys, self.clock())
                return None
            case AuthMode.IAM:
                identity = self.signatures.identify(credentials, api.region, api.account_id)
                await check_permission(self.permissions, identity["userArn"], api, requested)
                return identity
            case AuthMode.LAMBDA:
                return await self._by_function(api, credentials.headers["authorization"], requested)
            case AuthMode.OIDC:
                return oidc_identity(await self.tokens.verify(credentials.headers["authorization"], api.providers.oidc))
            case AuthMode.COGNITO:
                token = credentials.headers["authorization"]
                return cognito_identity(await self.tokens.verify(token, api.providers.cognito), credentials.source_ip)

    def signer_of(self, credentials: Credentials) -> tuple[str, str]:
        """Return the account of the signer and the region that the request was signed for.

        Raises:
            Refusal: the signature is not valid.
        """
        return self.signatures.signer(credentials).account_id, signed_region(credentials)

    async def _by_function(self, api: Api, token: str, requested: RequestedOperation) -> Mapping[str, Any]:
        provider = api.providers.authorizer
        assert provider is not None, "mode_of gives AWS_LAMBDA only where there is one"
        return await self.functions.authorize(provider, api.id, api.account_id, token, requested)
