"""WebSocket framing for clients that must cost less than what they measure (RFC 6455, section 5.2)."""

from __future__ import annotations

from struct import pack
from typing import Final

UNMASKED: Final = b"\0\0\0\0"
"""A mask that changes nothing: the server unmasks as ever, the client saves the work."""


def frame(
    payload: bytes,
    *,
    opcode: int = 0x1,
    final: bool = True,
    reserved: int = 0,
    mask: bytes | None = UNMASKED,
    length: int | None = None,
) -> bytes:
    """One frame of a client, well-formed or not.

    Args:
        mask: `None` leaves the masking out, which a client must not.
        length: what the frame says of its length, if that is not the truth.
    """
    said = len(payload) if length is None else length
    masked = 0x80 if mask is not None else 0
    head = bytes([(0x80 if final else 0) | reserved | opcode])
    if said < 126:
        head += bytes([masked | said])
    elif said < 1 << 16:
        head += bytes([masked | 126]) + pack("!H", said)
    else:
        head += bytes([masked | 127]) + pack("!Q", said)
    if mask is None:
        return head + payload
    if mask == UNMASKED:
        return head + mask + payload
    key = int.from_bytes((mask * (len(payload) // 4 + 1))[: len(payload)])
    return head + mask + (int.from_bytes(payload) ^ key).to_bytes(len(payload))


def payload_of(data: bytes) -> tuple[bytes, bytes] | None:
    """The payload of the first frame of a server, and what follows it; `None` if it is not complete."""
    if len(data) < 2:
        return None
    length, start = data[1] & 0x7F, 2
    if length > 125:
        start = 4 if length == 126 else 10
        length = int.from_bytes(data[2:start])
    if len(data) < start + length:
        return None
    return data[start : start + length], data[start + length :]
