"""Registrations survive a restart, a kill and a failed write."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from appsync_events_local.registry.store import FILE_NAME, Registry, RegistryError
from service_harness.running import API, KEY, TOKEN, Running, UserPool, running


async def test_registrations_survive_a_restart(tmp_path: Path, pool: UserPool) -> None:
    async with running(tmp_path, pool) as service:
        await service.namespace("js", "export function onPublish(ctx) { return [] }")
        before = await service.registered("GET", "apis")
    async with running(tmp_path, pool, fresh=False) as service:
        assert await service.registered("GET", "apis") == before
        assert (await service.post("js/a", "1"))[1] == {"failed": [], "successful": []}


async def test_failed_write_keeps_the_previous_registrations(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    await registry.replace({"a": {}})
    (tmp_path / FILE_NAME).with_suffix(".new").mkdir()
    with pytest.raises(OSError):
        await registry.replace({"b": {}})
    assert registry.apis == {"a": {}}
    again = Registry(tmp_path)
    again.load()
    assert again.apis == {"a": {}}


async def test_a_registration_that_cannot_be_saved_is_refused(service: Running, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).with_suffix(".new").mkdir()
    status, answer = await service.control("PUT", f"apis/{API}/namespaces/x", {"properties": {}})
    assert (status, "cannot be written" in answer["errors"][0]["message"]) == (500, True)
    assert (await service.post("x/a", "1"))[0] == 404
    assert (await service.control("DELETE", f"apis/{API}"))[0] == 500
    assert (await service.post("open/a", "1"))[0] == 200


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 99, "apis": {}}'])
def test_unreadable_registry_file_is_reported_and_kept(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    with pytest.raises(RegistryError, match="deploy again"):
        Registry(tmp_path).load()
    assert (tmp_path / FILE_NAME).read_text() == content


async def test_invalid_registrations_are_skipped_and_the_others_are_served(
    tmp_path: Path, pool: UserPool, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, pool):
        pass
    document = json.loads((tmp_path / FILE_NAME).read_text())
    document["apis"][API]["namespaces"]["bad"] = {"properties": {"CodeHandlers": "class X {}"}}
    document["apis"]["broken"] = {"definition": {}, "dataSources": {}, "namespaces": {}, "keys": {}}
    (tmp_path / FILE_NAME).write_text(json.dumps(document))
    async with running(tmp_path, pool, fresh=False) as service:
        assert (await service.post("open/a", "1"))[0] == 200
        assert (await service.post("bad/a", "1"))[0] == 404
        assert (await service.registered("GET", "apis"))["apis"]["broken"]["served"] is False
    assert "namespace bad not restored, deploy it again" in caplog.text
    assert "API broken not restored, deploy it again" in caplog.text


def test_registry_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    asyncio.run(Registry(tmp_path / "new").replace({}))
    assert (tmp_path / "new" / FILE_NAME).stat().st_mode & 0o777 == 0o600


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Start the command on a free port, in a process of its own."""
    (folder / "token").write_text(TOKEN + "\n")
    log = (folder / "log").open("wb")
    command = [sys.executable, "-m", "appsync_events_local", "--port", "0", "--state", str(folder / "state"),
               "--control-token-file", str(folder / "token"), "--cognito-endpoint", "http://127.0.0.1:1",
               "--aws-endpoint", "http://127.0.0.1:1", "--credentials", str(folder / "none.json")]  # fmt: skip
    process = subprocess.Popen(command, stderr=log)
    log.close()
    return process


async def serving(folder: Path, process: subprocess.Popen[bytes]) -> str:
    """Wait until the command serves; returns its base URL."""
    while process.poll() is None:
        for line in (folder / "log").read_text().splitlines():
            if "serving Event APIs on" in line:
                return "http://127.0.0.1:" + line.rsplit(":", 1)[1]
        await asyncio.sleep(0.02)
    raise AssertionError((folder / "log").read_text())


async def test_acknowledged_registrations_survive_a_kill(tmp_path: Path, pool: UserPool) -> None:
    process = start(tmp_path)
    try:
        async with aiohttp.ClientSession() as session:
            service = Running(await serving(tmp_path, process), session, pool, tmp_path)
            await service.register()
            await service.registered("PUT", f"apis/{API}/keys/{KEY}", {"properties": {}})
            acknowledged = [f"n{number}" for number in range(10)]
            for name in acknowledged:
                await service.namespace(name, "export function onPublish(ctx) { return ctx.events }")
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            process = start(tmp_path)
            again = Running(await serving(tmp_path, process), session, pool, tmp_path)
            for name in acknowledged:
                assert (await again.post(f"{name}/a", "1"))[0] == 200
    finally:
        process.kill()
        process.wait()


async def test_stopped_service_closes_its_connections_and_exits_with_0(tmp_path: Path, pool: UserPool) -> None:
    process = start(tmp_path)
    try:
        async with aiohttp.ClientSession() as session:
            service = Running(await serving(tmp_path, process), session, pool, tmp_path)
            await service.register()
            await service.registered("PUT", f"apis/{API}/keys/{KEY}", {"properties": {}})
            socket = await service.connect()
            process.send_signal(signal.SIGTERM)
            assert await socket.closed() == 1001
            assert await asyncio.to_thread(process.wait, 10) == 0
    finally:
        process.kill()
        process.wait()
