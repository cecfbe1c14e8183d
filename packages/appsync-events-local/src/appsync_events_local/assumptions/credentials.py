"""Credentials: where they stand, which mode they belong to, and signatures."""

from typing import Any, Final

from appsync_events_local.assumptions.assumption import Assumption, behaviour

MODE_NOT_ALLOWED_STATUS: Final = Assumption(
    "mode-not-allowed",
    "Valid credentials of a mode that the namespace does not allow: 401 or 403?",
    "401 UnauthorizedException",
    "the type is certain; the same status as every other UnauthorizedException",
    401,
)
SIGV4_BODIES: Final = Assumption(
    "sigv4-body",
    "Which body does a signature in a socket frame cover?",
    'compact JSON of {"channel"[,"events"]} in that order, as sent; non-ASCII text either as is or as \\u escapes',
    "all known clients sign exactly that; JavaScript keeps non-ASCII text, Python's default escapes it",
    (False, True),
)

ASSUMPTIONS: Final[tuple[Assumption[Any], ...]] = (
    MODE_NOT_ALLOWED_STATUS,
    behaviour(
        "several-credentials",
        "Both an authorization and an x-api-key header?",
        "the authorization counts",
        "it identifies a caller, an API key does not",
    ),
    behaviour(
        "credential-form",
        "An API has several modes that use the authorization header; which one applies?",
        "a signature is AWS_IAM if the API has it; a JSON Web Token belongs to the provider of its issuer; a "
        "Bearer prefix announces such a token; everything else goes to the Lambda authorizer. Without an IAM "
        "provider a signature goes there too, and without any issuer a JSON Web Token",
        "AWS requires that tokens of Lambda authorizers look like neither where the other modes exist",
    ),
    behaviour(
        "upgrade-headers",
        "Connect credentials as ordinary headers of the upgrade?",
        "accepted when no header-... subprotocol is offered",
        "AWS's own Swift client does it",
    ),
    behaviour(
        "host",
        "Which `host` may connect credentials name?",
        "the API's HTTP host, the upgrade's own Host, or this port on a loopback name",
        "AWS compares with the API's name; a local server has several names",
    ),
    behaviour(
        "expired-token",
        "A token that expires while its socket is open?",
        "the socket and its subscriptions stay; new frames need a valid token",
        "authorisation is documented per operation",
    ),
    SIGV4_BODIES,
    behaviour(
        "local-path",
        "Which path does a signature of a socket frame cover?",
        "the path of the upgrade without /realtime, or /event",
        "clients sign the endpoint they are configured with",
    ),
    behaviour("expiring-signature", "How far may x-amz-date be off?", "5 minutes", "signature version 4 in general"),
    behaviour(
        "iam-policies",
        "Are IAM policies evaluated?",
        "with --permissions, yes: a role's session is refused what its policies do not allow (403, "
        "AccessDeniedException, IAM's text); without it, every signer may do what its mode may",
        "the type and text that AWS's services use; the service alone knows no roles",
    ),
    behaviour(
        "iam-account",
        "A signer of another account?",
        "refused",
        "Event APIs have no resource policies, so a signer of another account can have no permission",
    ),
)
