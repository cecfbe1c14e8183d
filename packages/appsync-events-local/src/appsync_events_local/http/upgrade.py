"""The upgrade request of a connection, and the settings of connections."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appsync_events_local.auth.credentials import Credentials


@dataclass(frozen=True)
class UpgradeRequest:
    """The upgrade request of a connection: what its signatures cover, and what its handlers see.

    Attributes:
        paths: the HTTP paths that a frame's signature may cover.
        hosts: the allowed values of `host` in credentials.
        source_ip: the client's address.
        headers: `ctx.request.headers`.
    """

    paths: tuple[str, ...]
    hosts: frozenset[str]
    source_ip: str
    headers: Mapping[str, str | list[str]]

    def credentials(self, headers: Mapping[str, str], signed: Mapping[str, Any], *, connect: bool) -> Credentials:
        """Return the credentials of an upgrade or a frame; `signed` is the JSON object that a signature covers."""
        return Credentials(headers, self.source_ip, self.paths, signed, hosts=self.hosts, host_required=connect)


@dataclass(frozen=True)
class SessionSettings:
    """Limits of connections, adjustable for tests and benchmarks; times in seconds."""

    keep_alive_seconds: float
    lifetime_seconds: float
    max_unsent_bytes: int
    publishes_per_second: int
