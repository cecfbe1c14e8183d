"""Compares the templates of two revisions offline: `python -m ops.diff --env NAME --base REVISION [--fail-on KIND]`.

Synthesises the base revision in a temporary git worktree and the current checkout, both without credentials, and
compares every stack with the CDK CLI. It compares templates only and does not see manual changes in the account.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from ops import cdk
from ops.cdk import AssemblyStack
from ops.data_risks import data_risks
from ops.errors import CommandError
from ops.update_rules import refused_changes

FailOn = Literal["destructive", "broadening", "any-change"]

_RETAINED: Final = ("Retain", "RetainExceptOnCreate")
_DIFF_SECONDS: Final = 120
_GIT_SECONDS: Final = 60
_LOCK: Final = Path("handlers") / "requirements.lock"


@dataclass(frozen=True)
class StackDiff:
    """The changes of one stack.

    Args:
        stack: its name.
        added, removed, changed: its resources, `{logical id} ({type})`.
        text: the diff of the CDK CLI.
        refused: whether `--fail-on` refuses the changes.
    """

    stack: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    text: str
    refused: bool

    @property
    def summary(self) -> str:
        """Return one line with the counts, and one line per removed resource."""
        counts = f"{len(self.added)} added, {len(self.changed)} changed, {len(self.removed)} removed"
        head = f"{self.stack}: {counts if self.added or self.changed or self.removed else 'no resource changes'}"
        return "\n".join([head, *(f"  removed: {resource}" for resource in self.removed)])


def compare(base: Path, head: Path, fail_on: FailOn | None) -> list[StackDiff]:
    """Compare two cloud assemblies stack by stack.

    A removed stack is reported with all of its resources, and refused by every `fail_on` except `broadening`.

    Raises:
        CommandError: the CLI failed for another reason than `fail_on`.
    """
    before, after = cdk.stacks_of(base), cdk.stacks_of(head)
    differences = [_compare_stack(name, before.get(name), after[name], head, fail_on) for name in sorted(after)]
    for name in sorted(set(before) - set(after)):
        resources = tuple(sorted(_described(_resources(before[name].template))))
        refused = fail_on in ("destructive", "any-change")
        differences.append(StackDiff(name, (), resources, (), "The stack is removed.\n", refused))
    return differences


def _compare_stack(
    name: str, before: AssemblyStack | None, after: AssemblyStack, head: Path, fail_on: FailOn | None
) -> StackDiff:
    with tempfile.TemporaryDirectory(prefix="diff-") as directory:
        base_file = Path(directory) / "base.json"
        base_file.write_text(json.dumps(before.template if before else {"Resources": {}}), encoding="utf-8")
        arguments = ["diff", after.construct, "--exclusively", "--app", str(head), "--template", str(base_file)]
        if fail_on is not None:
            arguments += ["--fail-on", fail_on]
        finished = cdk.run_offline(arguments, cwd=Path(directory), seconds=_DIFF_SECONDS)
    text = finished.stdout + finished.stderr
    if finished.returncode != 0 and (fail_on is None or "Number of stacks with differences" not in text):
        raise CommandError(f"cdk diff of {name} failed:\n{text[-2_000:]}")
    old, new = _resources(before.template if before else {}), _resources(after.template)
    return StackDiff(
        name,
        added=tuple(sorted(_described({key: new[key] for key in new.keys() - old.keys()}))),
        removed=tuple(sorted(_described({key: old[key] for key in old.keys() - new.keys()}))),
        changed=tuple(sorted(_described({key: new[key] for key in new.keys() & old.keys() if new[key] != old[key]}))),
        text=text,
        refused=finished.returncode != 0,
    )


def _resources(template: dict[str, Any]) -> dict[str, Any]:
    resources: dict[str, dict[str, Any]] = template.get("Resources", {})
    return {
        name: {key: value for key, value in resource.items() if key != "Metadata"}
        for name, resource in resources.items()
        if resource["Type"] != "AWS::CDK::Metadata"
    }


def _described(resources: dict[str, Any]) -> Iterator[str]:
    for name, resource in resources.items():
        kept = ", kept in the account" if resource.get("DeletionPolicy") in _RETAINED else ""
        yield f"{name} ({resource['Type']}{kept})"


@contextmanager
def _worktree(revision: str, root: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="base-") as directory:
        path = Path(directory) / "base"
        _git(root, "worktree", "add", "--quiet", "--detach", str(path), revision)
        try:
            yield path
        finally:
            _git(root, "worktree", "remove", "--force", str(path))


def _git(root: Path, *arguments: str) -> None:
    command = ["git", "-C", str(root), *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=_GIT_SECONDS)
    if finished.returncode != 0:
        raise CommandError(f"git {arguments[0]} {arguments[1]} failed: {finished.stderr.strip()}")


def _provide_wheels(base: Path, root: Path) -> None:
    """Copy this checkout's wheels into the base, or download them if the base has another lock file."""
    if not (base / _LOCK).is_file():
        return
    if (base / _LOCK).read_bytes() == (root / _LOCK).read_bytes():
        for wheels in (root / ".build").glob("wheels-*"):
            shutil.copytree(wheels, base / ".build" / wheels.name)
        return
    for platform in ("arm64", "host"):
        command = [sys.executable, "-m", "stacks.packaging", "prepare", "--platform", platform]
        finished = subprocess.run(command, cwd=base, capture_output=True, text=True, timeout=600)
        if finished.returncode != 0:
            raise CommandError(f"The wheels of the base revision could not be downloaded:\n{finished.stderr.strip()}")


