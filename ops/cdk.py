"""Runs the CDK CLI that package.json pins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ops.errors import CommandError

ROOT: Final = Path(__file__).resolve().parent.parent
_CLI: Final = Path("node_modules") / ".bin" / "cdk"
_SYNTH_SECONDS: Final = 300
_OFFLINE: Final = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull, "NO_COLOR": "1"}


def synthesise(
    root: Path, environment: str, output: Path, *, validate: bool = True, revision: str | None = None
) -> None:
    """Write the cloud assembly of one environment, without credentials.

    Args:
        root: the checkout to synthesise.
        environment: name of the environment.
        output: directory of the cloud assembly.
        validate: check the templates against CloudFormation's schemas, which takes seconds.
        revision: recorded as an output of every stack.

    Raises:
        CommandError: the synthesis failed; the message contains its output.
    """
    command = ["synth", "--quiet", "--context", f"env={environment}", "--output", str(output)]
    if revision is not None:
        command += ["--context", f"revision={revision}"]
    variables = {} if validate else {"CDK_VALIDATION": "false"}
    finished = run_offline(command, cwd=root, seconds=_SYNTH_SECONDS, variables=variables)
    if finished.returncode != 0:
        raise CommandError(f"Synthesising {environment} in {root.name} failed:\n{finished.stderr.strip()[-4_000:]}")


@dataclass(frozen=True)
class AssemblyStack:
    """A stack of a cloud assembly: the path of its construct, and the file of its template."""

    construct: str
    file: Path

    @property
    def template(self) -> dict[str, Any]:
        """Return the template."""
        loaded: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        return loaded


def stacks_of(assembly: Path) -> dict[str, AssemblyStack]:
    """Return the stacks of a cloud assembly by stack name."""
    manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    return {
        artifact["properties"].get("stackName", name): AssemblyStack(
            artifact.get("displayName", name), assembly / artifact["properties"]["templateFile"]
        )
        for name, artifact in manifest["artifacts"].items()
        if artifact["type"] == "aws:cloudformation:stack"
    }


def run_offline(
    arguments: list[str], *, cwd: Path, seconds: float, variables: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the CLI without credentials and return its status and output.

    A checkout with an environment of its own is synthesised by its own CLI and library, every other one by this
    checkout's.

    Raises:
        CommandError: the CLI is not installed, or does not finish within `seconds`.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    tools = cwd if (cwd / ".venv").is_dir() and (cwd / _CLI).is_file() else ROOT
    environment = {**kept, **_OFFLINE, **_common(tools), **(variables or {})}
    try:
        return subprocess.run(
            [cli(tools), *arguments, "--no-notices"],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(
            f"cdk {arguments[0]} did not finish within {seconds:.0f} s. Repeat when the machine has less load."
        ) from error


def run(arguments: list[str]) -> int:
    """Run the CLI with the operator's credentials and terminal, and return its exit status."""
    return subprocess.run([cli(), *arguments, "--no-notices"], cwd=ROOT, env={**os.environ, **_common(ROOT)}).returncode


def cli(tools: Path = ROOT) -> str:
    """Return the path of the CLI in a checkout.

    Raises:
        CommandError: it is not installed.
    """
    if not (tools / _CLI).is_file():
        raise CommandError("The CDK CLI is not installed in node_modules. Run: make setup")
    return str(tools / _CLI)


def _common(tools: Path) -> dict[str, str]:
    own = tools / ".venv" / "bin"
    first = own if tools != ROOT and own.is_dir() else Path(sys.executable).parent
    return {"CDK_DISABLE_CLI_TELEMETRY": "true", "PATH": os.pathsep.join([str(first), os.environ.get("PATH", "")])}
