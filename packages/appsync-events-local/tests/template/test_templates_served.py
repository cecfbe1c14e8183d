"""The command serves the Event APIs of its templates, or prints every problem and exits with 2."""

import asyncio
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from appsync_events_local.cli.main import main
from service_harness.standalone import standalone
from service_harness.templates import KEY, api, namespace, write_assembly, write_template

ECHO = "export function onPublish(ctx) { return ctx.events }"


async def test_template_is_served_without_other_options(tmp_path: Path) -> None:
    file = write_template(tmp_path, {"Api": api(), "Key": KEY, "Space": namespace(CodeHandlers=ECHO)})
    async with standalone("--template", file) as running:
        assert "default: publish API_KEY, onPublish code; subscribe API_KEY, no onSubscribe" in running.announced
        socket = await running.subscribed("/default/*")
        assert (await running.post("default/x", '"hello"'))[0] == 200
        assert await socket.receive() == {"type": "data", "id": "s1", "event": '"hello"'}
        (token_file,) = re.findall(r"Token of the control API \(fault rules, metrics\): (\S+)", running.announced)
        assert len(await asyncio.to_thread(Path(token_file).read_text)) > 20
    assert not await asyncio.to_thread(Path(token_file).exists)


async def test_the_command_announces_itself_and_ends_cleanly(tmp_path: Path) -> None:
    file = write_template(tmp_path, {"Api": api(), "Key": KEY, "Space": namespace()})
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "appsync_events_local", "--port", "0", "--template", str(file),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        printed = await asyncio.wait_for(process.stdout.readuntil(b"Ctrl-C stops the service.\n"), 60)
        assert b"Amplify.configure({ API: { Events: {" in printed
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 30) == 0
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_several_apis_are_served_at_once_by_path_and_by_host_name(tmp_path: Path) -> None:
    second = tmp_path / "other"
    second.mkdir()
    one = write_template(tmp_path, {"Api": api(), "Key": KEY, "Space": namespace("one")})
    two = write_template(second, {"Api": api(), "Key": KEY, "Space": namespace("two")})
    async with standalone("--template", one, "--template", f"other={two}") as running:
        assert len(running.endpoints) == 2
        host = re.findall(r"by host +http://([^/]+)", running.announced)[1]
        assert (await running.post("one/x", "1", api=0))[0] == 200
        assert (await running.post("two/x", "1", api=1))[0] == 200
        (foreign, own), shared = running.keys, f"{running.base}/event"
        assert (await running.post("two/x", "1", api=1, headers={"x-api-key": foreign}))[0] == 401
        assert (await running.post("two/x", "1", url=shared, headers={"x-api-key": own, "host": host}))[0] == 200
        assert (await running.post("two/x", "1", url=shared, headers={"x-api-key": own}))[0] == 404


async def test_an_assembly_is_served(tmp_path: Path) -> None:
    async with standalone("--assembly", write_assembly(tmp_path / "cdk.out")) as running:
        assert "shared: publish API_KEY, no onPublish; subscribe API_KEY, onSubscribe code" in running.announced
        assert len(running.endpoints) == 3


async def test_fault_flags_are_in_force_from_the_start(tmp_path: Path) -> None:
    file = write_template(tmp_path, {"Api": api(), "Key": KEY, "Space": namespace()})
    async with standalone("--template", file, "--fault", "throttle:/default/*:1x") as running:
        assert "Active fault rule" in running.announced
        assert [(await running.post("default/x", "1"))[0] for _ in range(2)] == [429, 200]


def test_every_problem_is_printed_and_the_command_exits_with_2(
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
    file = write_template(tmp_path, resources)
    assert main(["--port", "0", "--template", str(file)]) == 2
    reported = capsys.readouterr().err
    for part in (
        "Class: CodeHandlers:1:1: ", "Loop: CodeHandlers:2:3: ", "Modes: PublishAuthModes: ", "Space: Name: ",
        "Data: Type: ",
    ):  # fmt: skip
        assert part in reported
    assert reported.count("remedy: ") == reported.count(str(file))


def test_invalid_api_does_not_hide_problems_of_its_handlers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    resources = {"Api": api(ConnectionAuthModes=[{"AuthType": "MAGIC"}]), "Space": namespace(CodeHandlers="class X {}")}
    assert main(["--port", "0", "--template", str(write_template(tmp_path, resources))]) == 2
    reported = capsys.readouterr().err
    assert "Api: EventConfig.ConnectionAuthModes[0].AuthType: " in reported
    assert "Space: CodeHandlers:1:1: " in reported


def test_table_that_cannot_be_created_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "TableName": "orders",
    }
    file = write_template(tmp_path, {"Api": api(), "Orders": {"Type": "AWS::DynamoDB::Table", "Properties": table}})
    given = ["--template", str(file), "--aws-endpoint", "http://127.0.0.1:1", "--create-tables"]
    assert main(["--port", "0", *given]) == 2
    assert f"{file}: Orders: table orders cannot be created at http://127.0.0.1:1: " in capsys.readouterr().err


def test_unreadable_file_does_not_hide_problems_of_other_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.json").write_text("{")
    file = write_template(tmp_path, {"Api": api(), "Space": namespace("x", CodeHandlers={"Ref": "None"})})
    assert main(["--port", "0", "--template", str(tmp_path / "broken.json"), "--template", str(file)]) == 2
    reported = capsys.readouterr().err
    assert "broken.json: is not JSON" in reported
    assert "Space: CodeHandlers: " in reported


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--assembly or --template is required"),
        (["--template", "x", "--parameter", "a"], "NAME=VALUE"),
        (["--template", "x", "--handler", "a=none.js"], "file none.js does not exist"),
        (["--template", "x", "--fault", "explode"], "'explode' is not a fault"),
        (["--template", "x", "--tls-key", "k"], "require each other"),
        (["--state", "x", "--watch"], "requires --assembly or --template"),
        (["--template", "x", "--create-tables"], "requires --aws-endpoint"),
    ],
)
def test_invalid_options_are_refused(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err
