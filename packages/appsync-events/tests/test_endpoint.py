"""Both addresses of an Event API are derived from any form of its HTTP address."""

from __future__ import annotations

import pytest
from appsync_events import Endpoint, EndpointError

LABEL = "abcdefghijklmnopqrstuvwxyz"
STANDARD = (
    f"https://{LABEL}.appsync-api.eu-central-1.amazonaws.com/event",
    f"wss://{LABEL}.appsync-realtime-api.eu-central-1.amazonaws.com/event/realtime",
    "eu-central-1",
)
ADDRESSES: list[tuple[str, tuple[str, str, str | None]]] = [
    (f"https://{LABEL}.appsync-api.eu-central-1.amazonaws.com/event", STANDARD),
    (f"https://{LABEL}.appsync-api.eu-central-1.amazonaws.com/event/", STANDARD),
    (f"{LABEL}.appsync-api.eu-central-1.amazonaws.com", STANDARD),
    (
        f"{LABEL}.appsync-api.cn-north-1.amazonaws.com.cn",
        (
            f"https://{LABEL}.appsync-api.cn-north-1.amazonaws.com.cn/event",
            f"wss://{LABEL}.appsync-realtime-api.cn-north-1.amazonaws.com.cn/event/realtime",
            "cn-north-1",
        ),
    ),
    (
        "https://events.example.com",
        ("https://events.example.com/event", "wss://events.example.com/event/realtime", None),
    ),
    (
        "http://127.0.0.1:4100/other/event",
        ("http://127.0.0.1:4100/other/event", "ws://127.0.0.1:4100/other/event/realtime", None),
    ),
]


@pytest.mark.parametrize(("address", "expected"), ADDRESSES, ids=[address for address, _ in ADDRESSES])
def test_both_addresses_and_region_are_derived(address: str, expected: tuple[str, str, str | None]) -> None:
    endpoint = Endpoint.parse(address)
    assert (endpoint.http_url, endpoint.realtime_url, endpoint.region) == expected


@pytest.mark.parametrize("address", ["", "ftp://x/event", "https:///event", "https://x/event?a=b", "wss://x/event"])
def test_invalid_address_is_refused_with_an_example(address: str) -> None:
    with pytest.raises(EndpointError, match=r"https://events\.example\.com/event"):
        Endpoint.parse(address)


def test_host_of_credentials_is_the_http_host_with_its_port() -> None:
    assert Endpoint.parse("http://localhost:4100/event").host == "localhost:4100"
    assert Endpoint.parse(LABEL + ".appsync-api.us-east-1.amazonaws.com").host.startswith(f"{LABEL}.appsync-api.")
