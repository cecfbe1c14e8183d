"""The addresses of an Event API: for HTTP, and for the WebSocket."""

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
        http_url: for HTTP publishes, `https://host/event`.
        realtime_url: for the WebSocket, `wss://host/event/realtime`.
    """

    http_url: str
    realtime_url: str

    @classmethod
    def parse(cls, address: str) -> Endpoint:
        """Derive both addresses from the HTTP address.

        Args:
            address: `https://…/event`, or the host alone (`Dns.Http` in CloudFormation). For AWS's own hosts the
                WebSocket has a separate host; for a custom domain and any other server it is below the same path.
                `http://` is for servers on this machine.

        Raises:
            EndpointError: the address is invalid.
        """
        parts = urlsplit(address if "://" in address else f"https://{address}")
        scheme = _REALTIME_SCHEMES.get(parts.scheme)
        if scheme is None or not parts.hostname or parts.query or parts.fragment:
            raise EndpointError(
                f"{address!r} is not the address of an Event API; expected for example "
                "https://events.example.com/event or a host name"
            )
        path = parts.path.rstrip("/") or PATH
        host = parts.netloc
        realtime = host.replace(".appsync-api.", ".appsync-realtime-api.", 1) if _STANDARD.fullmatch(host) else host
        return cls(f"{parts.scheme}://{host}{path}", f"{scheme}://{realtime}{path}/realtime")

    @property
    def host(self) -> str:
        """The host in credentials: always the HTTP host, with its port if there is one."""
        return urlsplit(self.http_url).netloc

    @property
    def region(self) -> str | None:
        """The AWS region, if the host is one of AWS's own; else None."""
        standard = _STANDARD.fullmatch(self.host)
        return standard["region"] if standard else None
