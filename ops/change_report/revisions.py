"""Synthesises an environment at two revisions, each with the tools of its own locks, and reads both sides."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ops import cdk
from ops.change_report.comparison import Comparison, Revision
from ops.errors import CommandError

_GIT_SECONDS: Final = 60
_SETUP_SECONDS: Final = 900
_LOCK: Final = "requirements.lock"
_LOCKS: Final = (_LOCK, "package-lock.json", f"handlers/{_LOCK}")
_CACHE: Final = Path(".build") / "revisions"
_FALLBACKS: Final = ("origin/main", "main")

Progress = Callable[[str], None]


def default_base(root: Path, deployed: Callable[[], str | None]) -> str:
    """Return the revision to compare with: the deployed one, else the last tag, else the main branch.

    Args:
        root: the checkout.
        deployed: returns the deployed revision; None if it is not known.

    Raises:
        CommandError: there is none of them.
    """
    if (known := deployed()) and _exists(root, commit := known.removesuffix("-dirty")):
        return commit
    tag = _git(root, "describe", "--tags", "--abbrev=0", check=False).stdout.strip()
    for candidate in (tag, *_FALLBACKS):
        if candidate and _exists(root, candidate):
            return candidate
    raise CommandError("There is no deployed revision, no tag and no main branch to compare with. Add --base REVISION")


def _exists(root: Path, name: str) -> bool:
    return _git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", check=False).returncode == 0


@contextmanager
def compared(environment: str, base: str, root: Path, progress: Progress) -> Iterator[tuple[Comparison, Path, Path]]:
    """Synthesise both revisions; yield the comparison and the two cloud assemblies, which are deleted afterwards.

    Args:
        environment: name of the environment.
        base: the revision to compare with.
        root: the checkout with the other revision.
        progress: is called with each step.

    Raises:
        CommandError: there is no such revision, or one of the two cannot be synthesised.
    """
    with tempfile.TemporaryDirectory(prefix="assemblies-") as directory, checkout_of(base, root, progress) as checkout:
        old, new = Path(directory) / "base", Path(directory) / "head"
        progress(f"Synthesising {environment} at {base}")
        cdk.synthesise(checkout, environment, old, validate=False)
        progress(f"Synthesising {environment} of this checkout")
        cdk.synthesise(root, environment, new, validate=False)
        yield Comparison(read(old, checkout), read(new, root)), old, new


def read(assembly: Path, checkout: Path | None) -> Revision:
    """Read a cloud assembly.

    Args:
        assembly: its directory.
        checkout: the sources that it was synthesised from; None if they are not known.
    """
    manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    protected = frozenset(
        artifact["properties"].get("stackName", name)
        for name, artifact in manifest["artifacts"].items()
        if artifact["type"] == "aws:cloudformation:stack" and artifact["properties"].get("terminationProtection")
    )
    templates = {name: stack.template for name, stack in cdk.stacks_of(assembly).items()}
    return Revision(templates, checkout, protected, _acknowledged(assembly))


def _acknowledged(assembly: Path) -> frozenset[str]:
    file = assembly / "validation-report.json"
    if not file.is_file():
        return frozenset()
    report = json.loads(file.read_text(encoding="utf-8"))
    return frozenset(
        f"{violation['acknowledgedId']} at {violation['acknowledgedAt']}: {violation['reason']}"
        for plugin in report.get("pluginReports", [])
        for violation in plugin.get("suppressedViolations", [])
    )


@contextmanager
def checkout_of(revision: str, root: Path, progress: Progress) -> Iterator[Path]:
    """Yield a checkout of a revision with its tools: this environment's, or its own where its locks differ."""
    commit = _git(root, "rev-parse", "--verify", f"{revision}^{{commit}}").stdout.strip()
    if _locks(lambda name: _shown(root, commit, name)) == _locks(lambda name: _read(root / name)):
        with tempfile.TemporaryDirectory(prefix="base-") as directory:
            path = Path(directory) / "base"
            _git(root, "worktree", "add", "--quiet", "--detach", str(path), commit)
            try:
                for wheels in (root / ".build").glob("wheels-*"):
                    shutil.copytree(wheels, path / ".build" / wheels.name)
                yield path
            finally:
                _git(root, "worktree", "remove", "--force", str(path))
    else:
        yield _own_environment(commit, root, progress)


def _own_environment(commit: str, root: Path, progress: Progress) -> Path:
    """Return a checkout with tools of its own locks, which is kept for the next comparison with the same locks."""
    digest = hashlib.sha256(repr(_locks(lambda name: _shown(root, commit, name))).encode()).hexdigest()[:12]
    path = root / _CACHE / digest
    if (path / ".git").exists():
        _git(path, "checkout", "--quiet", "--force", "--detach", commit)
    else:
        _git(root, "worktree", "prune")
        _git(root, "worktree", "add", "--quiet", "--force", "--detach", str(path), commit)
    progress(f"Installing the tools of {commit[:12]}: its lock files differ (about a minute, once)")
    command = ["make", f"PYTHON={sys.executable}", "setup"]
    try:
        finished = subprocess.run(command, cwd=path, capture_output=True, text=True, timeout=_SETUP_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"Installing the tools of {commit[:12]} took more than {_SETUP_SECONDS} s.") from error
    if finished.returncode != 0:
        raise CommandError(f"The tools of {commit[:12]} could not be installed:\n{finished.stderr.strip()[-2_000:]}")
    return path


def _locks(content: Callable[[str], str]) -> list[str]:
    return [content(name) for name in _LOCKS]


def _shown(root: Path, commit: str, name: str) -> str:
    return _git(root, "show", f"{commit}:{name}", check=False).stdout


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _git(root: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    command = ["git", "-C", str(root), *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=_GIT_SECONDS)
    if check and finished.returncode != 0:
        raise CommandError(f"git {arguments[0]} {arguments[-1]} failed: {finished.stderr.strip()}")
    return finished
