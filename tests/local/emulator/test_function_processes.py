"""Processes of functions: forked from one that has imported the AWS SDK, and shared out in the order of the calls."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local.emulator.workers.fork_server import ForkedProcess, ForkServer
from local.emulator.workers.shared_code import SharedCode
from tests.local.conftest import EmulatorProcess

OLD_CEILING = 4
"""Processes of one function before, when a few slow calls stopped all others."""
WAITING = """
import os, time
def handler(event, context):
    began = time.time()
    time.sleep(event["seconds"])
    return {"pid": os.getpid(), "began": began, "ended": time.time()}
"""
SDK = """
import os, sys
found = "botocore.client" in sys.modules
imported_by = os.getpid()
def handler(event, context):
    return {"found": found, "own": imported_by == os.getpid(), "group": os.getpgid(0) == os.getpid(),
            "variable": os.environ.get("OWN"), "foreign": os.environ.get("GATEWAY_PORT") is None}
"""
FAILING = """
import os, time
if os.path.exists(os.environ["FLAG"]):
    os._exit(1)
def handler(event, context):
    time.sleep(event["seconds"])
    return os.getpid()
"""


def invoke(emulator: EmulatorProcess, name: str, **event: Any) -> tuple[str | None, Any]:
    """Call a function and return its error and its answer."""
    answer = emulator.aws("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
    return answer.get("FunctionError"), json.loads(answer["Payload"].read())


def test_slow_calls_of_a_function_do_not_make_others_wait(emulator: EmulatorProcess) -> None:
    emulator.function("waiting", WAITING)
    with ThreadPoolExecutor(16) as pool:
        answers = [each[1] for each in pool.map(lambda _: invoke(emulator, "waiting", seconds=4), range(16))]
    moments = [(each["began"], 1) for each in answers] + [(each["ended"], -1) for each in answers]
    running = most = 0
    for _, step in sorted(moments):
        running += step
        most = max(most, running)
    assert most > OLD_CEILING


def test_a_process_finds_the_sdk_imported_and_imports_the_function_itself(emulator: EmulatorProcess) -> None:
    emulator.function("sdk", SDK, {"OWN": "value"})
    error, answer = invoke(emulator, "sdk")
    assert error is None
    assert answer["found"]
    assert answer["own"]
    assert answer["group"]
    assert answer["variable"] == "value"


def test_a_process_that_does_not_start_ends_no_other(emulator: EmulatorProcess, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    emulator.function("failing", FAILING, {"FLAG": str(flag)})
    assert invoke(emulator, "failing", seconds=0)[0] is None
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(invoke, emulator, "failing", seconds=3)
        time.sleep(1)
        flag.touch()
        assert invoke(emulator, "failing", seconds=0)[0] is not None
        assert running.result()[0] is None


Spawn = Callable[..., ForkedProcess]


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    running = ForkServer()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def spawn(server: ForkServer, tmp_path: Path) -> Iterator[Spawn]:
    """Runs a script in `directory`, a new one unless it is given."""
    started: list[ForkedProcess] = []

    def run(source: str, directory: Path = tmp_path, **environment: str) -> ForkedProcess:
        script = tmp_path / f"script-{len(started)}.py"
        script.write_text(source)
        started.append(server.spawn(str(script), str(directory), environment))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


def test_a_script_has_the_streams_environment_and_arguments_of_an_interpreter_of_its_own(spawn: Spawn) -> None:
    process = spawn(
        "import json, os, sys\n"
        "print(json.dumps([sys.stdin.readline(), dict(os.environ), len(sys.argv), __name__, os.getcwd()]))\n"
        "print('é', file=sys.stderr)\n"
        "sys.exit(3)\n",
        ONLY="this",
    )
    process.stdin.write("line\n")
    line, environment, arguments, name, _ = json.loads(process.stdout.readline())
    assert (line, environment, arguments, name) == ("line\n", {"ONLY": "this"}, 1, "__main__")
    assert process.stderr.readline() == "é\n"
    assert process.wait(10) == 3
    assert process.poll() == 3


def test_an_exception_ends_a_script_with_its_traceback(spawn: Spawn) -> None:
    process = spawn("raise ValueError('reason')")
    assert process.wait(10) == 1
    assert "ValueError: reason" in process.stderr.read()


def test_a_killed_process_is_reported_with_its_signal(spawn: Spawn) -> None:
    process = spawn("import time\ntime.sleep(60)")
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.05)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL


def test_processes_have_random_numbers_of_their_own(spawn: Spawn) -> None:
    numbers = [spawn("import random\nprint(random.random())").stdout.readline() for _ in range(2)]
    assert numbers[0] != numbers[1]


def test_a_function_that_brings_its_own_sdk_imports_that_one(spawn: Spawn, tmp_path: Path) -> None:
    code = tmp_path / "code"
    (code / "botocore").mkdir(parents=True)
    (code / "botocore" / "__init__.py").write_text("name = 'own'")
    process = spawn("import sys\nsys.path.insert(0, '.')\nimport botocore\nprint(botocore.name)", code)
    assert process.stdout.readline() == "own\n"


def test_processes_end_with_the_fork_server_and_a_new_one_takes_over(tmp_path: Path) -> None:
    server = ForkServer()
    script = tmp_path / "script.py"
    script.write_text("import os, time\nprint(os.getppid(), flush=True)\ntime.sleep(60)")
    first = server.spawn(str(script), str(tmp_path), {})
    os.kill(int(first.stdout.readline()), signal.SIGKILL)
    assert first.wait(10) == -signal.SIGKILL
    second = server.spawn(str(script), str(tmp_path), {})
    assert second.stdout.readline()
    server.stop()
    assert second.wait(10) != 0
    for process in (first, second):
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


def test_code_is_unpacked_once_for_all_processes(tmp_path: Path) -> None:
    archive = tmp_path / "code.zip"
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("package/module.py", "x = 1")
    shared = SharedCode(tmp_path / "shared")
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        with shared.ZipFile(str(archive)) as opened:
            opened.extractall(tmp_path / name)
        assert (tmp_path / name / "package" / "module.py").read_text() == "x = 1"
    assert (tmp_path / "first").resolve() == (tmp_path / "second").resolve()
    assert len(list((tmp_path / "shared").iterdir())) == 1
    shutil.rmtree(tmp_path / "first", ignore_errors=True)
    assert (tmp_path / "second" / "package" / "module.py").exists()
