"""`python -m local`: the local cloud's commands."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from local.cloud import PROJECT_FOLDER, Cloud, CloudOptions, outputs_document, summary
from local.emulator.credentials import CredentialStore
from local.permissions.exceptions import why_unused
from local.permissions.report import as_text, read_report
from local.processes.ports import DEFAULT_BASE_PORT, PortBusyError, Ports
from local.processes.supervisor import end_survivors
from local.reload import Reloader
from local.state import DEFAULT_STATE_DIRECTORY, StateDirectory, StateError, StateLock, read_lock
from local.steps import StepError, Steps

_DOWN_SECONDS = 30.0


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit code: 0 fine, 1 failed (`permissions`: a role lacks a right), 3 nothing runs (`status`, `down`).
    """
    options = _parser().parse_args(arguments)
    state = StateDirectory(options.state.resolve())
    try:
        return int(options.command(options, state))
    except (StateError, PortBusyError, StepError) as error:
        print(f"\nThe local cloud failed. {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description="Runs the whole backend on this machine.")
    parser.add_argument("--state", type=Path, default=DEFAULT_STATE_DIRECTORY, metavar="DIR", help=argparse.SUPPRESS)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--state",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="DIR",
        help=f"state directory (default: {DEFAULT_STATE_DIRECTORY})",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = commands.add_parser("up", parents=[shared], help="start everything and deploy what changed; Ctrl-C stops it")
    up.add_argument("--env", default="local", help="environment file to deploy (default: %(default)s)")
    ports = up.add_mutually_exclusive_group()
    ports.add_argument(
        "--ports", type=int, metavar="BASE", help=f"use BASE, BASE+1 and BASE+2 (default: {DEFAULT_BASE_PORT})"
    )
    ports.add_argument("--free-ports", action="store_true", help="use any free ports")
    up.add_argument("--no-web", action="store_true", help="do not serve the web page")
    up.add_argument("--no-reload", action="store_true", help="do not deploy files when they are saved")
    up.add_argument("--fresh", action="store_true", help="delete the state first")
    up.set_defaults(command=_up)

    for name, command, text in (
        ("down", _down, "stop the local cloud that runs on the state directory; its state stays"),
        ("status", _status, "show what runs, and where"),
        ("outputs", _outputs, "print addresses, ids and demo users as JSON"),
        ("credentials", _credentials, "print the operator's AWS credentials as JSON, by environment variable"),
        ("permissions", _permissions, "show what each role grants, what was used, and what is missing"),
        ("clean", _clean, "delete all state (stops a running local cloud first)"),
        ("reset", _clean, "the same as clean"),
    ):
        commands.add_parser(name, parents=[shared], help=text).set_defaults(command=command)
    return parser


def _up(options: argparse.Namespace, state: StateDirectory) -> int:
    started = time.monotonic()
    ports = Ports.free() if options.free_ports else Ports.from_base(options.ports) if options.ports else None
    steps = Steps()
    cloud = Cloud(
        CloudOptions(state, ports, environment=options.env, web=not options.no_web, fresh=options.fresh), steps
    )
    reloader = Reloader(PROJECT_FOLDER, steps, cloud.redeploy, page=not options.no_web)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda *_: _interrupt())
    try:
        cloud.up()
        print(f"{summary(cloud)}\nReady after {time.monotonic() - started:.1f} s.", flush=True)
        if not options.no_reload:
            steps.say("Saved handlers, JavaScript handlers, stacks and pages are deployed while it runs.")
            reloader.start()
        dead = cloud.wait(stop)
    except KeyboardInterrupt:
        print("\nStopping …", flush=True)
        return 0
    finally:
        # A second Ctrl-C must not leave processes behind.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        reloader.stop()
        cloud.stop()
    if dead is not None:
        raise StepError(f"{dead.program.name} ended unexpectedly", f"see {dead.log}", dead.log_tail())
    return 0


def _interrupt() -> None:
    raise KeyboardInterrupt


def _down(options: argparse.Namespace, state: StateDirectory) -> int:
    holder = read_lock(state.lock_file)
    if holder is None:
        ended = end_survivors(state.processes_file)
        print(f"Ended {len(ended)} left-over processes." if ended else f"No local cloud runs on {state.root}.")
        return 0 if ended else 3
    os.kill(int(holder["pid"]), signal.SIGTERM)
    deadline = time.monotonic() + _DOWN_SECONDS
    while time.monotonic() < deadline:
        if read_lock(state.lock_file) is None:
            print("Stopped; the state stays.")
            return 0
        time.sleep(0.1)
    raise StepError(f"process {holder['pid']} did not stop within {_DOWN_SECONDS:.0f} s", "end it by hand")


def _status(options: argparse.Namespace, state: StateDirectory) -> int:
    holder = read_lock(state.lock_file)
    if holder is None:
        print(f"No local cloud runs on {state.root}.")
        return 3
    ports = ", ".join(f"{name} {port}" for name, port in holder.get("ports", {}).items()) or "starting"
    print(f"A local cloud runs on {state.root}: process {holder.get('pid')}, {ports}.")
    return 0


def _outputs(options: argparse.Namespace, state: StateDirectory) -> int:
    print(json.dumps(outputs_document(state), indent=1))
    return 0


def _credentials(options: argparse.Namespace, state: StateDirectory) -> int:
    if not state.credentials_file.exists():
        raise StateError(f"nothing is deployed in {state.root}; run `python -m local up` first")
    print(json.dumps(CredentialStore(state.credentials_file).operator().environment(), indent=1))
    return 0


def _permissions(options: argparse.Namespace, state: StateDirectory) -> int:
    reports = read_report(state, why_unused)
    print(as_text(reports))
    return 1 if any(report.missing for report in reports) else 0


def _clean(options: argparse.Namespace, state: StateDirectory) -> int:
    if read_lock(state.lock_file) is not None:
        _down(options, state)
    if not state.root.exists():
        print(f"{state.root} does not exist.")
        return 0
    end_survivors(state.processes_file)
    lock = StateLock(state)
    lock.acquire({"state": "cleaning", "pid": os.getpid()})
    state.forget()
    lock.release()
    state.lock_file.unlink()
    state.root.rmdir()
    print(f"Deleted {state.root}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
