"""TCP connections to hosts of the environment, also to names below `localhost`, which the local cloud uses."""

from __future__ import annotations

import socket
import ssl
from urllib.parse import SplitResult

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_ENCRYPTED = frozenset({"https", "wss"})


def connect(url: SplitResult, seconds: float) -> socket.socket:
    """Return a connection to the host of a URL, with TLS where its scheme has it.

    Names below `localhost` are loopback addresses by definition (RFC 6761, section 6.3), but most resolvers do not know
    them.

    Args:
        url: its scheme is http, https, ws or wss.
        seconds: time limit of connecting, and of each read and write.

    Raises:
        OSError: the host cannot be reached.
    """
    host = url.hostname or ""
    address = "127.0.0.1" if host.endswith(".localhost") else host
    connection = socket.create_connection((address, url.port or _PORTS[url.scheme]), timeout=seconds)
    if url.scheme not in _ENCRYPTED:
        return connection
    return ssl.create_default_context().wrap_socket(connection, server_hostname=host)
