"""A meeting and its attendees: what they hold, when a meeting ends by itself, and how the API shows them."""

from __future__ import annotations

import base64
import secrets
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from local.emulator.chime.media_regions import media_placement
from local.emulator.settings import ACCOUNT_ID

EMPTY_SECONDS = 5 * 60
"""A meeting without connected audio ends after this time (Chime SDK developer guide, creating meetings).
The older namespace's end after half an hour with one attendee is not a rule of Chime SDK Meetings."""
LIFETIME_SECONDS = 24 * 3600
"""… or when it has lasted this long."""
DEFAULT_ATTENDEES_MAX = 250
_FULL = {"Audio": "SendReceive", "Video": "SendReceive", "Content": "SendReceive"}

Json = dict[str, Any]


@dataclass
class Attendee:
    """An attendee of a meeting. `connected` says whether the attendee's audio is connected now."""

    attendee_id: str
    external_user_id: str
    join_token: str
    capabilities: Json
    connected: bool = False

    @classmethod
    def new(cls, external_user_id: str, capabilities: Json) -> Self:
        """An attendee with an id and a join token of their own; the token is opaque to clients."""
        attendee_id = str(uuid.uuid4())
        token = base64.b64encode(f"{attendee_id}:{uuid.uuid4()}".encode()).decode()
        return cls(attendee_id, external_user_id, token, capabilities)

    def document(self) -> Json:
        """The API's `Attendee`."""
        return {
            "ExternalUserId": self.external_user_id,
            "AttendeeId": self.attendee_id,
            "JoinToken": self.join_token,
            "Capabilities": self.capabilities,
        }


@dataclass
class Meeting:
    """One meeting. Times are seconds since the epoch on the service's clock."""

    meeting_id: str
    request: Json
    region: str
    created_at: float
    empty_since: float | None
    tags: dict[str, str] = field(default_factory=dict)
    attendees: dict[str, Attendee] = field(default_factory=dict)

    @classmethod
    def new(cls, request: Json, region: str, now: float) -> Self:
        """A meeting without attendees.

        Args:
            request: input of CreateMeeting without its tags.
            region: of the API that was called.
            now: the time.
        """
        # As on AWS, the last four characters are digits: they name the media cell.
        meeting_id = f"{str(uuid.uuid4())[:-4]}{secrets.randbelow(10_000):04d}"
        return cls(meeting_id, request, region, now, now)

    @classmethod
    def from_state(cls, state: Json) -> Self:
        """The inverse of `state`."""
        attendees = {each["attendee_id"]: Attendee(**each) for each in state["attendees"].values()}
        return cls(**{**state, "attendees": attendees})

    def state(self) -> Json:
        """What is kept on disk."""
        return asdict(self)

    @property
    def token(self) -> str:
        return str(self.request["ClientRequestToken"])

    @property
    def arn(self) -> str:
        return f"arn:aws:chime:{self.region}:{ACCOUNT_ID}:meeting/{self.meeting_id}"

    @property
    def features(self) -> Json:
        """The request's features over the documented defaults."""
        given = self.request.get("MeetingFeatures") or {}
        defaults: Json = {
            "Audio": {"EchoReduction": "UNAVAILABLE"},
            "Video": {"MaxResolution": "HD"},
            "Content": {"MaxResolution": "FHD"},
            "Attendee": {"MaxCount": DEFAULT_ATTENDEES_MAX},
        }
        return {name: {**default, **(given.get(name) or {})} for name, default in defaults.items()}

    @property
    def attendees_max(self) -> int:
        return int(self.features["Attendee"]["MaxCount"])

    def attendee_of(self, external_user_id: str) -> Attendee | None:
        """The attendee of an external user."""
        return next((each for each in self.attendees.values() if each.external_user_id == external_user_id), None)

    def default_capabilities(self) -> Json:
        """What an attendee may do when the call does not say (see `Capabilities` in the API reference)."""
        video = self.features["Video"]["MaxResolution"] != "None"
        content = self.features["Content"]["MaxResolution"] != "None"
        return {
            **_FULL,
            "Video": "SendReceive" if video else "Receive" if content else "None",
            "Content": "SendReceive" if content else "None",
        }

    def ends_at(self) -> float:
        """When it ends unless something happens before."""
        ends = [self.created_at + LIFETIME_SECONDS]
        if self.empty_since is not None:
            ends.append(self.empty_since + EMPTY_SECONDS)
        return min(ends)

    def count_connections(self, now: float) -> None:
        """Start or stop the clock of an empty meeting, after an attendee joined or left."""
        connected = any(each.connected for each in self.attendees.values())
        self.empty_since = None if connected else self.empty_since or now

    def document(self) -> Json:
        """The API's `Meeting`."""
        kept = ("MeetingHostId", "ExternalMeetingId", "MediaRegion", "TenantIds")
        return {
            "MeetingId": self.meeting_id,
            **{name: self.request[name] for name in kept if name in self.request},
            "MediaPlacement": media_placement(self.request["MediaRegion"], self.meeting_id),
            "MeetingFeatures": self.features,
            "MeetingArn": self.arn,
        }
