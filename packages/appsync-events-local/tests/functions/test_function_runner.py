"""Functions of a template run like on Lambda: event, context, environment, errors, limits and processes."""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from appsync_events_local.functions.invoker import FunctionTimeoutError, FunctionUnavailableError, UnknownFunctionError
from appsync_events_local.functions.model import FunctionModel, InlineCode
from appsync_events_local.functions.runner import REQUEST_BYTES, FunctionRunner
from appsync_events_local.local_identity import LOCAL_ACCESS_KEY_ID
from service_harness.lambda_functions import ARN, NODE, ask, node, python

Start = Callable[..., FunctionRunner]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    made: list[FunctionRunner] = []

    def starter(*models: FunctionModel, **options: Any) -> FunctionRunner:
        made.append(FunctionRunner(models, **options))
        return made[-1]

    yield starter
    for runner in made:
        await runner.close()


async def error_of(runner: FunctionRunner, function: str, event: Any) -> dict[str, Any]:
    invocation = await runner.invoke(function, json.dumps(event).encode(), asynchronous=False)
    assert invocation.function_error == "Unhandled", invocation.payload
    error: dict[str, Any] = json.loads(invocation.payload)
    return error


async def test_a_python_function_gets_its_event_context_and_environment(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SERVICE", "not for functions")
    model = python(tmp_path, environment={"TABLE": "t"}, memory_mb=256)
    runner = start(model, environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    answer = await ask(runner, f"{model.arn}:live", {"text": "é😀", "n": 1.5})
    assert answer["event"] == {"text": "é😀", "n": 1.5}
    assert answer["function"] == ["py", model.arn, "256"]
    assert 0 < answer["left"] <= 3000
    environment = answer["environment"]
    assert (environment["TABLE"], environment["_HANDLER"]) == ("t", "app.handler")
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert environment["AWS_ACCESS_KEY_ID"] == LOCAL_ACCESS_KEY_ID, "the key that signs publishes to the service"
    assert "SECRET_OF_THE_SERVICE" not in environment


async def test_process_is_reused_and_loads_its_code_once(tmp_path: Path, start: Start) -> None:
    runner = start(python(tmp_path))
    answers = [await ask(runner, "py", {}) for _ in range(3)]
    assert [answer["calls"] for answer in answers] == [1, 2, 3]
    assert len({answer["pid"] for answer in answers}) == 1


async def test_concurrent_calls_run_in_separate_processes_up_to_the_limit(tmp_path: Path, start: Start) -> None:
    runner = start(python(tmp_path), processes=2)
    answers = await asyncio.gather(*(ask(runner, "py", {"do": "sleep", "seconds": 0.2}) for _ in range(6)))
    assert len({answer["pid"] for answer in answers}) == 2


async def test_exception_of_a_function_is_returned_as_its_error(tmp_path: Path, start: Start) -> None:
    runner = start(python(tmp_path), node())
    error = await error_of(runner, "py", {"do": "raise"})
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no such luck")
    assert "app.py" in error["stackTrace"][-1]
    error = await error_of(runner, "js", {"do": "raise"})
    assert (error["errorType"], error["errorMessage"]) == ("TypeError", "no such luck")
    assert (await error_of(runner, "py", {"do": "object"}))["errorType"] == "Runtime.MarshalError"
    too_large = await error_of(runner, "py", {"do": "large", "size": REQUEST_BYTES})
    assert too_large["errorType"] == "Function.ResponseSizeTooLarge"


async def test_function_that_times_out_is_killed_and_the_next_call_succeeds(tmp_path: Path, start: Start) -> None:
    runner = start(python(tmp_path, timeout_seconds=1.5), node(timeout_seconds=1.5))
    pid = (await ask(runner, "py", {}))["pid"]
    with pytest.raises(FunctionTimeoutError, match=r"timed out after 1\.50 seconds"):
        await runner.invoke("py", b'{"do": "sleep", "seconds": 60}', asynchronous=False)
    assert_gone(pid)
    assert (await ask(runner, "py", {}))["pid"] != pid
    with pytest.raises(FunctionTimeoutError):
        await runner.invoke("js", b'{"do": "spin"}', asynchronous=False)


async def test_answer_of_a_cancelled_call_is_not_given_to_the_next_caller(tmp_path: Path, start: Start) -> None:
    runner = start(python(tmp_path), processes=1)
    await ask(runner, "py", {})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(runner.invoke("py", b'{"do": "sleep", "seconds": 2}', asynchronous=False), 0.2)
    assert (await ask(runner, "py", {"mine": True}))["event"] == {"mine": True}


async def test_call_cancelled_during_process_start_leaves_no_extra_process(start: Start) -> None:
    code = InlineCode("import os, time\ntime.sleep(0.5)\ndef handler(event, context): return os.getpid()")
    runner = start(FunctionModel("slow", ARN + "slow", "python3.13", "index.handler", code), processes=1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(runner.invoke("slow", b"{}", asynchronous=False), 0.1)
    first = await ask(runner, "slow", {})
    later = {await ask(runner, "slow", {}) for _ in range(2)}
    assert len(later) == 1
    if first not in later:
        assert_gone(first)


async def test_close_ends_processes_that_are_starting(tmp_path: Path) -> None:
    for delay in (0, 0.001, 0.01, 0.05, 0.2):
        runner = FunctionRunner([python(tmp_path), node()])
        for name in ("py", "js", "py", "js"):
            await runner.invoke(name, b"{}", asynchronous=True)
        await asyncio.sleep(delay)
        await runner.close()


async def test_exit_during_a_call_is_reported_as_runtime_exit_error(tmp_path: Path, start: Start) -> None:
    runner = start(python(tmp_path))
    error = await error_of(runner, "py", {"do": "exit"})
    assert error == {"errorType": "Runtime.ExitError", "errorMessage": "Runtime exited with error: exit status 3"}
    assert (await ask(runner, "py", {}))["calls"] == 1


@pytest.mark.parametrize(
    ("model", "kind", "words"),
    [
        (FunctionModel("f", ARN + "f", "python3.12", "index.handler", InlineCode("import nothing_here")),
         "Runtime.ImportModuleError", "nothing_here"),
        (FunctionModel("f", ARN + "f", "python3.12", "index.other", InlineCode("x = 1")),
         "AttributeError", "Handler 'other' missing"),
        (FunctionModel("f", ARN + "f", "python3.12", "index", InlineCode("x = 1")), "ValueError", "Bad handler"),
        (FunctionModel("f", ARN + "f", "nodejs22.x", "other.handler", InlineCode("")),
         "Runtime.ImportModuleError", "Cannot find module 'other'"),
        (FunctionModel("f", ARN + "f", "nodejs22.x", "index.other", InlineCode("exports.handler = 1")),
         "Error", "not a function"),
    ],
    ids=["import", "no function", "bad handler", "node import", "node no function"],
)  # fmt: skip
async def test_function_that_cannot_be_loaded_returns_the_reason(
    start: Start, model: FunctionModel, kind: str, words: str
) -> None:
    error = await error_of(start(model), "f", {})
    assert error["errorType"] == kind
    assert words in error["errorMessage"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("esm.mjs", NODE),
        ("common.js", "exports.handler = (event, context, done) => done(null, { event, name: context.functionName })"),
        ("named.cjs", "module.exports = { handler: (event) => ({ event, name: 'js' }) }"),
    ],
)
async def test_node_functions_load_from_every_module_system(tmp_path: Path, start: Start, file: str, text: str) -> None:
    answer = await ask(start(node(text, file, tmp_path)), "js", {"a": "é"})
    assert (answer["event"], answer["name"]) == ({"a": "é"}, "js")


async def test_archive_is_unpacked_and_deleted_on_close(tmp_path: Path, start: Start) -> None:
    archive = tmp_path / "asset.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("app.py", "import os\ndef handler(event, context): return os.environ['LAMBDA_TASK_ROOT']\n")
    runner = start(FunctionModel("z", ARN + "z", "python3.13", "app.handler", archive))
    root = await ask(runner, "z", {})
    assert await asyncio.to_thread(os.listdir, root) == ["app.py"]
    await runner.close()
    assert not await asyncio.to_thread(os.path.exists, root)


async def test_output_goes_to_the_services_log(tmp_path: Path, start: Start, caplog: pytest.LogCaptureFixture) -> None:
    runner = start(python(tmp_path), node())
    with caplog.at_level(logging.INFO, "appsync_events_local.functions"):
        await ask(runner, "py", {"do": "print"})
        await ask(runner, "js", {"do": "print"})
        await runner.close()
    for line in ("py: to stdout", "py: to stderr", "js: to stdout"):
        assert line in caplog.messages


async def test_an_asynchronous_call_returns_at_once_and_its_failure_is_logged(
    tmp_path: Path, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    runner = start(python(tmp_path))
    assert (await runner.invoke("py", b'{"do": "raise"}', asynchronous=True)).payload == b""
    assert not [message for message in caplog.messages if "failed" in message]
    for _ in range(500):
        if any("asynchronous call of py failed" in message for message in caplog.messages):
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"the failure is not in the log: {caplog.messages}")


async def test_unavailable_function_is_refused_with_the_reason(tmp_path: Path, start: Start) -> None:
    java = FunctionModel("java", ARN + "java", "java21", "a.B::c", tmp_path)
    lost = FunctionModel("lost", ARN + "lost", "python3.13", "a.b", tmp_path / "nowhere.zip")
    runner = start(java, lost, python(tmp_path))
    with pytest.raises(FunctionUnavailableError, match="runtime 'java21' is not supported"):
        await runner.invoke("java", b"{}", asynchronous=False)
    with pytest.raises(FunctionUnavailableError, match=r"nowhere\.zip cannot be read"):
        await runner.invoke("lost", b"{}", asynchronous=False)
    with pytest.raises(UnknownFunctionError, match="it is not in a served template"):
        await runner.invoke(ARN + "other", b"{}", asynchronous=False)
    with pytest.raises(FunctionUnavailableError, match="are allowed"):
        await runner.invoke("py", b" " * (REQUEST_BYTES + 1), asynchronous=False)


async def test_changed_code_is_loaded_by_the_next_call(tmp_path: Path, start: Start) -> None:
    model = python(tmp_path)
    runner = start(model)
    old = await ask(runner, "py", {})
    (tmp_path / "beside.py").write_text("VALUE = 'changed'\n")
    await runner.restart("py")
    new = await ask(runner, "py", {})
    assert (old["beside"], new["beside"]) == ("beside", "changed")
    assert_gone(old["pid"])
    await runner.replace([])
    assert_gone(new["pid"])
    with pytest.raises(UnknownFunctionError):
        await runner.invoke("py", b"{}", asynchronous=False)


async def test_running_call_finishes_with_the_code_it_started_with(tmp_path: Path, start: Start) -> None:
    runner = start(python(tmp_path), processes=1)
    await ask(runner, "py", {})
    calls = [asyncio.create_task(ask(runner, "py", {"do": "sleep", "seconds": 0.3})) for _ in range(2)]
    await asyncio.sleep(0.1)
    (tmp_path / "beside.py").write_text("VALUE = 'changed'\n")
    await runner.restart("py")
    assert (await ask(runner, "py", {}))["beside"] == "changed"
    finished = await asyncio.gather(*calls)
    assert finished[0]["beside"] == "beside"
    await runner.restart("py")
    await runner.close()
    for answer in finished:
        assert_gone(answer["pid"])


async def test_no_process_outlives_the_runner(tmp_path: Path) -> None:
    runner = FunctionRunner([python(tmp_path), node()])
    pids = [(await ask(runner, name, {}))["pid"] for name in ("py", "js")]
    await runner.close()
    for pid in pids:
        assert_gone(pid)


def assert_gone(pid: int) -> None:
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


KILLED_SERVICE = """
import asyncio, json, os, signal, sys
from pathlib import Path
from appsync_events_local.functions.runner import FunctionRunner
from service_harness.lambda_functions import ask, node, python

async def main():
    runner = FunctionRunner([python(Path(sys.argv[1]), timeout_seconds=60), node(timeout_seconds=60)])
    print(*[(await ask(runner, name, {}))["pid"] for name in ("py", "js")], flush=True)
    events = {"py": {"do": "sleep", "seconds": 50}, "js": {"do": "spin"}}
    calls = [runner.invoke(name, json.dumps(event).encode(), asynchronous=False) for name, event in events.items()]
    tasks = [asyncio.create_task(call) for call in calls]
    await asyncio.sleep(0.3)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def test_function_processes_end_when_the_service_is_killed_during_a_call(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED_SERVICE, str(tmp_path)]
    killed = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, timeout=60)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    pids = [int(pid) for pid in killed.stdout.split()]
    assert len(pids) == 2
    deadline = time.monotonic() + 10
    while running := [pid for pid in pids if is_running(pid)]:
        assert time.monotonic() < deadline, f"still there: {running}"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return state != "" and not state.startswith("Z")
