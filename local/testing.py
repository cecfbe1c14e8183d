"""A local cloud for tests: started once on free ports, killed and restarted at will."""

from __future__ import annotations

import io
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from local.cloud import PROJECT_FOLDER, Cloud, CloudOptions, outputs_document
from local.control.faults import FaultControl, Rule
from local.control.meetings import MeetingControl
from local.demo_users import DemoUser
from local.outputs import CloudOutputs
from local.processes.ports import Ports
from local.state import StateDirectory
from local.steps import Steps


class LocalCloud:
    """A running local cloud. Use `start`, and `stop` it or leave its context."""

    def __init__(self, cloud: Cloud, log: io.StringIO) -> None:
        self._cloud = cloud
        self._log = log
        self.always: tuple[Rule, ...] = ()
        """Rules of the Events service that stay when faults are set or cleared. Clear the faults to apply a change."""

    @classmethod
    def start(
        cls,
        state: Path,
        *,
        ports: Ports | None = None,
        web: bool = False,
        environment: str = "local",
        project: Path = PROJECT_FOLDER,
    ) -> Self:
        """Start everything and deploy.

        Args:
            state: state directory; one that a stopped cloud left is taken up again.
            ports: ports; None takes those of the state directory, or free ones for a new directory.
            web: whether the web page is served.
            environment: environment file to deploy.
            project: folder of the CDK app.

        Raises:
            StepError: it does not come up; nothing keeps running then.
        """
        directory = StateDirectory(state.resolve())
        chosen = ports or (None if directory.manifest_file.exists() else Ports.free())
        log = io.StringIO()
        options = CloudOptions(directory, chosen, environment=environment, web=web, project=project)
        cloud = Cloud(options, Steps(log))
        cloud.up()
        return cls(cloud, log)

    @property
    def outputs(self) -> CloudOutputs:
        """Addresses and ids."""
        if self._cloud.outputs is None:
            raise RuntimeError("the cloud is not up")
        return self._cloud.outputs

    @property
    def document(self) -> dict[str, Any]:
        """What `python -m local outputs` prints for this cloud."""
        return outputs_document(self._cloud.state)

    @property
    def users(self) -> list[DemoUser]:
        """The demo users, Ada and Grace."""
        return self._cloud.users

    @property
    def faults(self) -> FaultControl:
        """Fault switches of both services."""
        cloud = self._cloud
        return FaultControl(cloud.manifest.ports, cloud.state.control_token(), self.always)

    @property
    def meetings(self) -> MeetingControl:
        """What browsers do in meetings of the Chime stand-in, and the passing of time there."""
        return self._cloud.meetings

    @property
    def state(self) -> StateDirectory:
        """Where its state and its logs are."""
        return self._cloud.state

    @property
    def progress(self) -> str:
        """What `up` would have printed so far."""
        return self._log.getvalue()

    def pids(self) -> dict[str, int]:
        """Process ids by name (`emulator`, `events`, `web`)."""
        return {name: child.pid for name, child in self._cloud.children.items()}

    def aws(self, service: str, **options: Any) -> Any:
        """A boto3 client of the emulator with the operator's keys.

        Args:
            service: for example `dynamodb`.
            options: further arguments of `boto3.client`.
        """
        keys = self._cloud.operator()
        return boto3.client(
            service,
            endpoint_url=self._cloud.manifest.ports.emulator_url,
            region_name=self.outputs.region,
            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
            **{"config": Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 1}), **options},
        )

    def kill9(self, *names: str) -> None:
        """End processes with SIGKILL.

        Args:
            names: `emulator`, `events`, `web`; all of them when none is named.
        """
        for name in names or tuple(self._cloud.children):
            self._cloud.children[name].kill()

    def restart(self, *names: str) -> None:
        """Start processes again after they were stopped or killed, on the state that they left.

        Args:
            names: as for `kill9`. A process that still runs is stopped first.

        Raises:
            StepError: one does not come up.
        """
        chosen = names or tuple(self._cloud.children)
        for name in chosen:
            self._cloud.children[name].stop()
        self._cloud.start_children(*chosen)
        if self.always and "events" in chosen:
            self.faults.set_events()

    def stop(self) -> None:
        """Stop everything; the state stays."""
        self._cloud.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
