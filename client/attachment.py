"""The attachment of a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Attachment:
    """A file that a message shows. It is stored elsewhere; the message carries its address.

    Args:
        kind: how clients show the file.
        url: where the file is stored, `https://…`.
        file_name: the name to show.
        file_size: bytes.
        duration: seconds, for audio and video.
    """

    kind: Literal["AUDIO", "IMAGE", "VIDEO", "FILE"]
    url: str
    file_name: str | None = None
    file_size: int | None = None
    duration: float | None = None
