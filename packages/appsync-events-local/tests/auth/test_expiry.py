"""API keys and tokens that expire while a socket uses them: new operations are refused, the socket stays open."""

import time
from pathlib import Path

from service_harness.running import API, KEY, UserPool, running

DAY = 24 * 3600


async def test_expired_api_key_is_refused_while_its_socket_stays_open(tmp_path: Path, pool: UserPool) -> None:
    ahead = 0.0
    async with running(tmp_path, pool, clock=lambda: time.time() + ahead) as service:
        properties = {"Expires": int(time.time()) + DAY}
        await service.registered("PUT", f"apis/{API}/keys/{KEY}", {"properties": properties})
        socket = await service.connect()
        assert (await socket.subscribe("/open/a"))["type"] == "subscribe_success"
        ahead = DAY + 1.0
        refused = await socket.subscribe("/open/b", id="s2")
        assert refused["errors"][0]["errorType"] == "UnauthorizedException"
        assert (await service.post("open/a", "1"))[0] == 401
        late = await service.open()
        assert (await late.ask(type="connection_init"))["errors"][0]["errorCode"] == 401
        await service.registered(
            "PUT", f"apis/{API}/keys/{KEY}", {"properties": {"Expires": int(time.time()) + 3 * DAY}}
        )
        assert (await service.post("open/a", '"still here"'))[0] == 200
        assert await socket.receive() == {"type": "data", "id": "s1", "event": '"still here"'}


async def test_expired_token_is_refused_while_its_socket_stays_open(tmp_path: Path, pool: UserPool) -> None:
    ahead = 0.0
    async with running(tmp_path, pool, clock=lambda: time.time() + ahead) as service:
        socket = await service.connect(service.jwt_authorization())
        assert (await socket.subscribe("/open/a"))["type"] == "subscribe_success"
        ahead = 3700.0
        refused = await socket.subscribe("/open/b", id="s2")
        assert refused["errors"][0]["errorType"] == "UnauthorizedException"
        assert (await service.post("open/a", "1"))[0] == 200
        assert (await socket.receive())["type"] == "data"
