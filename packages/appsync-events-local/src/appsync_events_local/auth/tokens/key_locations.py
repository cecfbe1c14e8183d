"""Finds the location of an issuer's key set.

Sources: Amazon Cognito: "Verifying JSON web tokens"; OpenID Connect Discovery 1.0, section 4.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from appsync_events_local.auth.tokens.documents import DocumentReader
from appsync_events_local.errors import internal_failure
from appsync_events_local.model.auth_providers import CognitoProvider, OidcProvider

DISCOVERY: Final = "/.well-known/openid-configuration"
COGNITO_KEYS: Final = "/.well-known/jwks.json"


@dataclass(frozen=True)
class KeyLocation:
    """Location of a key set, and the exact `iss` of its tokens."""

    location: str
    issuer: str


class KeyLocator:
    """Finds key sets.

    Args:
        documents: reads discovery documents.
        cognito_endpoint: base URL of the key sets of user pools; `None` is each pool's address at AWS.
        given: addresses or files of key sets by user pool id or issuer; they take precedence.
    """

    def __init__(
        self, documents: DocumentReader, cognito_endpoint: str | None = None, given: Mapping[str, str] | None = None
    ) -> None:
        self._documents = documents
        self._cognito_endpoint = cognito_endpoint.rstrip("/") if cognito_endpoint else None
        self._given = dict(given or {})

    async def find(self, provider: CognitoProvider | OidcProvider) -> KeyLocation:
        """Return the location of this provider's key set.

        Raises:
            Refusal: the discovery document cannot be fetched or used.
        """
        if isinstance(provider, CognitoProvider):
            own = f"{self._cognito_endpoint}/{provider.pool_id}" if self._cognito_endpoint else provider.issuer
            return KeyLocation(self._given.get(provider.pool_id, own + COGNITO_KEYS), provider.issuer)
        given = self._given.get(provider.issuer)
        return KeyLocation(given, provider.issuer) if given else await self._discovered(provider)

    async def _discovered(self, provider: OidcProvider) -> KeyLocation:
        address = provider.issuer.rstrip("/") + DISCOVERY
        document = await self._documents.read(address, f"the discovery document of {provider.issuer}")
        issuer, location = document.get("issuer"), document.get("jwks_uri")
        if not isinstance(issuer, str) or not provider.issues(issuer):
            raise internal_failure(f"{address} is of issuer {issuer!r}, not {provider.issuer}")
        if not isinstance(location, str) or not location.startswith(("https://", "http://")):
            raise internal_failure(f"{address} names no jwks_uri")
        return KeyLocation(location, issuer)
