"""Synthesis and deployment with the real CDK CLI, each skipped when nothing changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from local.emulator.settings import ACCOUNT_ID, DEFAULT_REGION
from local.processes.ports import Ports
from local.state import StateDirectory
from local.steps import StepError

SOURCES = (
    "app.py",
    "cdk.json",
    "environments",
    "stacks",
    "appsync_js",
    "handlers",
    "contract",
    "requirements.lock",
    "package-lock.json",
)
"""What the templates are made from. A change of anything else needs no new synthesis."""

_IGNORED_FOLDERS = frozenset({"__pycache__", ".cache", "node_modules", ".pytest_cache", ".mypy_cache"})
_INPUT_SUFFIXES = frozenset({".py", ".js", ".json", ".toml", ".lock"})
"""What an editor leaves beside a file while it saves it has other suffixes, or none."""
_SYNTH_SECONDS = 300
_BOOTSTRAP_SECONDS = 120
_DEPLOY_SECONDS = 600
_TAIL_LINES = 40


def is_input(name: str) -> bool:
    """Return whether the synthesis reads a file.

    Args:
        name: its path below the project, with forward slashes.
    """
    path = PurePosixPath(name)
    return path.parts[0] in SOURCES and path.suffix in _INPUT_SUFFIXES and not _IGNORED_FOLDERS & set(path.parts)


@dataclass(frozen=True)
class CdkProject:
    """A folder with a CDK app, and how it is deployed here.

    Attributes:
        folder: where `cdk.json` is.
        cli: the CDK CLI's program.
        environment: value of the context `env`.
    """

    folder: Path
    cli: Path
    environment: str

    def digest(self) -> str:
        """Digest of everything the synthesis reads."""
        roots = [self.folder / name for name in SOURCES]
        # Wheels of the functions are those of this interpreter.
        return _digest(self.folder, roots, f"{self.environment} {sys.implementation.cache_tag}")

    def synthesise(self, state: StateDirectory) -> None:
        """Write the cloud assembly.

        Raises:
            StepError: the app cannot be synthesised; with what it printed.
        """
        shutil.rmtree(state.assembly, ignore_errors=True)
        self._run(
            ["synth", "--quiet", "-c", f"env={self.environment}", "--output", str(state.assembly)],
            _plain_environment(),
            self.folder,
            _SYNTH_SECONDS,
            "the app could not be synthesised",
            f"fix what it says; all of it: {state.logs / 'cdk-synth.log'}, or make synth ENV={self.environment}",
            state.logs / "cdk-synth.log",
        )

    def bootstrap(self, state: StateDirectory, ports: Ports, keys: dict[str, str]) -> None:
        """Make the CDK's own stack (asset bucket, roles) in the emulator.

        Raises:
            StepError: it failed.
        """
        # From a folder without cdk.json: inside the app the CLI would synthesise it first.
        self._run(
            ["bootstrap", f"aws://{ACCOUNT_ID}/{DEFAULT_REGION}"],
            _local_environment(state, ports, keys),
            state.cdk_home,
            _BOOTSTRAP_SECONDS,
            "cdk bootstrap failed",
            f"see {state.logs / 'cdk-bootstrap.log'} and {state.logs / 'emulator.log'}",
            state.logs / "cdk-bootstrap.log",
        )

    def deploy(self, state: StateDirectory, ports: Ports, keys: dict[str, str]) -> None:
        """Deploy every stack of the assembly and write the stack outputs.

        Raises:
            StepError: a stack failed; with the CLI's last lines.
        """
        self._run(
            [
                "deploy",
                "--all",
                "--app",
                str(state.assembly),
                "--require-approval",
                "never",
                "--progress",
                "events",
                "--outputs-file",
                str(state.outputs_file),
            ],
            _local_environment(state, ports, keys),
            state.cdk_home,
            _DEPLOY_SECONDS,
            "cdk deploy failed",
            f"see {state.logs / 'cdk-deploy.log'} and {state.logs / 'emulator.log'}; "
            "if only the local state is broken, delete it with --fresh",
            state.logs / "cdk-deploy.log",
        )

    def _run(
        self,
        arguments: list[str],
        environment: dict[str, str],
        folder: Path,
        seconds: int,
        cause: str,
        remedy: str,
        log: Path,
    ) -> None:
        command = [str(self.cli), *arguments, "--no-notices", "--ci"]
        try:
            result = subprocess.run(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except FileNotFoundError as error:
            raise StepError(f"{self.cli} is missing", "install the Node tools: make setup") from error
        except subprocess.TimeoutExpired as error:
            raise StepError(f"{cause}: not finished after {seconds} s", remedy, _tail(_text(error.output))) from error
        log.write_text(result.stdout, encoding="utf-8")
        if result.returncode != 0:
            raise StepError(f"{cause} (code {result.returncode})", remedy, _tail(result.stdout))


def assembly_digest(assembly: Path) -> str:
    """Digest of a synthesised assembly, assets included."""
    return _digest(assembly, [assembly], "")


def _local_environment(state: StateDirectory, ports: Ports, keys: dict[str, str]) -> dict[str, str]:
    """Variables under which the CLI talks to the emulator, and to nothing else.

    HOME lies in the state directory because the CLI remembers there which account a key belongs to.
    """
    return {
        **_plain_environment(),
        **keys,
        "AWS_REGION": DEFAULT_REGION,
        "AWS_DEFAULT_REGION": DEFAULT_REGION,
        "AWS_ENDPOINT_URL": ports.emulator_url,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(state.cdk_home),
    }


def _plain_environment() -> dict[str, str]:
    """The parent's variables without anything of AWS; `python` is this interpreter, and the CLI sends no telemetry."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "CDK_")) and name.lower() not in ("http_proxy", "https_proxy", "all_proxy")
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    return {**kept, "PATH": path, "CDK_DISABLE_CLI_TELEMETRY": "true", "NO_COLOR": "1"}


def _digest(base: Path, roots: Iterable[Path], extra: str) -> str:
    digest = hashlib.blake2b(extra.encode(), digest_size=20)
    for path in sorted(path for root in roots for path in _files(root)):
        digest.update(f"\0{path.relative_to(base)}\0".encode())
        digest.update(hashlib.blake2b(path.read_bytes(), digest_size=20).digest())
    return digest.hexdigest()


def _files(root: Path) -> Iterable[Path]:
    if root.is_file():
        yield root
        return
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _IGNORED_FOLDERS]
        yield from (Path(folder) / name for name in names if not name.endswith(".pyc"))


def _tail(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()[-_TAIL_LINES:])


def _text(output: str | bytes | None) -> str:
    return output.decode("utf-8", "replace") if isinstance(output, bytes) else output or ""
