"""Where an Event API is: one HTTP address, and the socket's address that follows from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from appsync_events._errors import EndpointError

PATH = "/event"
_STANDARD = re.compile(r"(?P<label>[a-z0-9]{26})\.appsync-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
_REALTIME_SCHEMES = {"https": "wss", "http": "ws"}


@dataclass(frozen=True)
class Endpoint:
    """The two addresses of an Event API (AppSync Events: WebSocket protocol; custom domain names).

    Args:
        http_url: where events are published, `https://host/event`.
        realtime_url: the socket's, `wss://host/event/realtime`.
    """

    http_url: str
    realtime_url: str

    @classmethod
    def parse(cls, address: str) -> Endpoint:
        """Find both addresses from one.

        Args:
            address: `https://…/event`, or a host alone (the `Dns.Http` of CloudFormation). AWS's own hosts have the
                socket on a host of its own; a custom domain, and any other server, has it below the same path.
                `http://` is for servers on this machine.

        Raises:
            EndpointError: the text is no such address.
        """
        parts = urlsplit(address if "://" in address else f"https://{address}")
        scheme = _REALTIME_SCHEMES.get(parts.scheme)
        if scheme is None or not parts.hostname or parts.query or parts.fragment:
            raise EndpointError(
                f"{address!r} is no Event API's address; one looks like https://events.example.com/event"
            )
        path = parts.path.rstrip("/") or PATH
        host = parts.netloc
        realtime = host.replace(".appsync-api.", ".appsync-realtime-api.", 1) if _STANDARD.fullmatch(host) else host
        return cls(f"{parts.scheme}://{host}{path}", f"{scheme}://{realtime}{path}/realtime")

    @property
    def host(self) -> str:
        """The host that credentials name: always the HTTP host, with its port where it has one."""
        return urlsplit(self.http_url).netloc

    @property
    def region(self) -> str | None:
        """The AWS region in one of AWS's own hosts; None for others, which do not say."""
        standard = _STANDARD.fullmatch(self.host)
        return standard["region"] if standard else None
