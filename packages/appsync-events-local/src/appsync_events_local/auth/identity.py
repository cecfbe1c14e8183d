"""`ctx.identity` as handlers see it, one shape per mode (AppSync Events: "Context reference")."""

from collections.abc import Mapping
from typing import Any

from appsync_events_local.auth.iam.signers import Signer


def cognito_identity(claims: Mapping[str, Any], source_ip: str) -> dict[str, Any]:
    """Identity of a user pool's user; access tokens call the user name `username`, id tokens `cognito:username`."""
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
    """Identity of an OpenID Connect issuer's user."""
    return {"sub": claims.get("sub"), "issuer": claims.get("iss"), "claims": dict(claims)}


def iam_identity(signer: Signer, source_ip: str) -> dict[str, Any]:
    """Identity of a signer, who may be a Cognito identity."""
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
