"""The effects of the protocol: what the owner of a `Connection` must do, in order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from appsync_events_local.errors import Refusal
from appsync_events_local.protocol.channels import Channel

Identity = Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class RefusalReport:
    """A refusal for the log: the kind of frame, its channel (if it names one), and the refusal."""

    kind: str
    channel: str | None
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Send:
    """Send this text frame; `refused` describes for the log the refusal that the frame reports to the client."""

    text: str
    refused: RefusalReport | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class AuthorizeConnect:
    """Check the connect credentials, then call `connect_accepted` or `connect_refused`."""


@dataclass(frozen=True, slots=True)
class Authorize:
    """Check an operation's credentials, then call `authorized` or `refused`."""

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
    """Deliver events of the channel to this subscription from now on."""

    id: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class RemoveSubscription:
    """Stop deliveries to this subscription."""

    id: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class Close:
    """Close the socket after the frames sent so far."""

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
        id: the id that the client chose.
        channel: the parsed channel.
        channel_text: the channel as the client wrote it, which is what a signature covers.
        authorization: the credentials of the frame.
        events: the frame's `events` as received; `None` for a subscribe.
        identity: `ctx.identity` of the caller, once authorised.
    """

    kind: str
    id: str
    channel: Channel
    channel_text: str
    authorization: Mapping[str, Any]
    events: Any = None
    identity: Identity = None

    def signed_body(self) -> dict[str, Any]:
        """Return the JSON object that a signature (SigV4) of this operation covers."""
        if self.kind == "subscribe":
            return {"channel": self.channel_text}
        return {"channel": self.channel_text, "events": self.events}
