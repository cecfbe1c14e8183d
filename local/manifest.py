"""What stands in a state directory's `cloud.json`: ports, environment, and what was deployed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from local.processes.ports import Ports
from local.state import StateError, write_atomically

_FORMAT = 1


@dataclass
class CloudManifest:
    """Facts about one state directory that outlive a run.

    Attributes:
        environment: name of the environment file.
        ports: the ports; addresses are part of what is deployed, so they stay the same.
        bootstrapped: whether `cdk bootstrap` was done here.
        inputs: digest of the sources of the last synthesis.
        deployed: digest of the assembly that was deployed and saved last, or None.
        deploying: whether a deployment was begun and not finished.
    """

    environment: str
    ports: Ports
    bootstrapped: bool = False
    inputs: str | None = None
    deployed: str | None = None
    deploying: bool = False

    def save(self, path: Path) -> None:
        """Write the manifest."""
        write_atomically(path, json.dumps({"format": _FORMAT, **asdict(self)}, indent=1))

    @classmethod
    def load(cls, path: Path) -> CloudManifest | None:
        """Read the manifest; None when there is none.

        Raises:
            StateError: it cannot be read, or another version of the local cloud wrote it.
        """
        if not path.exists():
            return None
        try:
            document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if document.pop("format") != _FORMAT:
                raise ValueError("written by another version")
            return cls(**{**document, "ports": Ports(**document["ports"])})
        except (ValueError, KeyError, TypeError) as error:
            raise StateError(f"{path} cannot be used ({error}); delete the state with --fresh") from error
