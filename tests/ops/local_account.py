"""The local cloud as an account: the emulator in strict mode, bootstrapped, with the CDK CLI and clients for it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from local.deploy import CdkProject, _local_environment
from ops import cdk
from ops.deploy.tools import Tools
from ops.progress import Progress
from tests.local.conftest import EmulatorProcess

ACCOUNT = "000000000000"
_CLI_SECONDS = 240


class LocalAccount:
    """An account that deployments of tests go to.

    Attributes:
        lines: the progress of the commands.
        answers: what the operator types, one answer for each question.
        commands: the arguments of each run of the CDK CLI.
    """

    def __init__(self, folder: Path) -> None:
        self.emulator = EmulatorProcess(folder, events=True)
        self.lines: list[str] = []
        self.answers: list[str] = []
        self.commands: list[list[str]] = []
        self.output = ""

    def start(self) -> None:
        """Start the emulator and the Events service, and bootstrap the account."""
        self.emulator.start()
        project = CdkProject(cdk.ROOT, Path(cdk.cli()), "dev")
        project.bootstrap(self.emulator.state, self.emulator.ports, self._keys())

    def stop(self) -> None:
        """Stop them."""
        self.emulator.stop()

    def _keys(self) -> dict[str, str]:
        keys = self.emulator.aws("sts")._request_signer._credentials
        return {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key}

    def cli(self, arguments: list[str]) -> int:
        """Run the CDK CLI against the emulator."""
        self.commands.append(arguments)
        finished = subprocess.run(
            [cdk.cli(), *arguments, "--no-notices", "--ci"],
            cwd=self.emulator.state.cdk_home,
            env=_local_environment(self.emulator.state, self.emulator.ports, self._keys()),
            capture_output=True,
            text=True,
            timeout=_CLI_SECONDS,
        )
        self.output += finished.stdout + finished.stderr
        return finished.returncode

    @property
    def tools(self) -> Tools:
        """Return the tools of a deployment to this account."""
        return Tools(
            self.client,
            cli=self.cli,
            identify=lambda: ACCOUNT,
            read=lambda question: self.answers.pop(0),
            variables={},
            progress=Progress(self.lines.append),
        )

    def client(self, service: str) -> Any:
        """Create a client of a service."""
        return self.emulator.aws(service)

    def revision(self, stack: str) -> str:
        """Return the revision that a stack recorded."""
        (found,) = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return next(each["OutputValue"] for each in found["Outputs"] if each["OutputKey"] == "Revision")
