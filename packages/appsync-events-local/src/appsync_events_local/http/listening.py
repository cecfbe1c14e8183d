"""Binds sockets on the loopback addresses only."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Final

IPV4: Final = "127.0.0.1"
IPV6: Final = "::1"


@contextlib.contextmanager
def listening(port: int, *, ipv6: bool) -> Iterator[list[socket.socket]]:
    """Bind sockets of one port, and close them at the end of the `with` statement.

    Args:
        port: the port; 0 selects a free one.
        ipv6: whether ::1 is required; otherwise it is bound if possible.

    Raises:
        OSError: the port is in use.
    """
    with contextlib.ExitStack() as opened:
        sockets = [opened.enter_context(_bound(socket.AF_INET, IPV4, port))]
        try:
            sockets.append(opened.enter_context(_bound(socket.AF_INET6, IPV6, sockets[0].getsockname()[1])))
        except OSError:
            if ipv6:
                raise
        yield sockets


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise OSError(
            f"cannot listen on port {port} of {host} ({error.strerror}); choose another port: --port"
        ) from error
    return bound
