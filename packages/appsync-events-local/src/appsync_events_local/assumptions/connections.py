"""Connections: upgrade, acknowledgement, lifetime, and how a connection ends."""

from typing import Any, Final

from appsync_events_local.assumptions.assumption import Assumption, behaviour

REFUSED_CONNECT_CLOSE_CODE: Final = Assumption(
    "refused-connect-close",
    "Close code after connection_error?",
    "1008 (policy violation)",
    "the only registered code that states the reason; Amplify decides by the frame, not by the code",
    1008,
)
LIFETIME_CLOSE_CODE: Final = Assumption(
    "lifetime-close",
    "How does a connection end after 24 hours?",
    "close 1001 (going away) without an announcement",
    "AWS documents no announcement; clients must reconnect either way",
    1001,
)
MISSING_SUBPROTOCOL_STATUS: Final = Assumption(
    "missing-subprotocol",
    "An upgrade that does not offer aws-appsync-event-ws?",
    "400, no upgrade",
    "a server may not select a subprotocol that was not offered",
    400,
)

ASSUMPTIONS: Final[tuple[Assumption[Any], ...]] = (
    REFUSED_CONNECT_CLOSE_CODE,
    LIFETIME_CLOSE_CODE,
    MISSING_SUBPROTOCOL_STATUS,
    behaviour(
        "foreign-subprotocols",
        "Further subprotocols in the offer?",
        "ignored; aws-appsync-event-ws is selected at any position",
        "both documented orders work, so the position cannot matter",
    ),
    behaviour(
        "unreadable-credentials",
        "A header-... subprotocol that is not base64url of a JSON object?",
        "connection_error BadRequestException, errorCode 400, after connection_init",
        "same as bad credentials: a failed upgrade would hide its reason from browsers",
    ),
    behaviour(
        "connect-error-of-any-mode",
        "Do bad connect credentials of every mode get the answer of a bad API key?",
        "yes: connection_error, UnauthorizedException, errorCode 401",
        "seen for API keys; Amplify reads the same frame whatever the mode",
    ),
    behaviour(
        "no-init",
        "Operations before connection_init?",
        "accepted: the connect credentials are checked first, and no connection_ack is sent",
        "the documentation calls connection_init optional",
    ),
    behaviour("second-init", "A second connection_init?", "acknowledged again", "harmless; no state changes"),
    behaviour(
        "idle-before-init",
        "A socket that never sends anything?",
        "it stays open, without keep-alive, until its lifetime ends",
        "connection_init is optional, so silence is not an error",
    ),
    behaviour(
        "large-frame",
        "A WebSocket message beyond every legal size?",
        "close 1009 above 8 MiB; below that, publish_error reports the limit of the events",
        "1009 is the code of RFC 6455 for it",
    ),
    behaviour(
        "slow-consumer",
        "A client that does not read?",
        "its connection is closed when more than --max-unsent-bytes wait for it (4 MiB)",
        "other clients are not delayed and memory stays bounded; the client reconnects as after any connection loss",
    ),
    behaviour(
        "request-headers",
        "ctx.request.headers of socket operations?",
        "the headers of the upgrade request, without cookie and credentials",
        "they are the only HTTP headers there are",
    ),
)
