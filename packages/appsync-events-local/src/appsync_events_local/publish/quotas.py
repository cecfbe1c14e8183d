"""Rates of an API: inbound events and new connections per second.

Source: AWS general reference, "AWS AppSync endpoints and quotas": 10,000 inbound events and 2,000 new connections a
second and API, both adjustable. What exceeds a rate is refused with ThrottlingException (429).
"""

from collections.abc import Callable
from dataclasses import dataclass

from appsync_events_local import limits
from appsync_events_local.errors import THROTTLED, Refusal
from appsync_events_local.protocol.token_bucket import TokenBucket

UNLIMITED = 0


@dataclass(frozen=True)
class Quotas:
    """The rates of every API; 0 is unlimited.

    Attributes:
        events_per_second: inbound events.
        connections_per_second: new connections.
    """

    events_per_second: int = limits.EVENTS_PER_SECOND_PER_API
    connections_per_second: int = limits.CONNECTIONS_PER_SECOND_PER_API


class ApiRates:
    """Counts the inbound events and the connections of one API.

    Args:
        quotas: its rates.
        clock: seconds of any monotonic clock.
    """

    def __init__(self, quotas: Quotas, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._events = _bucket(quotas.events_per_second)
        self._connections = _bucket(quotas.connections_per_second)
        self._quotas = quotas

    def count_events(self, count: int) -> None:
        """Count the events of a publish request.

        Raises:
            Refusal: the rate is exceeded; none of the events is counted.
        """
        if self._events is not None and not self._events.take(self._clock(), count):
            raise _exceeded(f"more than {self._quotas.events_per_second} inbound events per second and API")

    def count_connection(self) -> None:
        """Count a new connection.

        Raises:
            Refusal: the rate is exceeded.
        """
        if self._connections is not None and not self._connections.take(self._clock()):
            raise _exceeded(f"more than {self._quotas.connections_per_second} new connections per second and API")


def _bucket(per_second: int) -> TokenBucket | None:
    return None if per_second == UNLIMITED else TokenBucket(per_second, per_second)


def _exceeded(reason: str) -> Refusal:
    return Refusal(THROTTLED, "Rate exceeded", 429, reason)
