"""The authorisation of one call: is its mode allowed here, and are its credentials good?"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from local.events import choices
from local.events.api import Api, ApiKey, AuthMode
from local.events.auth.api_key import check_api_key
from local.events.auth.cognito import TokenVerifier
from local.events.auth.credentials import API_KEY_HEADER, Credentials
from local.events.auth.iam import SignatureVerifier
from local.events.auth.identity import cognito_identity
from local.events.errors import NOT_AUTHORIZED_MESSAGE, UNAUTHORIZED, Refusal


class Authorizer:
    """Decides calls to any API.

    Args:
        tokens: verifies user pool tokens.
        signatures: verifies SigV4.
        clock: seconds since the epoch.
    """

    def __init__(self, tokens: TokenVerifier, signatures: SignatureVerifier, clock: Callable[[], float]) -> None:
        self._tokens = tokens
        self._signatures = signatures
        self._clock = clock

    async def authorize(
        self, api: Api, keys: Iterable[ApiKey], allowed: frozenset[AuthMode], credentials: Credentials
    ) -> Mapping[str, Any] | None:
        """`ctx.identity` of the caller; `None` with an API key.

        Args:
            api: the API that is called.
            keys: its API keys.
            allowed: modes that the operation allows.
            credentials: what the caller presents.

        Raises:
            Refusal: the call is not authorised.
        """
        mode = credentials.mode()
        if mode not in allowed:
            status = choices.MODE_NOT_ALLOWED_STATUS.value
            reason = f"{mode} is not allowed here; {', '.join(sorted(allowed))} would be"
            raise Refusal(UNAUTHORIZED, NOT_AUTHORIZED_MESSAGE, status, reason)
        credentials.check_host()
        if mode is AuthMode.API_KEY:
            check_api_key(credentials.headers[API_KEY_HEADER], keys, self._clock())
            return None
        if mode is AuthMode.IAM:
            return self._signatures.identify(credentials, api.region, api.account_id)
        claims = await self._tokens.verify(credentials.headers["authorization"], api.cognito)
        return cognito_identity(claims, credentials.source_ip)
