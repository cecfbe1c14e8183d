"""`ctx.identity` as handlers see it, one shape per mode (AppSync Events: "Context reference")."""

from collections.abc import Mapping
from typing import Any


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


def iam_identity(account_id: str, user_id: str, arn: str, source_ip: str) -> dict[str, Any]:
    """Identity of a signer that is no Cognito identity."""
    return {
        "accountId": account_id,
        "cognitoIdentityPoolId": None,
        "cognitoIdentityId": None,
        "sourceIp": [source_ip],
        "username": user_id,
        "userArn": arn,
        "cognitoIdentityAuthType": None,
        "cognitoIdentityAuthProvider": None,
    }


def who(identity: Mapping[str, Any] | None) -> str:
    """A caller's name for the log."""
    if identity is None:
        return "an API key"
    return str(identity.get("userArn") or identity.get("username") or identity.get("sub"))
