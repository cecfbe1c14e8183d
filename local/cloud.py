"""One local cloud from start to stop: processes, deployment, users."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.control.faults import FaultControl
from local.control.meetings import MeetingControl
from local.demo_users import DemoUser, ensure_demo_users
from local.deploy import CdkProject, assembly_digest
from local.emulator.credentials import CredentialStore
from local.manifest import CloudManifest
from local.outputs import CloudOutputs, read_outputs
from local.processes.loopback import exposed_listeners
from local.processes.ports import LOOPBACK, Ports, require_free
from local.processes.supervisor import Child, Program, Supervisor, end_survivors
from local.state import StateDirectory, StateError, StateLock
from local.steps import StepError, Steps
from local.website import write_front_end_files

PROJECT_FOLDER = Path(__file__).resolve().parent.parent
_START_SECONDS = 60.0


@dataclass(frozen=True)
class CloudOptions:
    """Options of one local cloud.

    Attributes:
        state: the state directory.
        ports: ports to use; None takes those of the last run here, or the defaults.
        environment: environment file that is deployed.
        web: whether the web page is served.
        fresh: delete the state first.
        project: folder of the CDK app.
        cli: the CDK CLI.
    """

    state: StateDirectory
    ports: Ports | None = None
    environment: str = "local"
    web: bool = True
    fresh: bool = False
    project: Path = PROJECT_FOLDER
    cli: Path = PROJECT_FOLDER / "node_modules" / ".bin" / "cdk"

    @property
    def page(self) -> Path:
        return self.project / "web" / "dist"


class Cloud:
    """The processes of one local cloud and what was deployed into them."""

    def __init__(self, options: CloudOptions, steps: Steps) -> None:
        self._options = options
        self._steps = steps
        self._lock = StateLock(options.state)
        self._supervisor = Supervisor(options.state.processes_file)
        self._project = CdkProject(options.project, options.cli, options.environment)
        self.manifest = CloudManifest(options.environment, Ports.from_base(0))
        self.outputs: CloudOutputs | None = None
        self.users: list[DemoUser] = []
        self.children: dict[str, Child] = {}

    @property
    def state(self) -> StateDirectory:
        return self._options.state

    @property
    def faults(self) -> FaultControl:
        """Fault switches of both services."""
        return FaultControl(self.manifest.ports, self.state.control_token())

    @property
    def meetings(self) -> MeetingControl:
        """What browsers do in meetings of the Chime stand-in."""
        return MeetingControl(self.manifest.ports, self.state.control_token())

    def up(self) -> None:
        """Start everything and deploy what changed. When that fails, nothing keeps running.

        Raises:
            StateError: the directory cannot be used.
            PortBusyError: a port is taken.
            StepError: a step failed.
        """
        atexit.register(self.stop)
        try:
            self._up()
        except BaseException:
            self.stop()
            raise

    def _up(self) -> None:
        with self._steps.step("prepare the state directory"):
            self._prepare()
        with self._steps.step("start the AWS emulator and the Events service"):
            self._start_services()
        self._synthesise()
        self._deploy()
        with self._steps.step("sign up the demo users"):
            self.outputs = read_outputs(self.state.outputs_file, self.manifest.ports)
            self.users = ensure_demo_users(self.state.users_file, self.outputs, self.operator())
        write_front_end_files(self.state.root, self.outputs, self.users)
        self._serve_page()
        with self._steps.step("check that nothing listens off loopback"):
            self._check_loopback()

    def redeploy(self) -> None:
        """Synthesise and deploy again, each only where something changed since the last time.

        Raises:
            StepError: a step failed; the processes go on with what was deployed before.
        """
        self._synthesise()
        self._deploy()

    def stop(self) -> None:
        """Stop every process; the state stays."""
        self._supervisor.stop_all()
        self._lock.release()
        atexit.unregister(self.stop)

    def wait(self, stop: threading.Event) -> Child | None:
        """Wait until `stop` is set or a process dies; returns the dead one or None."""
        return self._supervisor.watch(stop)

    def start_children(self, *names: str) -> list[Child]:
        """Start processes (`emulator`, `events`, `web`) at the same time, and wait until each answers.

        Raises:
            StepError: one does not come up.
        """
        started = [self._launch(name) for name in names]
        for child in started:
            child.wait_until_ready(_START_SECONDS)
        return started

    def _prepare(self) -> None:
        state, options = self.state, self._options
        self._lock.acquire({"state": "starting", "pid": os.getpid()})
        end_survivors(state.processes_file)
        if options.fresh:
            state.forget()
        manifest = CloudManifest.load(state.manifest_file)
        if manifest is not None and options.ports is not None and manifest.ports != options.ports:
            raise StateError(
                f"{state.root} was made on ports {_listed(manifest.ports)}, and addresses are part of "
                "what is deployed; leave out --ports and --free-ports, or delete the state with --fresh"
            )
        if manifest is not None and manifest.environment != options.environment:
            raise StateError(
                f"{state.root} holds the environment {manifest.environment!r}; "
                "use another directory with --state, or delete it with --fresh"
            )
        self.manifest = manifest or CloudManifest(options.environment, options.ports or Ports.from_base(4566))
        self._delete_interrupted_deployment()
        state.prepare()
        require_free(self.manifest.ports)
        self.manifest.save(state.manifest_file)
        self._lock.describe({"pid": os.getpid(), "ports": self.manifest.ports.as_dict()})

    def _delete_interrupted_deployment(self) -> None:
        """Delete what an interrupted first deployment left: it holds no user data."""
        manifest, state = self.manifest, self.state
        snapshot_lost = manifest.deployed is not None and not (state.emulator / "current").exists()
        if (manifest.deploying and manifest.deployed is None) or snapshot_lost:
            for folder in (state.emulator, state.events, state.objects):
                shutil.rmtree(folder, ignore_errors=True)
            for file in (state.users_file, state.outputs_file):
                file.unlink(missing_ok=True)
            manifest.bootstrapped, manifest.deployed, manifest.deploying = False, None, False

    def _start_services(self) -> None:
        # Both at once: the emulator imports for a second, and the Events service needs it only at its first request.
        self.start_children("emulator", "events")

    def _synthesise(self) -> None:
        inputs = self._project.digest()
        if inputs == self.manifest.inputs and (self.state.assembly / "manifest.json").exists():
            self._steps.skipped("synthesise the CDK app", "unchanged")
            return
        with self._steps.step("synthesise the CDK app"):
            self._project.synthesise(self.state)
        self.manifest.inputs = inputs
        self.manifest.save(self.state.manifest_file)

    def _deploy(self) -> None:
        manifest, state = self.manifest, self.state
        assembly = assembly_digest(state.assembly)
        if assembly == manifest.deployed and not manifest.deploying and state.outputs_file.exists():
            self._steps.skipped("deploy", "unchanged")
            return
        manifest.deploying = True
        manifest.save(state.manifest_file)
        if not manifest.bootstrapped:
            with self._steps.step("bootstrap (cdk bootstrap)"):
                self._project.bootstrap(state, manifest.ports, self.operator())
            manifest.bootstrapped = True
        with self._steps.step("deploy (cdk deploy --all)"):
            self._project.deploy(state, manifest.ports, self.operator())
            self.faults.checkpoint()
        manifest.deployed, manifest.deploying = assembly, False
        manifest.save(state.manifest_file)

    def _serve_page(self) -> None:
        if not self._options.web:
            return
        if not (self._options.page / "index.html").exists():
            self._steps.skipped("serve the web page", f"{self._options.page} was not built (make up builds it)")
            return
        with self._steps.step("serve the web page"):
            self.start_children("web")

    def _check_loopback(self) -> None:
        exposed = exposed_listeners(child.pid for child in self.children.values())
        if exposed:
            shown = ", ".join(f"{each.address}:{each.port} (process {each.pid})" for each in exposed)
            raise StepError(
                f"reachable from other machines: {shown}", "this is a defect of the local cloud; please report it"
            )

    def _launch(self, name: str) -> Child:
        child = Child(self._program(name), self.state.logs / f"{name}.log", PROJECT_FOLDER)
        child.start()
        self.children[name] = child
        self._supervisor.add(child)
        return child

    def _program(self, name: str) -> Program:
        state, ports = self.state, self.manifest.ports
        python = (sys.executable, "-m", "local.processes.child", str(os.getpid()))
        command: tuple[str, ...]
        if name == "emulator":
            command = (
                *python,
                "local.emulator",
                "--port",
                str(ports.emulator),
                "--events-port",
                str(ports.events),
                "--web-port",
                str(ports.web),
                "--state",
                str(state.root),
            )
            return Program(name, command, f"{ports.emulator_url}/_local/health")
        if name == "events":
            state.control_token()
            command = (
                *python,
                "appsync_events_local",
                "--port",
                str(ports.events),
                "--state",
                str(state.events),
                "--control-token-file",
                str(state.token_file),
                "--cognito-endpoint",
                ports.emulator_url,
                "--aws-endpoint",
                ports.emulator_url,
                "--credentials",
                str(state.credentials_file),
                "--permissions",
                f"{ports.emulator_url}/_local/permissions/decision",
            )
            return Program(name, command, f"{ports.events_url}/_control/health")
        command = (
            *python,
            "local.website",
            "--port",
            str(ports.web),
            "--page",
            str(self._options.page),
            "--config",
            str(state.root / "web-config.json"),
        )
        return Program(name, command, f"http://{LOOPBACK}:{ports.web}/")

    def operator(self) -> dict[str, str]:
        """The operator's credentials as environment variables."""
        return CredentialStore(self.state.credentials_file).operator().environment()


