"""Synthesises the stack of the deployment roles, each variant once."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from stacks.config.fields import Environment, GitHub
from stacks.deployment_access import NAME, DeploymentAccessStack
from tests.stacks.synthesis import IMPORTED_POOL, Template, settings_of, synthesised

ACCESS = "deployment-access"
"""Directory of the snapshots."""
NAMES = "repository-by-names"
IDS = "repository-by-ids"
OTHER_POOL = "imported-pool"
REPOSITORY = "example-edu/chat"
_SCRATCH = tempfile.TemporaryDirectory(prefix="access-")
_SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    NAMES: ("prod", {}),
    IDS: ("staging", {"owner_id": "123456", "repository_id": "456789", "provider": "import", "verify": True}),
    OTHER_POOL: (IMPORTED_POOL, {"verify": True}),
}
ACCESS_VARIANTS = tuple(_SETTINGS)


def access_settings(variant: str) -> Environment:
    """Return the settings of a variant."""
    environment, given = _SETTINGS[variant]
    return replace(settings_of(environment), github=GitHub(repository=REPOSITORY, **given))


@cache
def access_assembly(variant: str) -> Path:
    """Synthesise a variant with cdk-nag, and return the directory of its cloud assembly."""
    directory = Path(tempfile.mkdtemp(prefix=f"{variant}-", dir=_SCRATCH.name))
    environment = access_settings(variant)
    return synthesised(directory, lambda app: DeploymentAccessStack(app, environment), nag=True)


def access_template(variant: str) -> Template:
    """Return the template of a variant."""
    loaded: Template = json.loads((access_assembly(variant) / f"{NAME}.template.json").read_text(encoding="utf-8"))
    return loaded
