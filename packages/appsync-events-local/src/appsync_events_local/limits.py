"""Limits of AppSync Events.

Sources: AppSync Events: "Event API concepts", "Understanding the Event API WebSocket protocol", and the AppSync
endpoints and quotas page of the AWS general reference.
"""

import re
from typing import Final

EVENTS_PER_PUBLISH: Final = 5
EVENT_BYTES: Final = 240 * 1024
"""Largest event after the onPublish handler, as UTF-8 bytes of its JSON text."""
PUBLISH_REQUEST_BYTES: Final = 1_258_291
"""Largest sum of a publish request's events, UTF-8 bytes of their JSON texts (1.2 MB = 1.2 x 1024 x 1024)."""
TRANSPORT_MESSAGE_BYTES: Final = 8 * 1024 * 1024
"""Largest HTTP body or WebSocket message that is read; above the request limit, because JSON in JSON doubles quotes."""

CHANNEL_SEGMENTS: Final = 5
SEGMENT_CHARACTERS: Final = 50
SUBSCRIPTIONS_PER_CONNECTION: Final = 200
PUBLISHES_PER_SECOND_PER_CONNECTION: Final = 25
EVENTS_PER_SECOND_PER_API: Final = 10_000
"""Inbound events of an API; adjustable."""
CONNECTIONS_PER_SECOND_PER_API: Final = 2_000
"""New connections of an API; adjustable."""
OPERATION_ID: Final = re.compile(r"[a-zA-Z0-9\-_+]{1,128}", re.ASCII)

KEEP_ALIVE_SECONDS: Final = 60.0
CONNECTION_TIMEOUT_MS: Final = 300_000
CONNECTION_LIFETIME_SECONDS: Final = 24 * 3600.0
REQUEST_SECONDS: Final = 30.0
"""Longest execution of one request, authorisation and handlers included."""

NAMESPACES_PER_API: Final = 50
API_KEYS_PER_API: Final = 50
AUTH_PROVIDERS_PER_API: Final = 50
HANDLER_CODE_CHARACTERS: Final = 32_768
API_KEY_DEFAULT_SECONDS: Final = 7 * 24 * 3600
API_KEY_LONGEST_SECONDS: Final = 365 * 24 * 3600
API_KEY_SHORTEST_SECONDS: Final = 24 * 3600
API_KEY_ROUNDING_SECONDS: Final = 24 * 3600
"""Tolerated beyond the longest: a template computes the expiry at synthesis, and AppSync rounds it."""
API_KEY_HOUR_SECONDS: Final = 3600
"""Tolerated below the shortest: AppSync rounds an expiry down to the hour."""

SIGNATURE_SKEW_SECONDS: Final = 300
"""How far `x-amz-date` may be from now (AWS general reference: signature version 4)."""
JWT_LEEWAY_SECONDS: Final = 5
"""Tolerated clock difference to the issuer of a token; our choice, small because both clocks are on one machine."""

AUTHORIZER_SECONDS: Final = 10.0
"""Longest time that a Lambda authorizer may take."""
AUTHORIZER_ANSWER_BYTES: Final = 5 * 1024 * 1024
AUTHORIZER_LONGEST_TTL_SECONDS: Final = 3600
AUTHORIZATION_CHARACTERS: Final = 16_384
"""Longest authorization or API key that is checked; our choice, twice what HTTP servers accept as a header."""
