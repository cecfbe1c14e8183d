"""The state directory of one local cloud: what lies where, who holds it, and what survives a restart."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

DEFAULT_STATE_DIRECTORY = Path(".local")


class StateError(Exception):
    """The state directory cannot be used; the message says why and what to do."""


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace `path` by `text` in one step, so that a reader or a crash never sees half a file.

    Args:
        path: the file; its folder must exist.
        text: the new content, written as UTF-8.
        mode: permission bits of the new file.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        os.fchmod(stream.fileno(), mode)
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


@dataclass(frozen=True)
class StateDirectory:
    """Paths inside one state directory. Nothing of the local cloud is written anywhere else."""

    root: Path

    @property
    def lock_file(self) -> Path:
        return self.root / "lock"

    @property
    def manifest_file(self) -> Path:
        """What was deployed here and on which ports (`CloudManifest` of `local.manifest`)."""
        return self.root / "cloud.json"

    @property
    def token_file(self) -> Path:
        """The secret that the control endpoints of both services ask for."""
        return self.root / "control-token"

    @property
    def credentials_file(self) -> Path:
        """Access keys that the emulator issued, read by the Events service to verify SigV4."""
        return self.root / "credentials.json"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def emulator(self) -> Path:
        return self.root / "emulator"

    @property
    def objects(self) -> Path:
        """S3 objects, which the emulator writes through."""
        return self.root / "s3"

    @property
    def events(self) -> Path:
        return self.root / "events"

    @property
    def server_errors_file(self) -> Path:
        """Responses of 500 and above since the state was made (`local.emulator.server_errors`)."""
        return self.root / "server-errors.jsonl"

    @property
    def temporary(self) -> Path:
        """TMPDIR of the emulator: emptied at each start, because unpacked functions are left behind."""
        return self.root / "tmp"

    @property
    def assembly(self) -> Path:
        """The synthesised cloud assembly."""
        return self.root / "assembly"

    @property
    def cdk_home(self) -> Path:
        """HOME of the CDK CLI, so that its account cache never mixes with the developer's own."""
        return self.root / "home"

    @property
    def outputs_file(self) -> Path:
        """Stack outputs as the CDK CLI writes them."""
        return self.root / "stack-outputs.json"

    @property
    def users_file(self) -> Path:
        return self.root / "demo-users.json"

    @property
    def processes_file(self) -> Path:
        """Process ids of the children, for a run after one that was killed."""
        return self.root / "processes.json"

    def prepare(self) -> None:
        """Create the folders, empty the temporary one, and set the last run's logs aside as `*.log.1`.

        Raises:
            StateError: a folder cannot be made.
        """
        try:
            for folder in (self.root, self.logs, self.emulator, self.objects, self.events, self.cdk_home):
                folder.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(self.temporary, ignore_errors=True)
            self.temporary.mkdir()
            for log in self.logs.glob("*.log"):
                log.replace(log.with_suffix(".log.1"))
        except OSError as error:
            raise StateError(
                f"cannot prepare the state directory {self.root}: {error}; choose another with --state"
            ) from error

    def control_token(self) -> str:
        """The control token, made at first use (file mode 0600)."""
        if not self.token_file.exists():
            write_atomically(self.token_file, secrets.token_urlsafe(32), mode=0o600)
        return self.token_file.read_text(encoding="utf-8").strip()

    def forget(self) -> None:
        """Delete everything that a run left here except the lock file that the caller holds.

        Raises:
            StateError: the directory does not look like one of ours, so it is not touched.
        """
        if not self.root.exists():
            return
        known = {entry.name for entry in self.__known()}
        unknown = [entry.name for entry in self.root.iterdir() if entry.name not in known]
        if unknown:
            raise StateError(
                f"{self.root} holds {', '.join(sorted(unknown)[:3])}, which the local cloud did not write: "
                "not deleting it; remove the directory yourself if it is disposable"
            )
        for entry in self.root.iterdir():
            if entry == self.lock_file:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def __known(self) -> list[Path]:
        return [
            self.lock_file,
            self.manifest_file,
            self.token_file,
            self.credentials_file,
            self.logs,
            self.emulator,
            self.objects,
            self.events,
            self.temporary,
            self.assembly,
            self.cdk_home,
            self.outputs_file,
            self.users_file,
            self.processes_file,
            self.server_errors_file,
            self.root / "web-config.json",
            self.root / "front-end.env",
        ]


class StateLock:
    """An exclusive hold on a state directory for as long as the process lives (flock: a crash frees it)."""

    def __init__(self, state: StateDirectory) -> None:
        self._path = state.lock_file
        self._stream: IO[str] | None = None

    def acquire(self, details: dict[str, Any]) -> None:
        """Take the lock and write `details` (process id, ports) into it for `status` and `down`.

        Raises:
            StateError: another process holds it.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        stream = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = read_lock(self._path)
            stream.close()
            pid = holder.get("pid", "unknown") if holder else "unknown"
            raise StateError(
                f"a local cloud already runs on {self._path.parent} (process {pid}); "
                "stop it with `python -m local down` or use another directory with --state"
            ) from None
        self._stream = stream
        self.describe(details)

    def describe(self, details: dict[str, Any]) -> None:
        """Replace what `status` and `down` read, while the lock is held."""
        if self._stream is not None:
            self._stream.seek(0)
            self._stream.truncate()
            json.dump(details, self._stream)
            self._stream.flush()

    def release(self) -> None:
        """Let go of the directory."""
        if self._stream is not None:
            self._stream.seek(0)
            self._stream.truncate()
            self._stream.close()
            self._stream = None


def read_lock(path: Path) -> dict[str, Any] | None:
    """What the running local cloud wrote into its lock file, or None when none runs.

    Args:
        path: the lock file.
    """
    if not path.exists():
        return None
    with path.open("r+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            text = path.read_text(encoding="utf-8")
            held: dict[str, Any] = json.loads(text) if text else {}
            return held
    return None
