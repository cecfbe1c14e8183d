"""The emulator alone, as a process of its own: no CDK, no deployment."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local.cloud import PROJECT_FOLDER
from local.control.faults import FaultControl
from local.control.meetings import MeetingControl
from local.emulator.credentials import CredentialStore
from local.processes.ports import Ports
from local.processes.supervisor import Child, Program
from local.state import StateDirectory

REGION = "us-east-1"
ROLE_NAME = "test"
ROLE = f"arn:aws:iam::000000000000:role/{ROLE_NAME}"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
_START_SECONDS = 60.0


class EmulatorProcess:
    """One emulator (and, when asked for, one Events service) on free ports, with state of its own."""

    def __init__(self, folder: Path, *, events: bool) -> None:
        self.state = StateDirectory(folder)
        self.ports = Ports.free()
        self.state.prepare()
        self.token = self.state.control_token()
        self.emulator = self._child(
            "emulator",
            (
                "local.emulator",
                "--port",
                str(self.ports.emulator),
                "--events-port",
                str(self.ports.events),
                "--web-port",
                str(self.ports.web),
                "--state",
                str(folder),
            ),
            f"{self.ports.emulator_url}/_local/health",
        )
        self.events = (
            self._child(
                "events",
                (
                    "appsync_events_local",
                    "--port",
                    str(self.ports.events),
                    "--state",
                    str(self.state.events),
                    "--control-token-file",
                    str(self.state.token_file),
                    "--cognito-endpoint",
                    self.ports.emulator_url,
                    "--aws-endpoint",
                    self.ports.emulator_url,
                    "--credentials",
                    str(self.state.credentials_file),
                    "--permissions",
                    f"{self.ports.emulator_url}/_local/permissions/decision",
                ),
                f"{self.ports.events_url}/_control/health",
            )
            if events
            else None
        )

    def start(self) -> None:
        """Start what does not run, and wait until it answers."""
        for child in (self.emulator, self.events):
            if child is not None and not child.running:
                child.start()
                child.wait_until_ready(_START_SECONDS)

    def kill9(self) -> None:
        """Crash the emulator."""
        self.emulator.kill()

    def restart_after_crash(self) -> None:
        """Crash the emulator and start it again on what it left."""
        self.kill9()
        self.state.prepare()
        self.start()

    def stop(self) -> None:
        """Stop cleanly."""
        for child in (self.events, self.emulator):
            if child is not None:
                child.stop()

    def aws(self, service: str, endpoint: str | None = None, *, checked: bool = True) -> Any:
        """A boto3 client of the emulator (or another endpoint) with the operator's keys, which does not retry.

        Args:
            service: as boto3 names it.
            endpoint: in place of the emulator.
            checked: whether the client checks what it sends, so that the service need not.
        """
        keys = CredentialStore(self.state.credentials_file).operator()
        return boto3.client(
            service,
            endpoint_url=endpoint or self.ports.emulator_url,
            region_name=REGION,
            aws_access_key_id=keys.accessKeyId,
            aws_secret_access_key=keys.secretAccessKey,
            config=Config(
                connect_timeout=5,
                read_timeout=30,
                retries={"total_max_attempts": 1},
                parameter_validation=checked,
            ),
        )

    @property
    def faults(self) -> FaultControl:
        return FaultControl(self.ports, self.token)

    @property
    def meetings(self) -> MeetingControl:
        return MeetingControl(self.ports, self.token)

    def role(self, name: str, *statements: dict[str, Any]) -> str:
        """Make a role for functions, or give one other statements. Returns its ARN."""
        iam = self.aws("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))
        iam.put_role_policy(RoleName=name, PolicyName="Function", PolicyDocument=_policy(*statements))
        return f"arn:aws:iam::000000000000:role/{name}"

    def function(
        self, name: str, source: str, variables: dict[str, str] | None = None, *, role: str | None = None
    ) -> str:
        """Make a Python function from its source; `handler` is what it calls. Returns its ARN.

        Its role may do everything unless another is given.
        """
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as package:
            package.writestr("main.py", source)
        created = self.aws("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=role or self.role(ROLE_NAME, EVERYTHING),
            Handler="main.handler",
            Timeout=20,
            Code={"ZipFile": archive.getvalue()},
            Environment={"Variables": variables or {}},
        )
        return str(created["FunctionArn"])

    def table(self, name: str, *, stream: bool = False) -> dict[str, Any]:
        """Make a table with the key (pk, sk). Returns its description."""
        specification = {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}}
        described = self.aws("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
            **(specification if stream else {}),
        )["TableDescription"]
        return dict(described)

    def _child(self, name: str, arguments: tuple[str, ...], health: str) -> Child:
        program = Program(name, (sys.executable, "-m", *arguments), health)
        return Child(program, self.state.logs / f"{name}.log", PROJECT_FOLDER)


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def new_emulator(tmp_path: Path) -> Iterator[Callable[..., EmulatorProcess]]:
    """Starts emulators that end with the test."""
    started: list[EmulatorProcess] = []

    def start(*, events: bool = False) -> EmulatorProcess:
        process = EmulatorProcess(tmp_path / f"state-{len(started)}", events=events)
        started.append(process)
        process.start()
        return process

    yield start
    for process in started:
        process.stop()


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """One emulator for all tests of a process that do not crash it; their resources have names of their own."""
    process = EmulatorProcess(tmp_path_factory.mktemp("emulator") / "state", events=True)
    try:
        process.start()
        yield process
    finally:
        process.stop()


@pytest.fixture
def chime(emulator: EmulatorProcess) -> Iterator[Any]:
    """A client of the meetings; none is left of another test, no fault, and no chance but what a test sets."""
    emulator.faults.clear()
    emulator.faults.set_strict({"requestRates": False, "duplicateEvents": False, "lateEvents": False})
    client = emulator.aws("chime-sdk-meetings", checked=False)
    for meeting in emulator.meetings.active():
        client.delete_meeting(MeetingId=meeting["meetingId"])
    yield client
    emulator.faults.clear()
    emulator.faults.set_strict({})
