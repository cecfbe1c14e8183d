"""Reads the workflows: their jobs, steps, permissions and triggers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from stacks.packaging import ROOT

DIRECTORY = ROOT / ".github" / "workflows"
NAMES = tuple(sorted(path.name for path in DIRECTORY.glob("*.yml")))


@dataclass(frozen=True)
class Workflow:
    """One workflow."""

    name: str
    text: str
    document: dict[Any, Any]

    @property
    def triggers(self) -> dict[str, Any]:
        """Return the events with their filters; `on` is a boolean in YAML 1.1."""
        given = self.document[True]
        return given if isinstance(given, dict) else {given: None}

    @property
    def jobs(self) -> dict[str, dict[str, Any]]:
        """Return the jobs by id."""
        jobs: dict[str, dict[str, Any]] = self.document["jobs"]
        return jobs

    def steps(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield job id and step."""
        for name, job in self.jobs.items():
            for step in job.get("steps", ()):
                yield name, step

    def step(self, name: str) -> dict[str, Any]:
        """Return the step with a name."""
        return next(step for _, step in self.steps() if step["name"] == name)


@cache
def workflow(name: str) -> Workflow:
    """Read a workflow."""
    return parsed(name, Path(DIRECTORY / name).read_text(encoding="utf-8"))


def parsed(name: str, text: str) -> Workflow:
    """Return a workflow from its text."""
    return Workflow(name, text, yaml.safe_load(text))


def scripts() -> list[tuple[str, str]]:
    """Return place and script of every `run:` step."""
    return [
        (f"{name}: {step['name']}", step["run"])
        for name in NAMES
        for _, step in workflow(name).steps()
        if "run" in step
    ]
