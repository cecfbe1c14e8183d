"""What the protocol asks its owner to do. `protocol` decides; the owner carries out, in order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from appsync_events_local.errors import Refusal
from appsync_events_local.protocol.channels import Channel

Identity = Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class RefusalReport:
    """That something is refused: which kind of frame, to which channel (if it names one), and why."""

    kind: str
    channel: str | None
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Send:
    """Send this text frame; `refused` tells the owner, for its log, what the frame tells the client."""

    text: str
    refused: RefusalReport | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class AuthorizeConnect:
    """Check the connect credentials, then call `connect_accepted` or `connect_refused`."""


@dataclass(frozen=True, slots=True)
class Authorize:
    """Check an operation's credentials, then call `authorized` or `refused` with its token."""

    operation: "Operation"


@dataclass(frozen=True, slots=True)
class CallSubscribe:
    """Run onSubscribe, then call `subscribed` or `refused`."""

    operation: "Operation"


@dataclass(frozen=True, slots=True)
class CallPublish:
    """Run the publish pipeline on `operation.events`, then call `published` or `refused`."""

    operation: "Operation"


@dataclass(frozen=True, slots=True)
class AddSubscription:
    """From now on deliver what is published to the channel."""

    id: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class RemoveSubscription:
    """Deliver no more to this subscription."""

    id: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class Close:
    """Close the socket after what has been sent."""

    code: int
    reason: str


Effect = (
    Send | AuthorizeConnect | Authorize | CallSubscribe | CallPublish | AddSubscription | RemoveSubscription | Close
)


@dataclass(slots=True, eq=False)
class Operation:
    """A subscribe or publish in progress.

    Attributes:
        kind: `subscribe` or `publish`.
        id: the client's id of it.
        channel: parsed; `channel_text` is what the client wrote, which is what it signed.
        authorization: the frame's own credentials.
        events: the frame's `events` as they came; `None` for a subscribe.
        identity: who does it, once authorised.
    """

    kind: str
    id: str
    channel: Channel
    channel_text: str
    authorization: Mapping[str, Any]
    events: Any = None
    identity: Identity = None

    def signed_body(self) -> dict[str, Any]:
        """The JSON object that a SigV4 signature of this operation covers."""
        if self.kind == "subscribe":
            return {"channel": self.channel_text}
        return {"channel": self.channel_text, "events": self.events}
