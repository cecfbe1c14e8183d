"""`cdk synth` of one environment against an empty CDK Python app, with the same CLI."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.harness import ROOT, compare, seconds

ROUNDS = 5
_EMPTY = "import aws_cdk as cdk\napp = cdk.App()\ncdk.Stack(app, 'Empty')\napp.synth()\n"


def run(rounds: int) -> list[str]:
    """Return the table: wall clock seconds per synth."""
    with tempfile.TemporaryDirectory() as scratch:
        empty = Path(scratch, "empty")
        empty.mkdir()
        (empty / "app.py").write_text(_EMPTY)
        (empty / "cdk.json").write_text('{"app": "python app.py"}')

        def synth(folder: Path, *context: str) -> float:
            command = [str(ROOT / "node_modules/.bin/cdk"), "synth", "--quiet", "--no-notices", *context]
            command += ["--output", str(Path(scratch, f"out-{folder.name}"))]
            environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
            environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
            return seconds(
                lambda: subprocess.run(command, cwd=folder, check=True, capture_output=True, env=environment)
            )

        return compare(
            "cdk synth",
            "s",
            {"empty app": lambda: synth(empty), "env=prod": lambda: synth(ROOT, "-c", "env=prod")},
            rounds=rounds,
        ).lines()
