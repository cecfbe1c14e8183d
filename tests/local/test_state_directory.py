"""One state directory: one cloud at a time, foreign files are never deleted, clear errors."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.cloud import PROJECT_FOLDER, Cloud, CloudOptions
from local.manifest import CloudManifest
from local.processes.ports import PortBusyError, Ports, require_free
from local.state import StateDirectory, StateError, StateLock, read_lock
from local.steps import StepError, Steps

HOLD = """
import sys
from pathlib import Path
from local.state import StateDirectory, StateLock
state = StateDirectory(Path(sys.argv[1]))
lock = StateLock(state)
lock.acquire({"pid": 4711})
state.processes_file.write_text("[]")
print("held", flush=True)
sys.stdin.read()
"""


def cloud(state: StateDirectory, **options: object) -> Cloud:
    return Cloud(CloudOptions(state, **options), Steps(io.StringIO()))  # type: ignore[arg-type]


def test_a_second_cloud_on_the_same_directory_is_refused_with_the_first_ones_process(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "state")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(state.root)],
        cwd=PROJECT_FOLDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StateError, match=r"already runs .* \(process 4711\); stop it with `python -m local down`"):
            cloud(state).up()
        assert read_lock(state.lock_file) == {"pid": 4711}
        assert state.processes_file.exists(), "the first cloud's record of its processes must stay"
        holder.kill()
    assert read_lock(state.lock_file) is None
    lock = StateLock(state)
    lock.acquire({"pid": 1})
    lock.release()


def test_forgetting_deletes_our_files_and_refuses_a_directory_with_others(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "state")
    state.prepare()
    state.control_token()
    (state.root / "thesis.txt").write_text("years of work")
    with pytest.raises(StateError, match=r"thesis\.txt, which the local cloud did not write"):
        state.forget()
    assert state.token_file.exists()
    (state.root / "thesis.txt").unlink()
    state.forget()
    assert list(state.root.iterdir()) == []


def test_logs_of_the_last_run_are_set_aside_and_older_ones_go(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "state")
    for run in ("first", "second", "third"):
        state.prepare()
        (state.logs / "emulator.log").write_text(run)
    assert {path.name: path.read_text() for path in state.logs.iterdir()} == {
        "emulator.log": "third",
        "emulator.log.1": "second",
    }


def test_other_ports_than_those_deployed_are_refused_with_the_remedy(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    CloudManifest("local", Ports(5001, 5002, 5003)).save(state.manifest_file)
    with pytest.raises(StateError, match=r"made on ports 5001, 5002, 5003.* delete the state with --fresh"):
        cloud(state, ports=Ports(6001, 6002, 6003)).up()


def test_another_environment_than_the_deployed_one_is_refused(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    CloudManifest("local", Ports(5001, 5002, 5003)).save(state.manifest_file)
    with pytest.raises(StateError, match=r"holds the environment 'local'"):
        cloud(state, environment="dev").up()


@pytest.mark.parametrize("content", ["not json", "{}", '{"format": 99}', '{"format": 1, "ports": {}}'])
def test_a_manifest_that_cannot_be_used_says_how_to_go_on(tmp_path: Path, content: str) -> None:
    path = tmp_path / "cloud.json"
    path.write_text(content)
    with pytest.raises(StateError, match="delete the state with --fresh"):
        CloudManifest.load(path)


def test_a_manifest_is_read_back_as_written(tmp_path: Path) -> None:
    manifest = CloudManifest("local", Ports(1, 2, 3), bootstrapped=True, inputs="a", deployed="b", deploying=True)
    manifest.save(tmp_path / "cloud.json")
    assert CloudManifest.load(tmp_path / "cloud.json") == manifest


def test_a_busy_port_is_named_with_the_remedy(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ports = Ports(Ports.free().emulator, port, Ports.free().web)
        with pytest.raises(PortBusyError, match=rf"port {port} \(events\) is taken.*--ports BASE or --free-ports"):
            cloud(StateDirectory(tmp_path / "state"), ports=ports).up()


def test_free_ports_are_free_and_different() -> None:
    ports = Ports.free()
    require_free(ports)
    assert len(set(ports.as_dict().values())) == 3


def test_a_failed_step_names_itself_its_cause_and_the_remedy() -> None:
    stream = io.StringIO()
    steps = Steps(stream)
    with pytest.raises(StepError) as raised, steps.step("bake the bread"):
        raise StepError("the oven is cold", "light it", "    thermometer: 12")
    assert str(raised.value) == "bake the bread: the oven is cold\n    thermometer: 12\n→ light it"
    assert "✗ bake the bread" in stream.getvalue()
    with steps.step("eat"):
        pass
    assert "✓ eat" in stream.getvalue()


@pytest.mark.parametrize("command", ["status", "down", "outputs", "credentials"])
def test_commands_on_an_empty_directory_say_that_nothing_runs(tmp_path: Path, command: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "local", command, "--state", str(tmp_path / "state")],
        cwd=PROJECT_FOLDER,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode in (1, 3)
    assert "No local cloud runs" in result.stdout or "run `python -m local up` first" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("deployed", "deploying", "saved", "forgotten"),
    [
        (None, True, True, True),
        ("digest", False, False, True),
        ("digest", True, True, False),
        ("digest", False, True, False),
    ],
    ids=["first deployment cut off", "snapshot lost", "later deployment cut off", "whole"],
)
def test_only_an_interrupted_first_deployment_is_deleted(
    tmp_path: Path, deployed: str | None, deploying: bool, saved: bool, forgotten: bool
) -> None:
    state = StateDirectory(tmp_path / "state")
    state.prepare()
    (state.objects / "asset").write_text("zip")
    state.users_file.write_text("[]")
    if saved:
        (state.emulator / "current").write_text("000001")
    ports = Ports.free()
    CloudManifest("local", ports, True, deployed=deployed, deploying=deploying).save(state.manifest_file)
    with socket.socket() as taken:
        # The start goes no further than the ports, which come after the decision.
        taken.bind(("127.0.0.1", ports.emulator))
        taken.listen()
        started = cloud(state)
        with pytest.raises(PortBusyError):
            started.up()
    assert (state.objects / "asset").exists() is not forgotten
    assert state.users_file.exists() is not forgotten
    assert started.manifest.bootstrapped is not forgotten
    assert started.manifest.deployed == (None if forgotten else deployed)
