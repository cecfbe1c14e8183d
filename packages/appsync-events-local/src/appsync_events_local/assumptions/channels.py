"""Channels: their grammar, wildcards and namespaces."""

from typing import Any, Final

from appsync_events_local.assumptions.assumption import Assumption, behaviour

BAD_CHANNEL_STATUS: Final = Assumption(
    "bad-channel-status",
    "HTTP status for a channel that breaks the grammar or the limits?",
    "400 BadRequestException, message 'Invalid Channel Format'",
    "the message is seen on AWS; 400 is what that exception means everywhere else in AppSync",
    400,
)
UNKNOWN_NAMESPACE_STATUS: Final = Assumption(
    "unknown-namespace",
    "Answer for a channel whose namespace does not exist?",
    "404 over HTTP, error type NotFoundException on both transports, before credentials are checked",
    "clients only rely on a service error; a distinct type makes a forgotten namespace easy to see",
    404,
)
WILDCARD_SELF: Final = Assumption(
    "wildcard-self",
    "Does a subscription to /ns/* receive events of /ns itself?",
    "no",
    "the tutorial shows deeper channels only; '*' stands for at least one segment",
    False,
)

ASSUMPTIONS: Final[tuple[Assumption[Any], ...]] = (
    BAD_CHANNEL_STATUS,
    UNKNOWN_NAMESPACE_STATUS,
    WILDCARD_SELF,
    behaviour(
        "publish-wildcard",
        "Publishing to a channel with '*'?",
        "refused, Invalid Channel Format",
        "the protocol page allows wildcards for subscriptions only",
    ),
    behaviour(
        "bare-wildcard",
        "Subscribing to '/*' (all namespaces)?",
        "refused, Invalid Channel Format",
        "handlers and modes belong to one namespace, so no rule could apply",
    ),
    behaviour(
        "deleted-namespace",
        "Subscriptions of a deleted namespace?",
        "removed without a frame",
        "there is no frame type for it, and strict clients refuse unknown ones",
    ),
)
