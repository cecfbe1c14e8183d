"""What holds for every file of the repository."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FORBIDDEN = {
    "a path of a developer's machine": re.compile(r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+|farm)/"),
    "a package registry's host": re.compile(r"registry\.npmjs\.org|files\.pythonhosted\.org|pypi\.org/simple"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "an AWS account id": re.compile(
        r"(?:arn:aws[\w-]*:[\w-]+:[\w-]*:|account\s*=\s*\")(?!000000000000|123456789012|111111111111)\d{12}"
    ),
    "a private key": re.compile(r"-----BEGIN (?:RSA |EC )?PRIVATE KEY-----"),
    "work that is left undone": re.compile(r"\b(?:TODO|FIXME)\b"),
}


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    found = []
    for path in tracked():
        if path == Path(__file__) or path.suffix in {".png", ".ico"}:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if FORBIDDEN[what].search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not found, "\n".join(found)


def test_every_command_the_readme_names_is_a_make_target() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        named = set(re.findall(r"(?:^|[`\s])make ([a-z-]+)", document.read_text(), flags=re.MULTILINE))
        prose = {"a", "the", "it", "sure", "them", "alone", "passes"}
        assert named - prose <= targets, f"{document.name} names targets that the Makefile has not"


def test_direct_dependencies_are_pinned_exactly() -> None:
    loose = [
        line
        for name in ("requirements.txt", "handlers/requirements.txt")
        for line in (ROOT / name).read_text().splitlines()
        if line.strip() and not line.startswith("#") and not re.fullmatch(r"[\w.\[\]-]+==[\w.]+", line.strip())
    ]
    assert not loose


def test_the_locks_hold_what_is_asked_for() -> None:
    for folder in (ROOT, ROOT / "handlers"):
        lock = (folder / "requirements.lock").read_text().lower()
        for line in (folder / "requirements.txt").read_text().splitlines():
            if line.strip() and not line.startswith("#"):
                name, version = re.sub(r"\[.*?\]", "", line.strip().lower()).split("==")
                assert f"{name}=={version} " in lock.replace("_", "-"), f"{line}: run `make lock`"


def test_the_decisions_say_why_each_dependency_is_here() -> None:
    decisions = (ROOT / "docs" / "explanation" / "decisions.md").read_text()
    python = re.findall(r"^([\w.-]+)", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE)
    manifest = json.loads((ROOT / "package.json").read_text())
    node = [*manifest.get("dependencies", {}), *manifest.get("devDependencies", {})]
    missing = [name for name in [*python, *node] if f"`{name}`" not in decisions]
    assert not missing, f"docs/explanation/decisions.md does not say why these are here: {', '.join(missing)}"