@dataclass(frozen=True)
class Findings:
    """What the CDK CLI does not say about the changes, one line each.

    Args:
        impossible: changes that AWS would refuse.
        risks: changes that put stored data at risk.
    """

    impossible: Sequence[str] = ()
    risks: Sequence[str] = ()

    def refused(self, fail_on: FailOn | None) -> bool:
        """Return whether `--fail-on` refuses the changes."""
        return bool(
            (fail_on is not None and self.impossible) or (fail_on in ("destructive", "any-change") and self.risks)
        )


def find(base: Path, head: Path) -> Findings:
    """Compare the templates of two cloud assemblies."""
    before, after = (
        {name: stack.template for name, stack in cdk.stacks_of(assembly).items()} for assembly in (base, head)
    )
    return Findings(refused_changes(before, after), data_risks(before, after))


def differences(
    environment: str, base: str, fail_on: FailOn | None, root: Path = cdk.ROOT
) -> tuple[list[StackDiff], Findings]:
    """Synthesise a revision and the current checkout; return their differences and the findings about them.

    Raises:
        CommandError: there is no such revision, one of the two cannot be synthesised, or the CLI failed.
    """
    with tempfile.TemporaryDirectory(prefix="assemblies-") as directory, _worktree(base, root) as checkout:
        _provide_wheels(checkout, root)
        old, new = Path(directory) / "base", Path(directory) / "head"
        cdk.synthesise(checkout, environment, old, validate=False)
        cdk.synthesise(root, environment, new, validate=False)
        return compare(old, new, fail_on), find(old, new)


def report(found: list[StackDiff]) -> str:
    """Return the diffs of the changed stacks, followed by a summary of all stacks."""
    changed = [stack for stack in found if "There were no differences" not in stack.text]
    parts = [f"── {stack.stack}\n{stack.text.strip()}\n" for stack in changed]
    return "\n".join([*parts, "── Summary", *(stack.summary for stack in found)])


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 1 if `--fail-on` refuses a change, 2 if the comparison failed."""
    parser = argparse.ArgumentParser(prog="python -m ops.diff", description=__doc__)
    parser.add_argument("--env", required=True, help="name of the environment")
    parser.add_argument("--base", required=True, help="git revision to compare with")
    parser.add_argument(
        "--fail-on",
        choices=get_args(FailOn),
        help="exit with status 1 if a change is destructive (resources are deleted or replaced), broadening (more IAM "
        "permissions), or if there is any change; changes that AWS refuses fail every kind",
    )
    chosen = parser.parse_args(arguments)
    try:
        found, findings = differences(chosen.env, chosen.base, chosen.fail_on)
    except CommandError as error:
        print(error, file=sys.stderr)
        return 2
    print(report(found))
    for change in findings.impossible:
        print(f"AWS would refuse: {change}", file=sys.stderr)
    for change in findings.risks:
        print(f"Data at risk: {change}", file=sys.stderr)
    if refused := [stack.stack for stack in found if stack.refused]:
        print(f"\nRefused ({chosen.fail_on}): {', '.join(refused)}", file=sys.stderr)
    return int(bool(refused) or findings.refused(chosen.fail_on))


if __name__ == "__main__":
    sys.exit(main())
