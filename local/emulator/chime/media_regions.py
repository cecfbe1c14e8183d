"""Regions in which meetings are held, and the addresses that clients of a meeting would connect to.

The addresses have AWS's form, so that a client's parsing meets what it will meet there; nothing answers at them.
"""

from __future__ import annotations

import hashlib

MEDIA_REGIONS = (
    "af-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-south-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "us-gov-east-1",
    "us-gov-west-1",
)
"""CreateMeeting, `MediaRegion`, in the API reference."""

_DIRECTIONS = {"south": "o", "central": "c", "north": "n", "northeast": "n", "southeast": "s", "east": "e", "west": "w"}


def media_placement(region: str, meeting_id: str) -> dict[str, str]:
    """The `MediaPlacement` of a meeting.

    Args:
        region: its media region.
        meeting_id: its id.
    """
    *area, direction, number = region.split("-")
    code = f"{area[0][0]}{_DIRECTIONS[direction]}{number}"
    host = f"m{1 + int(meeting_id[-1], 16) % 3}.{code}.app.chime.aws"
    audio = hashlib.blake2b(meeting_id.encode(), digest_size=16).hexdigest()
    screen = f"wss://bitpw.{host}:443"
    return {
        "AudioHostUrl": f"{audio}.k.{host}:3478",
        "AudioFallbackUrl": f"wss://haxrp.{host}:443/calls/{meeting_id}",
        "SignalingUrl": f"wss://signal.{host}/control/{meeting_id}",
        "TurnControlUrl": f"https://{meeting_id[-4:]}.cell.{region}.meetings.chime.aws/v2/turn_sessions",
        "ScreenDataUrl": f"{screen}/v2/screen/{meeting_id}",
        "ScreenViewingUrl": f"{screen}/ws/connect?passcode=null&viewer_uuid=null&X-BitHub-Call-Id={meeting_id}",
        "ScreenSharingUrl": f"{screen}/v2/screen/{meeting_id}",
        "EventIngestionUrl": f"https://data.svc.{code}.ingest.chime.aws/v1/client-events",
    }
