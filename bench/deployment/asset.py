"""Size of the Lambda asset, and whether a second build, in another directory, is identical."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from stacks import packaging

ROUNDS = 1


def run(rounds: int) -> list[str]:
    """Return size, number of files and digest of the arm64 asset, which is built twice."""
    first = packaging.build("arm64")
    with tempfile.TemporaryDirectory() as scratch:
        other = Path(scratch, "elsewhere")
        for folder in ("contract", "handlers"):
            shutil.copytree(packaging.ROOT / folder, other / folder)
        shutil.copytree(packaging.ROOT / ".build", other / ".build")
        second = packaging.build("arm64", other)
        same = "identical" if first.digest == second.digest else "DIFFERENT"
    files = [path for path in first.path.rglob("*") if path.is_file()]
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    return [
        f"Lambda asset (arm64, Python {packaging.PYTHON}): {megabytes:.2f} MB in {len(files)} files",
        f"  a second build in another directory is {same} (digest {first.digest[:16]})",
    ]
