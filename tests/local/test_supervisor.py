"""Child processes are waited for, watched, stopped, and found again after the parent was killed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.cloud import PROJECT_FOLDER
from local.processes.loopback import Listener, exposed_listeners, listeners
from local.processes.ports import Ports
from local.processes.supervisor import Child, Program, Supervisor, end_survivors
from local.steps import StepError

SERVE = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
LISTEN = """
import socket, sys
server = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
server.bind((sys.argv[1], 0))
server.listen()
print(server.getsockname()[1], flush=True)
sys.stdin.read()
"""

ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - what must be found
ADDRESSES = [("127.0.0.1", False), (ANY_ADDRESS, True)]
if socket.has_ipv6 and Path("/proc/net/if_inet6").exists():
    ADDRESSES += [("::1", False), ("::", True)]

PARENT = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-m", "local.processes.child", str(os.getpid()),
                          "http.server", "0", "-b", "127.0.0.1"],
                         stdin=subprocess.DEVNULL, stdout=sys.stdout, stderr=subprocess.DEVNULL, start_new_session=True)
print(child.pid, flush=True)
sys.stdin.read()
"""

Start = Callable[..., Child]


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Start]:
    """Makes children that end with the test; `code` is a Python program that gets a port as its argument."""
    made: list[Child] = []

    def make(code: str, name: str = "child") -> Child:
        port = Ports.free().web
        script = tmp_path / f"{name}.py"
        script.write_text(code)
        program = Program(name, (sys.executable, str(script), str(port)), f"http://127.0.0.1:{port}/")
        made.append(Child(program, tmp_path / f"{name}.log", tmp_path))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def test_a_child_is_ready_when_it_answers_and_gone_when_stopped(child: Start) -> None:
    server = child(SERVE)
    server.start()
    server.wait_until_ready(30)
    assert server.running
    server.stop()
    assert not server.running


def test_a_child_that_ends_while_starting_is_reported_with_its_last_words(child: Start) -> None:
    broken = child("import sys; print('no such table'); sys.exit(7)", "broken")
    broken.start()
    with pytest.raises(StepError, match="broken ended with code 7 while starting") as raised:
        broken.wait_until_ready(30)
    assert "no such table" in str(raised.value)


def test_a_child_that_never_answers_is_reported_with_its_address(child: Start) -> None:
    silent = child("import time; time.sleep(60)", "silent")
    silent.start()
    with pytest.raises(StepError, match=r"silent did not answer at http://127\.0\.0\.1:\d+/ within 0 s"):
        silent.wait_until_ready(0.3)


def test_a_child_that_dies_ends_the_watch(child: Start, tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path / "processes.json")
    steady, mortal = child(SERVE, "steady"), child(SERVE, "mortal")
    for each in (steady, mortal):
        each.start()
        each.wait_until_ready(30)
        supervisor.add(each)
    assert supervisor.dead() is None
    mortal.kill()
    assert supervisor.watch(threading.Event()) is mortal
    supervisor.stop_all()
    assert not steady.running
    assert not (tmp_path / "processes.json").exists()


def test_children_that_outlived_their_parent_are_ended_and_nothing_else_is(child: Start, tmp_path: Path) -> None:
    record = tmp_path / "processes.json"
    supervisor = Supervisor(record)
    survivor, bystander = child(SERVE, "survivor"), child(SERVE, "bystander")
    for each in (survivor, bystander):
        each.start()
        each.wait_until_ready(30)
    supervisor.add(survivor)
    entries = json.loads(record.read_text())
    # The id of a process that ended may belong to another process by now.
    entries.append({"pid": bystander.pid, "command": ["some", "other", "program"]})
    record.write_text(json.dumps(entries))
    ending = threading.Thread(target=survivor.wait_for_end)
    ending.start()
    assert end_survivors(record) == [survivor.pid]
    ending.join(30)
    assert not survivor.running
    assert bystander.running
    assert end_survivors(record) == []


def test_a_child_does_not_outlive_a_parent_that_was_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=PROJECT_FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.kill()
        # The child holds the other end of this pipe: it is read to its end when the child is gone.
        parent.stdout.read()


@pytest.mark.parametrize(("address", "exposed"), ADDRESSES)
def test_a_socket_that_other_machines_can_reach_is_found(address: str, exposed: bool) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", LISTEN, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        assert Listener(process.pid, address, port) in listeners([process.pid])
        assert [each.port for each in exposed_listeners([process.pid])] == ([port] if exposed else [])
        process.kill()
