"""--watch serves saved files at once; open sockets stay, and an invalid file leaves the served version in place."""

import asyncio
import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from service_harness.standalone import Standalone, standalone
from service_harness.templates import KEY, OF_API, api, namespace, write_assembly, write_template


def echo(word: str) -> str:
    return f"export function onPublish(ctx) {{ return ctx.events.map(({{ id }}) => ({{ id, payload: '{word}' }})) }}"


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not condition():  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.05)


async def becomes(running: Standalone, socket: Any, word: str) -> None:
    """Publish until the subscriber receives this text."""
    async with asyncio.timeout(15):
        while True:
            await running.post("default/x", "1")
            if json.loads((await socket.receive())["event"]) == word:
                return
            await asyncio.sleep(0.1)


async def test_saved_handler_applies_to_open_sockets(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = tmp_path / "code" / "own.js"
    source.parent.mkdir()
    source.write_text(echo("first"))
    file = write_template(tmp_path, {"Api": api(), "Key": KEY, "Space": namespace(CodeHandlers=echo("template"))})
    async with standalone("--template", file, "--handler", f"default={source}", "--watch") as running:
        socket = await running.subscribed("/default/*")
        await becomes(running, socket, "first")
        source.write_text(echo("second"))
        await becomes(running, socket, "second")
        source.write_text("export function onPublish(ctx) {\n  while (true) {}\n}")
        await until(lambda: f"{source}:2:3: " in caplog.text)
        assert "change not applied" in caplog.text
        await becomes(running, socket, "second")
        source.write_text(echo("third"))
        await becomes(running, socket, "third")


async def test_saved_template_replaces_the_served_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    resources = {"Api": api(), "Key": KEY, "Space": namespace(CodeHandlers=echo("old")), "Gone": namespace("gone")}
    file = write_template(tmp_path, resources)
    async with standalone("--template", file, "--watch") as running:
        socket = await running.subscribed("/default/*")
        file.write_text("{")
        await until(lambda: "is not JSON" in caplog.text)
        assert (await running.post("gone/x", "1"))[0] == 200, "an unreadable file changes nothing"
        write_template(
            tmp_path, {"Api": api(), "Key": KEY, "Space": namespace(CodeHandlers=echo("new")), "More": namespace("m")}
        )
        await becomes(running, socket, "new")
        await until(lambda: "the change is applied" in caplog.text)
        assert [(await running.post(f"{name}/x", "1"))[0] for name in ("m", "gone")] == [200, 404]


async def test_saved_function_code_runs_from_the_next_call(tmp_path: Path) -> None:
    source = tmp_path / "src" / "deep" / "judge.py"
    source.parent.mkdir(parents=True)

    def answer(word: str) -> str:
        return (
            "def handle(event, context):\n"
            f"    return {{'events': [{{'id': e['id'], 'payload': '{word}'}} for e in event['events']]}}\n"
        )

    source.write_text(answer("first"))
    direct = {"OnPublish": {"Behavior": "DIRECT", "Integration": {"DataSourceName": "judge"}}}
    resources = {
        "Api": api(),
        "Key": KEY,
        "Judge": {
            "Type": "AWS::Serverless::Function",
            "Properties": {"CodeUri": "src", "Handler": "deep.judge.handle", "Runtime": "python3.13"},
        },
        "Data": {
            "Type": "AWS::AppSync::DataSource",
            "Properties": {
                **OF_API,
                "Name": "judge",
                "Type": "AWS_LAMBDA",
                "LambdaConfig": {"LambdaFunctionArn": {"Fn::GetAtt": ["Judge", "Arn"]}},
            },
        },
        "Space": namespace(HandlerConfigs=direct),
    }
    async with standalone("--template", write_template(tmp_path, resources), "--watch") as running:
        socket = await running.subscribed("/default/*")
        await becomes(running, socket, "first")
        source.write_text(answer("second"))
        await becomes(running, socket, "second")


async def test_assembly_is_served_again_after_it_is_removed_and_rewritten(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    folder = tmp_path / "cdk.out"
    async with standalone("--assembly", write_assembly(folder), "--watch") as running:
        base = running.base
        await asyncio.to_thread(shutil.rmtree, folder)
        await until(lambda: "has no manifest.json" in caplog.text)
        async with running.session.get(f"{base}/_control/health") as answer:
            assert (await answer.json())["apis"] == 3, "the APIs are still served"
        await asyncio.to_thread(write_assembly, folder)
        await until(lambda: "the change is applied" in caplog.text)
        caplog.clear()
        (folder / "asset.one.js").write_text("class X {}")
        await until(lambda: f"{folder / 'asset.one.js'}:1:1: " in caplog.text)
