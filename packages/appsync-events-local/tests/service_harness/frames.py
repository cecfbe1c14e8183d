"""Decodes the WebSocket frames that a server writes (RFC 6455, section 5.2)."""


def frames(data: bytes) -> list[str]:
    """The texts of a sequence of unmasked text frames."""
    texts = []
    while data:
        assert data[0] == 0x81
        length, start = data[1], 2
        if length == 126:
            length, start = int.from_bytes(data[2:4]), 4
        elif length == 127:
            length, start = int.from_bytes(data[2:10]), 10
        texts.append(data[start : start + length].decode())
        data = data[start + length :]
    return texts
