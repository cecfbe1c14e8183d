"""Request rates of the service.

Amazon Chime SDK developer guide, "Verifying SDK quotas and API throttling": requests above are answered with 429 and
ThrottledClientException. Service Quotas (service code `chime`) has the numbers: "Chime SDK Meetings - … rate limit in
transactions per second" and "… burst limit", for each action (CreateMeeting: L-8A6E3C7B, L-FE9F896D) and for "all
meeting management API requests" (L-F147F728, L-63907FE3).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from local.emulator.chime.errors import ChimeError
from local.emulator.strict.token_bucket import TokenBucket

REQUESTS_PER_SECOND: Final = 10
BURST: Final = 20
_ALL: Final = ""


class RequestRates:
    """Counts the requests of the account. Used from the event loop only.

    Args:
        clock: seconds, steadily growing.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: dict[str, TokenBucket] = {}

    def take(self, operation: str, scale: float = 1.0) -> None:
        """Count a request.

        Args:
            operation: an action of the service, for example `CreateMeeting`.
            scale: multiplies rate and burst.

        Raises:
            ChimeError: ThrottledClientException.
        """
        buckets = [self._bucket(operation, scale), self._bucket(_ALL, scale)]
        if not all(bucket.has_one() for bucket in buckets):
            raise ChimeError("ThrottledClientException", f"the rate of {operation} is exceeded")
        for bucket in buckets:
            bucket.take()

    def _bucket(self, name: str, scale: float) -> TokenBucket:
        limits = (REQUESTS_PER_SECOND * scale, max(1.0, BURST * scale))
        bucket = self._buckets.get(name)
        if bucket is None or bucket.limits != limits:
            bucket = self._buckets[name] = TokenBucket(*limits, self._clock)
        return bucket
