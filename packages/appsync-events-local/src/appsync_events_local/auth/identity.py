"""Builds `ctx.identity` as handlers see it, one shape per mode (AppSync Events: "Context reference")."""

from collections.abc import Mapping
from typing import Any

from appsync_events_local.auth.iam.signers import Signer


def cognito_identity(claims: Mapping[str, Any], source_ip: str) -> dict[str, Any]:
    """Identity of a user pool's user; the user name is `username` in access tokens, `cognito:username` in id tokens."""
    return {
        "sourceIp": [source_ip],
        "username": claims.get("cognito:username", claims.get("username")),
        "groups": claims.get("cognito:groups"),
        "sub": claims.get("sub"),
        "issuer": claims.get("iss"),
        "claims": dict(claims),
        "defaultAuthStrategy": "ALLOW",
    }


def oidc_identity(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Identity of a user of an OpenID Connect issuer."""
    return {"sub": claims.get("sub"), "issuer": claims.get("iss"), "claims": dict(claims)}


def iam_identity(signer: Signer, source_ip: str) -> dict[str, Any]:
    """Identity of a signer; a signer may have an identity of an identity pool."""
    return {
        "accountId": signer.account_id,
        "cognitoIdentityPoolId": signer.cognito.pool_id,
        "cognitoIdentityId": signer.cognito.id,
        "sourceIp": [source_ip],
        "username": signer.user_id,
        "userArn": signer.arn,
        "cognitoIdentityAuthType": signer.cognito.auth_type,
        "cognitoIdentityAuthProvider": signer.cognito.auth_provider,
    }
