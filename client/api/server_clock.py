"""The service's clock, as far as a client can know it: device clocks may be minutes off.

Times of the service (`ringsUntil`, for example) are compared with this clock, never with the device's own. It is the
latest time that the service named, plus what has passed since then on a steady clock. A named time is old by the
latency of its message, so of several the one that makes the clock latest counts.
"""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

_AGREEMENT_SECONDS: Final = 120.0
"""Two named times that differ by more mean that the service's clock was set: the newer one counts."""


class ServerClock:
    """The service's time in seconds since the epoch.

    Args:
        steady: a clock that is never set, in seconds.
        device: the device's clock, used until the service has named a time.
    """

    def __init__(self, steady: Callable[[], float] = time.monotonic, device: Callable[[], float] = time.time) -> None:
        self._steady = steady
        self._device = device
        self._offset: float | None = None

    def now(self) -> float:
        """Return the present by the service's clock."""
        return self._device() if self._offset is None else self._steady() + self._offset

    def take(self, seconds: float) -> None:
        """Take a time that the service has just named, in seconds since the epoch."""
        offset = seconds - self._steady()
        if self._offset is None or offset > self._offset or self._offset - offset > _AGREEMENT_SECONDS:
            self._offset = offset

    def take_date_header(self, value: str | None) -> None:
        """Take the `Date` header of a response (RFC 9110, 6.6.1); a missing or invalid one changes nothing."""
        try:
            self.take(email.utils.parsedate_to_datetime(value or "").timestamp())
        except (ValueError, TypeError):
            return

    def take_iso_date(self, value: object) -> None:
        """Take the `serverTimestamp` of an event; a missing or invalid one changes nothing."""
        if isinstance(value, str):
            try:
                self.take(datetime.fromisoformat(value).timestamp())
            except ValueError:
                return
