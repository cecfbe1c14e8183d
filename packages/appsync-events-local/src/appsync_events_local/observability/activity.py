"""What happens at one API, told once: counted as metrics, written to the log, and the latest of it kept for people.

Neither the log nor what is kept holds credentials; payloads are kept only where that was asked for.
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
"""How many publishes, and how many refusals, are kept."""
REASON_CHARACTERS: Final = 500
PAYLOAD_CHARACTERS: Final = 2000
"""So much is kept of a text that clients can make as long as they like."""
HTTP: Final = "HTTP"
"""The source of what does not come over a connection; a connection's source is its name."""
NORMAL_CLOSURES: Final = frozenset({1000, 1001, 1005})
INTERNAL_ERROR: Final = 1011

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Published:
    """What became of one publish request.

    Attributes:
        channel: its path.
        namespace: the channel's.
        source: whose it was.
        identity: the caller's `ctx.identity`.
        arrived: bytes of all its events as they came.
        texts: the events that were broadcast, as JSON texts.
        sizes: theirs, in bytes.
        receivers: subscriptions that got them.
        failed: why single events failed.
        dropped: events that the handler left out.
        handled: whether a handler decided.
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
        """Its outcome in words."""
        told = [f"{len(self.texts)} event(s) to {self.receivers} subscription(s)"] if self.texts else []
        if self.dropped:
            told.append(f"onPublish dropped {self.dropped}")
        if self.failed:
            told.append(f"{len(self.failed)} failed ({'; '.join(self.failed)})")
        return ", ".join(told)


@dataclass(frozen=True, slots=True)
class Recent:
    """Something that happened: when (seconds since the epoch), what, where, by whom, and how it ended."""

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
        api_id: of the API.
        name: of the API, for people.
        siblings: all APIs of the service; if there are several, the log says which one it is about.
        keep_payloads: whether the publishes that are kept show their payloads.
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
        """A connection's credentials are good."""
        self._count("connect", None)
        self._tell("connect", connection, f"connected as {caller_name(identity)}")

    def disconnected(self, connection: str, seconds: float, code: int | None) -> None:
        """A connection ended after so many seconds with this close code."""
        self.metrics.add(Metric.CONNECTION_DURATION, seconds)
        failed = Metric.DISCONNECT_SERVER_ERROR if code == INTERNAL_ERROR else Metric.DISCONNECT_CLIENT_ERROR
        self.metrics.add(Metric.DISCONNECT_SUCCESS if code in NORMAL_CLOSURES else failed)
        self._tell("disconnect", connection, f"ended after {seconds:.1f} s with close code {code}")

    def subscribed(self, connection: str, channel: str, identity: Mapping[str, Any] | None, *, handled: bool) -> None:
        """A subscription was allowed, by a handler or for want of one."""
        self._count("subscribe", None)
        allowed = "; onSubscribe allowed it" if handled else ""
        self._tell(
            "subscribe", connection, f"subscribed to {channel} as {caller_name(identity)}{allowed}", channel=channel
        )

    def unsubscribed(self, connection: str, channel: str) -> None:
        """A subscription ended because its client said so."""
        self._count("unsubscribe", None)
        self._tell("unsubscribe", connection, f"unsubscribed from {channel}", channel=channel)

    def handler_called(self, metric: Metric, namespace: str) -> None:
        """A handler is called; `metric` says which."""
        self.metrics.add(metric, namespace=namespace)

    def arrived(self, sizes: Sequence[int]) -> None:
        """Events of these sizes in bytes were sent to be published."""
        self.metrics.add(Metric.INBOUND_MESSAGES, sum(map(metered, sizes)))

    def handler_failed(self, namespace: str, events: int) -> None:
        """onPublish failed or refused all the events of a request."""
        self.metrics.add(Metric.FAILED_EVENTS, events, namespace)

    def published(self, publish: Published) -> None:
        """A publish request was carried out."""
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
            self._tell("publish", publish.source, text, level, channel=publish.channel)

    def refused(self, kind: str, source: str, channel: str | None, refusal: Refusal, **fields: Any) -> None:
        """A connect, subscribe, unsubscribe, publish or unknown frame was refused; `fields` go to the log as well."""
        if source != HTTP:
            self._count(kind, refusal.status)
        told = f"{refusal.error_type}, {refusal.reason}"[:REASON_CHARACTERS]
        channel = channel and channel[:REASON_CHARACTERS]
        self.refusals.append(Recent(self._clock(), kind, channel or "", source, told))
        level = logging.ERROR if refusal.status >= 500 else logging.WARNING
        to = f" to {channel}" if channel else ""
        more = {"channel": channel, "status": refusal.status, "errorType": refusal.error_type, **fields}
        self._tell(kind, source, f"{kind}{to} refused: {told}", level, **more)

    def answered_http(self, status: int, milliseconds: float) -> None:
        """A publish over HTTP was answered, after so many milliseconds."""
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

    def _tell(self, kind: str, source: str, text: str, level: int = logging.INFO, **fields: Any) -> None:
        known = {"api": self._api_id, "operation": kind, "source": source, **fields}
        about = {name: value for name, value in known.items() if value is not None}
        which = f"{self.name}: " if len(self._siblings) > 1 else ""
        # What clients write may have no UTF-8 form (a lone surrogate), which not every log can hold.
        shown = text.encode("utf-8", "backslashreplace").decode()
        _log.log(level, "%s%s %s", which, source, shown, extra={"about": about})
