"""What is known of a connection before it says anything: where it came in, and how it may be scaled."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appsync_events_local.auth.credentials import Credentials


@dataclass(frozen=True)
class UpgradeRequest:
    """Where a connection came in: what its signatures cover and what its handlers see.

    Attributes:
        paths: the HTTP paths that a frame's signature may cover.
        hosts: the names that credentials may be made for.
        source_ip: the client's address.
        headers: `ctx.request.headers`.
    """

    paths: tuple[str, ...]
    hosts: frozenset[str]
    source_ip: str
    headers: Mapping[str, str | list[str]]

    def credentials(self, headers: Mapping[str, str], signed: Mapping[str, Any], *, connect: bool) -> Credentials:
        """The credentials of an upgrade or a frame; `signed` is the JSON that a signature covers."""
        return Credentials(headers, self.source_ip, self.paths, signed, hosts=self.hosts, host_required=connect)


@dataclass(frozen=True)
class SessionSettings:
    """What may be scaled for tests and benchmarks; times in seconds."""

    keep_alive_seconds: float
    lifetime_seconds: float
    max_unsent_bytes: int
    publishes_per_second: int
