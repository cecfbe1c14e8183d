"""The command serves what templates hold, or says everything that is wrong with them and ends with 2."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from local.events.__main__ import main
from tests.events_service.harness import SUBPROTOCOL, Socket, header_protocol
from tests.events_service.test_template_files import api, assembly, namespace, written

ROOT = Path(__file__).resolve().parents[2]
KEY = {"Type": "AWS::AppSync::ApiKey", "Properties": {"ApiId": {"Fn::GetAtt": ["Api", "ApiId"]}}}
ECHO = "export function onPublish(ctx) { return ctx.events }"


@dataclass
class Command:
    """The command while it runs: what it printed, and the address in it."""

    process: asyncio.subprocess.Process
    printed: str
    errors: Path

    @property
    def endpoints(self) -> list[str]:
        return re.findall(r"HTTP +(\S+)", self.printed)

    @property
    def keys(self) -> list[str]:
        return re.findall(r"da2-\w+(?=  until)", self.printed)


@asynccontextmanager
async def command(folder: Path, *arguments: str) -> AsyncIterator[Command]:
    """Run `python -m local.events` on a free port until the block ends."""
    errors = folder / "stderr"
    with errors.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "local.events", "--port", "0", *arguments, cwd=ROOT,
            stdout=subprocess.PIPE, stderr=file,
        )  # fmt: skip
    try:
        printed = ""
        assert process.stdout is not None
        while "Ctrl-C" not in printed:
            line = await asyncio.wait_for(process.stdout.readline(), 30)
            assert line, errors.read_text()
            printed += line.decode()
        yield Command(process, printed, errors)
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), 30)


async def publish(endpoint: str, key: str, channel: str, **headers: str) -> tuple[int, Any]:
    body = {"channel": channel, "events": ['"hello"']}
    own = {"x-api-key": key, **headers}
    async with aiohttp.ClientSession() as session, session.post(endpoint, json=body, headers=own) as answer:
        return answer.status, await answer.json()


async def test_a_template_is_served_with_nothing_else_given(tmp_path: Path) -> None:
    file = written(tmp_path, {"Api": api(), "Key": KEY, "Space": namespace(CodeHandlers=ECHO)})
    async with command(tmp_path, "--template", str(file)) as running:
        (endpoint,), (key,) = running.endpoints, running.keys
        assert "default: publish API_KEY, onPublish code; subscribe API_KEY, no onSubscribe" in running.printed
        realtime = endpoint.replace("http://", "ws://") + "/realtime"
        own = {"host": endpoint.split("/")[2], "x-api-key": key}
        async with aiohttp.ClientSession() as session:
            raw = await session.ws_connect(realtime, protocols=[SUBPROTOCOL, header_protocol(own)])
            socket = Socket(raw, own)
            assert (await socket.ask(type="connection_init"))["type"] == "connection_ack"
            assert (await socket.subscribe("/default/*"))["type"] == "subscribe_success"
            assert (await publish(endpoint, key, "default/x"))[0] == 200
            assert await socket.receive() == {"type": "data", "id": "s1", "event": '"hello"'}
        (token_file,) = re.findall(r"the token in (\S+)\.", running.printed)
        assert len(await asyncio.to_thread(Path(token_file).read_text)) > 20
    assert not await asyncio.to_thread(Path(token_file).exists)


async def test_several_apis_are_served_at_once_by_path_and_by_host_name(tmp_path: Path) -> None:
    second = tmp_path / "other"
    second.mkdir()
    one = written(tmp_path, {"Api": api(), "Key": KEY, "Space": namespace("one")})
    two = written(second, {"Two": api(), "Api": api(), "Key": KEY, "Space": namespace("two")}).rename(second / "o.json")
    async with command(tmp_path, "--template", str(one), "--template", str(two)) as running:
        assert len(running.endpoints) == 3
        first, _, third = running.endpoints
        names = re.findall(r"by host +http://([^/]+)", running.printed)
        base = "http://" + first.split("/")[2]
        assert (await publish(first, running.keys[0], "one/x"))[0] == 200
        assert (await publish(third, running.keys[1], "two/x"))[0] == 200
        assert (await publish(third, running.keys[0], "two/x"))[0] == 401
        assert (await publish(base + "/event", running.keys[1], "two/x", host=names[2]))[0] == 200
        assert (await publish(base + "/event", running.keys[1], "two/x"))[0] == 404


async def test_an_assembly_is_served(tmp_path: Path) -> None:
    async with command(tmp_path, "--assembly", str(assembly(tmp_path / "cdk.out"))) as running:
        assert "shared: publish API_KEY, no onPublish; subscribe API_KEY, onSubscribe code" in running.printed
        assert len(running.endpoints) == 2


def test_everything_that_cannot_be_served_is_said_and_the_command_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    resources = {
        "Api": api(),
        "Class": namespace("class", CodeHandlers="class X {}"),
        "Loop": namespace("loop", CodeHandlers="export function onPublish(ctx) {\n  while (true) {}\n}"),
        "Modes": namespace("modes", PublishAuthModes=[{"AuthType": "AWS_IAM"}]),
        "Space": namespace("bad_name"),
        "Data": {
            "Type": "AWS::AppSync::DataSource",
            "Properties": {"ApiId": {"Fn::GetAtt": ["Api", "ApiId"]}, "Name": "sql", "Type": "RELATIONAL_DATABASE"},
        },
    }
    file = written(tmp_path, resources)
    assert main(["--port", "0", "--template", str(file)]) == 2
    told = capsys.readouterr().err
    for part in (
        "Class: CodeHandlers:1:1: ", "Loop: CodeHandlers:2:3: ", "Modes: PublishAuthModes: ", "Space: Name: ",
        "Data: Type: ",
    ):  # fmt: skip
        assert part in told
    assert told.count("remedy: ") == told.count(str(file))


def test_a_broken_file_does_not_hide_the_problems_of_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.json").write_text("{")
    file = written(tmp_path, {"Api": api(), "Space": namespace("x", CodeHandlers={"Ref": "None"})})
    assert main(["--port", "0", "--template", str(tmp_path / "broken.json"), "--template", str(file)]) == 2
    told = capsys.readouterr().err
    assert "broken.json: is not JSON" in told
    assert "Space: CodeHandlers: " in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --assembly or --template"),
        (["--template", "x", "--parameter", "a"], "NAME=VALUE"),
        (["--template", "x", "--handler", "a=none.js"], "there is no file none.js"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


async def test_expired_keys_are_named(tmp_path: Path) -> None:
    key = json.loads(json.dumps(KEY))
    key["Properties"]["Expires"] = 1_600_000_000
    file = written(tmp_path, {"Api": api(), "Key": key, "Space": namespace()})
    async with command(tmp_path, "--template", str(file)) as running:
        assert "EXPIRED at 2020-09-13" in running.printed
