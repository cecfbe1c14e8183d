"""What the service model does not say about an input, but the API reference does."""

from __future__ import annotations

import re
from typing import Any

from local.emulator.chime.errors import ChimeError, bad_request
from local.emulator.chime.media_regions import MEDIA_REGIONS

_EXTERNAL_ID = re.compile(r"[-_&@+=,(){}\[\]/«».:|'\"#a-zA-Z0-9À-ÿ\s]*")
_NOT_IMITATED = ("NotificationsConfiguration", "PrimaryMeetingId")
_SENDS_OR_RECEIVES = ("SendReceive", "Receive")

Json = dict[str, Any]


def check_meeting(request: Json) -> None:
    """Check the input of CreateMeeting.

    Raises:
        ChimeError: BadRequestException.
    """
    if request["MediaRegion"] not in MEDIA_REGIONS:
        raise bad_request(f"mediaRegion must be one of {', '.join(MEDIA_REGIONS)}")
    check_external_id("externalMeetingId", request["ExternalMeetingId"])
    for name in _NOT_IMITATED:
        if request.get(name):
            raise bad_request(f"{name} is not imitated by the local cloud; events go to EventBridge")


def check_external_id(name: str, value: str) -> None:
    """Check an external id of a meeting or a user.

    Raises:
        ChimeError: BadRequestException.
    """
    if not _EXTERNAL_ID.fullmatch(value):
        raise bad_request(f"{name} must satisfy regular expression pattern: {_EXTERNAL_ID.pattern}")
    if value.lower().startswith("aws:"):
        raise bad_request(f"{name} must not begin with aws:")


def check_capabilities(capabilities: Json, features: Json) -> None:
    """Check an attendee's capabilities against each other and the meeting's features.

    Raises:
        ChimeError: BadRequestException.
    """
    for kind in ("Video", "Content"):
        if features[kind]["MaxResolution"] == "None" and capabilities[kind] != "None":
            raise _validation(f"{kind} capability {capabilities[kind]} in a meeting whose {kind} resolution is None")
    if capabilities["Content"] in _SENDS_OR_RECEIVES and capabilities["Video"] not in _SENDS_OR_RECEIVES:
        raise _validation("Content capability needs Video capability SendReceive or Receive")


def _validation(message: str) -> ChimeError:
    return bad_request(f"ValidationError: {message}")
