"""What tests of the Chime stand-in do with its client again and again."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


def create(client: Any, token: str | None = None, **more: Any) -> dict[str, Any]:
    name = token or str(uuid.uuid4())
    request = {"ClientRequestToken": name, "ExternalMeetingId": name, "MediaRegion": "eu-central-1", **more}
    return dict(client.create_meeting(**request)["Meeting"])


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]
