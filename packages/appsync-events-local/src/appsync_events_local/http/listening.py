"""Sockets on the loopback addresses, and nowhere else."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Final

IPV4: Final = "127.0.0.1"
IPV6: Final = "::1"


@contextlib.contextmanager
def listening(port: int, *, ipv6: bool) -> Iterator[list[socket.socket]]:
    """Bound sockets of one port, closed at the end.

    Args:
        port: 0 takes a free one.
        ipv6: whether ::1 must be among them; otherwise it is if it can be.

    Raises:
        OSError: the port is taken.
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
            f"port {port} on {host} cannot be listened on ({error.strerror}); choose another: --port"
        ) from error
    return bound
