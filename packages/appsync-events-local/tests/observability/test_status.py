"""The status page: its content, its secrets kept out, and access from this machine's browser only."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from appsync_events_local.observability.activity import RECENT
from service_harness.running import API, KEY, TOKEN, Running, UserPool, running

HOSTILE = '"<script>alert(1)</script>"'


@pytest.fixture
async def busy(service: Running) -> AsyncIterator[Running]:
    """A service with a connection, publishes, refusals and a fault."""
    socket = await service.connect(service.jwt_authorization(username="<b>ada</b>"))
    await socket.subscribe("/open/a")
    await socket.subscribe("/nowhere/b", id="s2")
    await service.post("open/a", HOSTILE)
    await service.namespace("coded", "export function onPublish(ctx) { return ctx.events }")
    await service.faults({"match": {"operation": "connect", "channel": "/z"}, "effect": "close", "times": 2})
    yield service
    await socket.raw.close()


async def get(service: Running, path: str = "", headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    async with service.session.get(f"{service.url}/_status{path}", headers=headers) as answer:
        return answer.status, await answer.text()


async def test_page_shows_apis_namespaces_connections_publishes_refusals_metrics_and_faults(busy: Running) -> None:
    status, text = await get(busy)
    assert status == 200
    for shown in (
        f"{busy.host}/{API}/event", "API key, Cognito, IAM", "<code>coded</code>", "<td>code</td>",
        "1 connection(s), 1 subscription(s)", "&lt;b&gt;ada&lt;/b&gt;", "<code>/open/a</code>",
        "1 event(s) to 1 subscription(s)", "Channel namespace nowhere does not exist", "SubscribeClientError",
        "Active fault rules", "connect /z", "close before", "<td>2</td>",
    ):  # fmt: skip
        assert shown in text, shown


async def test_page_shows_neither_keys_nor_tokens_nor_payloads(busy: Running) -> None:
    _, text = await get(busy)
    for secret in (KEY, TOKEN, "alert(1)", "eyJ", "user-1"):
        assert secret not in text


async def test_payloads_are_shown_on_request_and_escaped(tmp_path: Path, pool: UserPool) -> None:
    async with running(tmp_path, pool, show_payloads=True) as service:
        await service.post("open/a", HOSTILE)
        _, text = await get(service)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert" not in text


async def test_page_shows_only_the_latest_publishes(service: Running) -> None:
    for number in range(RECENT + 5):
        await service.post(f"open/n{number}", "1")
    _, text = await get(service)
    assert "<code>/open/n5</code>" in text
    assert "<code>/open/n4</code>" not in text


async def test_page_says_that_no_api_is_registered(tmp_path: Path, pool: UserPool) -> None:
    async with running(tmp_path, pool, fresh=False) as service:
        assert "No Event API is registered yet." in (await get(service))[1]


async def test_page_serves_only_its_own_style_and_script(busy: Running) -> None:
    assert (await get(busy, "/page.css"))[0] == 200
    assert (await get(busy, "/page.js"))[0] == 200
    assert (await get(busy, "/routes.py"))[0] == 404
    _, text = await get(busy)
    assert "http:" not in text
    assert "https:" not in text, "the page works without a network"


CROSS = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
FOREIGN: dict[str, dict[str, str]] = {
    "rebound name": {"Host": "rebound.test"},
    "rebound name with the port": {"Host": "rebound.test:4567"},
    "another origin": {"Origin": "https://evil.test"},
    "no origin": {"Origin": "null"},
    "another port": {"Origin": "http://127.0.0.1:1"},
    "a fetch of another site": CROSS,
    "a fetch of another port": CROSS | {"Sec-Fetch-Site": "same-site"},
    "a frame": CROSS | {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    "a script": CROSS | {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"},
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN.keys())
async def test_requests_from_another_origin_are_refused(busy: Running, headers: dict[str, str]) -> None:
    for path in ("", "/page.js"):
        status, text = await get(busy, path, headers)
        assert status == 403
        assert API not in text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-origin"},
        CROSS | {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
    ],
)
async def test_navigation_and_same_origin_requests_get_the_page(busy: Running, headers: dict[str, str]) -> None:
    port = busy.host.rsplit(":", 1)[1]
    for name in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"):
        assert (await get(busy, "", {"Host": name, **headers}))[0] == 200
    same = {"Host": f"localhost:{port}", "Origin": f"http://localhost:{port}"}
    assert (await get(busy, "", same | headers))[0] == 200


async def test_page_has_restrictive_security_headers(busy: Running) -> None:
    async with busy.session.get(f"{busy.url}/_status") as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
