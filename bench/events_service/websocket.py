"""Minimal WebSocket framing (RFC 6455, section 5.2), so that load clients use little processor time."""

from __future__ import annotations

from struct import pack
from typing import Final

UNMASKED: Final = b"\0\0\0\0"
"""A mask of zeros: the server unmasks as usual, the client need not mask."""


def frame(
    payload: bytes,
    *,
    opcode: int = 0x1,
    final: bool = True,
    reserved: int = 0,
    mask: bytes | None = UNMASKED,
    length: int | None = None,
) -> bytes:
    """Return one client frame, well-formed or malformed.

    Args:
        payload: the payload.
        opcode: the opcode.
        final: the FIN bit.
        reserved: the RSV bits, as part of the first byte.
        mask: the masking key; `None` sends no mask, which RFC 6455 forbids a client.
        length: a false length for the header; by default the true one.
    """
    announced = len(payload) if length is None else length
    masked = 0x80 if mask is not None else 0
    head = bytes([(0x80 if final else 0) | reserved | opcode])
    if announced < 126:
        head += bytes([masked | announced])
    elif announced < 1 << 16:
        head += bytes([masked | 126]) + pack("!H", announced)
    else:
        head += bytes([masked | 127]) + pack("!Q", announced)
    if mask is None:
        return head + payload
    if mask == UNMASKED:
        return head + mask + payload
    key = int.from_bytes((mask * (len(payload) // 4 + 1))[: len(payload)])
    return head + mask + (int.from_bytes(payload) ^ key).to_bytes(len(payload))


def payload_of(data: bytes) -> tuple[bytes, bytes] | None:
    """Return the payload of the first server frame and the bytes after it; `None` if the frame is incomplete."""
    if len(data) < 2:
        return None
    length, start = data[1] & 0x7F, 2
    if length > 125:
        start = 4 if length == 126 else 10
        length = int.from_bytes(data[2:start])
    if len(data) < start + length:
        return None
    return data[start : start + length], data[start + length :]
