"""The activity of one API: counts metrics, writes the log, and keeps the latest publishes and refusals for the status
page.

Neither the log nor the kept entries hold credentials; payloads are kept only with `--show-payloads`.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any, Final

from appsync_events_local.errors import Refusal
from appsync_events_local.observability.caller_names import caller_name
from appsync_events_local.observability.metrics import Metric, Metrics, metered, outcome

RECENT: Final = 100
"""Number of publishes, and of refusals, that are kept."""
REASON_CHARACTERS: Final = 500
PAYLOAD_CHARACTERS: Final = 2000
"""Limits of kept texts, because clients choose their length."""
HTTP: Final = "HTTP"
"""The source of publishes over HTTP; for a connection, the source is its name."""
NORMAL_CLOSURES: Final = frozenset({1000, 1001, 1005})
INTERNAL_ERROR: Final = 1011

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Published:
    """The result of one publish request.

    Attributes:
        channel: path of the channel.
        namespace: its namespace.
        source: name of the connection, or `HTTP`.
        identity: the caller's `ctx.identity`.
        arrived: size of all events as received, bytes.
        texts: the events that were broadcast, as JSON texts.
        sizes: sizes of `texts`, bytes.
        receivers: number of subscriptions that received them.
        failed: reasons of events that failed individually.
        dropped: number of events that the handler left out.
        handled: whether a handler processed the request.
    """

    channel: str
    namespace: str
    source: str
    identity: Mapping[str, Any] | None
    arrived: int
    texts: Sequence[str]
    sizes: Sequence[int]
    receivers: int
    failed: Sequence[str]
    dropped: int
    handled: bool

    def summary(self) -> str:
        """Return the outcome for people."""
        parts = [f"{len(self.texts)} event(s) to {self.receivers} subscription(s)"] if self.texts else []
        if self.dropped:
            parts.append(f"onPublish dropped {self.dropped}")
        if self.failed:
            parts.append(f"{len(self.failed)} failed ({'; '.join(self.failed)})")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Recent:
    """A kept publish or refusal: time (seconds since the epoch), kind, channel, source and outcome."""

    at: float
    kind: str
    channel: str
    source: str
    outcome: str
    size: int = 0
    payloads: Sequence[str] = ()


class Activity:
    """The activity of one API.

    Args:
        api_id: id of the API.
        name: name of the API.
        siblings: all APIs of the service; if there are several, log lines start with the API's name.
        keep_payloads: whether kept publishes hold their payloads.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        api_id: str,
        name: str,
        siblings: Sized = (),
        *,
        keep_payloads: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._api_id = api_id
        self.name = name
        self._siblings = siblings
        self._keep_payloads = keep_payloads
        self._clock = clock
        self.metrics = Metrics()
        self.publishes: deque[Recent] = deque(maxlen=RECENT)
        self.refusals: deque[Recent] = deque(maxlen=RECENT)

    def connected(self, connection: str, identity: Mapping[str, Any] | None) -> None:
        """The credentials of a connection were accepted."""
        self._count("connect", None)
        self._log_event("connect", connection, f"connected as {caller_name(identity)}")

    def disconnected(self, connection: str, seconds: float, code: int | None) -> None:
        """A connection ended after this duration with this close code."""
        self.metrics.add(Metric.CONNECTION_DURATION, seconds)
        failed = Metric.DISCONNECT_SERVER_ERROR if code == INTERNAL_ERROR else Metric.DISCONNECT_CLIENT_ERROR
        self.metrics.add(Metric.DISCONNECT_SUCCESS if code in NORMAL_CLOSURES else failed)
        self._log_event("disconnect", connection, f"ended after {seconds:.1f} s with close code {code}")

    def subscribed(self, connection: str, channel: str, identity: Mapping[str, Any] | None, *, handled: bool) -> None:
        """A subscription was allowed; `handled` says whether a handler allowed it."""
        self._count("subscribe", None)
        allowed = "; onSubscribe allowed it" if handled else ""
        self._log_event(
            "subscribe", connection, f"subscribed to {channel} as {caller_name(identity)}{allowed}", channel=channel
        )

    def unsubscribed(self, connection: str, channel: str) -> None:
        """A client ended a subscription."""
        self._count("unsubscribe", None)
        self._log_event("unsubscribe", connection, f"unsubscribed from {channel}", channel=channel)

    def handler_called(self, metric: Metric, namespace: str) -> None:
        """A handler is called; `metric` is its invocation metric."""
        self.metrics.add(metric, namespace=namespace)

    def arrived(self, sizes: Sequence[int]) -> None:
        """Events of these sizes (bytes) were received in a publish."""
        self.metrics.add(Metric.INBOUND_MESSAGES, sum(map(metered, sizes)))

    def handler_failed(self, namespace: str, events: int) -> None:
        """onPublish failed or refused all events of a request."""
        self.metrics.add(Metric.FAILED_EVENTS, events, namespace)

    def published(self, publish: Published) -> None:
        """A publish request was processed."""
        if publish.source != HTTP:
            self._count("publish", None)
        self._count_events(publish)
        summary = publish.summary()[:REASON_CHARACTERS]
        payloads = [text[:PAYLOAD_CHARACTERS] for text in publish.texts] if self._keep_payloads else ()
        self.publishes.append(
            Recent(self._clock(), "publish", publish.channel, publish.source, summary, publish.arrived, payloads)
        )
        level = logging.WARNING if publish.failed else logging.INFO if publish.handled else logging.DEBUG
        if _log.isEnabledFor(level):
            text = f"published to {publish.channel} as {caller_name(publish.identity)}: {summary}"
            self._log_event("publish", publish.source, text, level, channel=publish.channel)

    def refused(self, kind: str, source: str, channel: str | None, refusal: Refusal, **fields: Any) -> None:
        """A connect, subscribe, unsubscribe, publish or unknown frame was refused; the log entry includes `fields`."""
        if source != HTTP:
            self._count(kind, refusal.status)
        outcome_text = f"{refusal.error_type}, {refusal.reason}"[:REASON_CHARACTERS]
        channel = channel and channel[:REASON_CHARACTERS]
        self.refusals.append(Recent(self._clock(), kind, channel or "", source, outcome_text))
        level = logging.ERROR if refusal.status >= 500 else logging.WARNING
        to = f" to {channel}" if channel else ""
        more = {"channel": channel, "status": refusal.status, "errorType": refusal.error_type, **fields}
        self._log_event(kind, source, f"{kind}{to} refused: {outcome_text}", level, **more)

    def answered_http(self, status: int, milliseconds: float) -> None:
        """A publish over HTTP was answered with this status after this duration."""
        self.metrics.add(Metric.REQUESTS)
        self.metrics.add(Metric.LATENCY, milliseconds)
        if status >= 400:
            self.metrics.add(Metric.CLIENT_ERRORS if status < 500 else Metric.SERVER_ERRORS)

    def _count(self, kind: str, status: int | None) -> None:
        if kind == "connect":
            self.metrics.add(Metric.CONNECT_REQUESTS)
        metric = outcome(kind, status)
        if metric is not None:
            self.metrics.add(metric)

    def _count_events(self, publish: Published) -> None:
        add = self.metrics.add
        if publish.texts:
            add(Metric.SUCCESSFUL_EVENTS, len(publish.texts), publish.namespace)
            add(Metric.BROADCAST_SUCCESS, len(publish.texts))
            add(Metric.OUTBOUND_MESSAGES, sum(map(metered, publish.sizes)) * publish.receivers)
        for size in publish.sizes:
            add(Metric.BROADCAST_SIZE, size)
        if publish.failed:
            add(Metric.FAILED_EVENTS, len(publish.failed), publish.namespace)
        if publish.dropped:
            add(Metric.DROPPED_EVENTS, publish.dropped, publish.namespace)

    def _log_event(self, kind: str, source: str, text: str, level: int = logging.INFO, **fields: Any) -> None:
        known = {"api": self._api_id, "operation": kind, "source": source, **fields}
        about = {name: value for name, value in known.items() if value is not None}
        which = f"{self.name}: " if len(self._siblings) > 1 else ""
        # Text of clients may not be encodable in UTF-8 (a lone surrogate), which not every log can hold.
        shown = text.encode("utf-8", "backslashreplace").decode()
        _log.log(level, "%s%s %s", which, source, shown, extra={"about": about})
