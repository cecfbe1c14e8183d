"""The revision of the checkout, as it is recorded in the stacks."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from ops.errors import CommandError

_SECONDS: Final = 30
_DIRTY: Final = "-dirty"


def current(root: Path) -> str:
    """Return the revision of a checkout, for example `v1.2.0-3-g0123456789ab`, or with `-dirty` if files are changed.

    Raises:
        CommandError: the directory is no git checkout.
    """
    finished = _git(root, "describe", "--tags", "--always", "--long", "--abbrev=12", f"--dirty={_DIRTY}")
    if finished.returncode != 0:
        raise CommandError(f"The revision of {root} is unknown: {finished.stderr.strip()}")
    return finished.stdout.strip()


def is_older(root: Path, deployed: str) -> bool:
    """Return whether the checkout is an ancestor of the deployed revision; False if the revision is unknown here."""
    commit = deployed.removesuffix(_DIRTY)
    head, other = (_git(root, "rev-parse", "--verify", f"{each}^{{commit}}").stdout for each in ("HEAD", commit))
    if not other or head == other:
        return False
    return _git(root, "merge-base", "--is-ancestor", "HEAD", commit).returncode == 0


def is_ancestor(root: Path, older: str, newer: str) -> bool:
    """Return whether a revision is an ancestor of another one, or the same; False if one of them is unknown here."""
    return _git(root, "merge-base", "--is-ancestor", older, newer.removesuffix(_DIRTY)).returncode == 0


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=_SECONDS)