def summary(cloud: Cloud) -> str:
    """What `up` prints at the end."""
    outputs = cloud.outputs
    if outputs is None:
        raise RuntimeError("the cloud is not up")
    lines = ["", "The local cloud is ready."]
    if "web" in cloud.children:
        lines.append(f"  web page        {outputs.webUrl}")
    lines += [
        f"  HTTP API        {outputs.apiUrl}",
        f"  Events (HTTP)   {outputs.eventsHttpEndpoint}",
        f"  Events (socket) {outputs.eventsRealtimeEndpoint}",
        f"  Events status   {cloud.manifest.ports.events_url}/_status",
        f"  AWS endpoint    {outputs.awsEndpoint}   (AWS_ENDPOINT_URL for SDKs and the AWS CLI)",
        "  demo users",
    ]
    lines += [f"    {user.email:<20} password {user.password}   ({user.name})" for user in cloud.users]
    lines += ["", f"State and logs: {cloud.state.root}. Ctrl-C stops it; the state stays (make clean deletes it)."]
    return "\n".join(lines)


def outputs_document(state: StateDirectory) -> dict[str, Any]:
    """Outputs, demo users and ports of the cloud in a state directory, as `python -m local outputs` prints them.

    Raises:
        StateError: nothing was deployed there.
    """
    manifest = CloudManifest.load(state.manifest_file)
    if manifest is None or not state.outputs_file.exists():
        raise StateError(f"nothing is deployed in {state.root}; run `python -m local up` first")
    users = json.loads(state.users_file.read_text(encoding="utf-8")) if state.users_file.exists() else []
    return {
        **read_outputs(state.outputs_file, manifest.ports).as_dict(),
        "ports": manifest.ports.as_dict(),
        "demoUsers": users,
    }


def _listed(ports: Ports) -> str:
    return ", ".join(str(port) for port in ports.as_dict().values())
