"""The three loopback ports of a local cloud."""

from __future__ import annotations

import socket
from dataclasses import asdict, dataclass

LOOPBACK = "127.0.0.1"
DEFAULT_BASE_PORT = 4566


class PortBusyError(Exception):
    """A port that the local cloud needs is taken; the message names it and the remedy."""


@dataclass(frozen=True)
class Ports:
    """Emulator of AWS, AppSync Events service and web page, all on the loopback address."""

    emulator: int
    events: int
    web: int

    @classmethod
    def from_base(cls, base: int) -> Ports:
        """Three consecutive ports starting at `base`."""
        return cls(base, base + 1, base + 2)

    @classmethod
    def free(cls) -> Ports:
        """Three ports that the operating system says are free now."""
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(3)]
        try:
            for each in sockets:
                each.bind((LOOPBACK, 0))
            return cls(*(each.getsockname()[1] for each in sockets))
        finally:
            for each in sockets:
                each.close()

    def as_dict(self) -> dict[str, int]:
        return asdict(self)

    @property
    def emulator_url(self) -> str:
        return f"http://{LOOPBACK}:{self.emulator}"

    @property
    def events_url(self) -> str:
        return f"http://{LOOPBACK}:{self.events}"

    @property
    def web_url(self) -> str:
        return f"http://localhost:{self.web}"


def require_free(ports: Ports) -> None:
    """Check that every port can be bound.

    Raises:
        PortBusyError: naming the first port that is taken.
    """
    for purpose, port in ports.as_dict().items():
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError as error:
                raise PortBusyError(
                    f"port {port} ({purpose}) is taken: {error.strerror}; stop the program that uses it, "
                    "or choose others with --ports BASE or --free-ports"
                ) from error
