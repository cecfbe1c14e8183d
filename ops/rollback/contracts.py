"""What two revisions store: their data versions and the shapes of tables, items and events."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from ops import cdk
from ops.errors import CommandError

_SCRIPT: Final = Path("contract") / "stored.py"
_SECONDS: Final = 60


@dataclass(frozen=True)
class Stored:
    """What one revision stores.

    Args:
        revision: the revision.
        version: its data version; None if it declares none.
        readable_since: the oldest data version whose functions can read its data; None if it declares no version.
        digest: a digest of the shapes.
        tables: the shapes of its tables, by entity.
        events: the shapes of its events, by type.
    """

    revision: str
    version: int | None
    readable_since: int | None
    digest: str
    tables: Mapping[str, Mapping[str, Any]]
    events: Mapping[str, Any]


def stored_by(revision: str, root: Path = cdk.ROOT) -> Stored:
    """Return what a revision stores, from its own contract.

    Args:
        revision: a git revision.
        root: the checkout.

    Raises:
        CommandError: there is no such revision, or its contract cannot be read.
    """
    archived = subprocess.run(
        ["git", "-C", str(root), "archive", "--format=tar", revision, "contract"], capture_output=True, timeout=_SECONDS
    )
    if archived.returncode != 0:
        raise CommandError(
            f"The contract of {revision} cannot be read: {archived.stderr.decode().strip()}. If the commit is not "
            "in this checkout: git fetch --tags"
        )
    with tempfile.TemporaryDirectory(prefix="contract-") as directory:
        with tarfile.open(fileobj=BytesIO(archived.stdout)) as archive:
            archive.extractall(directory, filter="data")
        return _described(revision, Path(directory))


def _described(revision: str, directory: Path) -> Stored:
    """Describe the contract in a directory by this checkout's script, so that every revision is described alike."""
    finished = subprocess.run(
        [sys.executable, "-P", str(cdk.ROOT / _SCRIPT)],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(directory), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    if finished.returncode != 0:
        raise CommandError(f"The contract of {revision} cannot be described: {finished.stderr.strip()[-1_000:]}")
    document = json.loads(finished.stdout)
    version = document["version"] or {}
    return Stored(
        revision,
        version.get("number"),
        version.get("readable_since"),
        document["digest"],
        document["shapes"]["tables"],
        document["shapes"]["events"],
    )
