"""Each package installs from its wheel and passes its own tests without this repository."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.harness.standalone import ROOT, build_wheel, run_standalone

PACKAGES: dict[str, tuple[str, ...]] = {"appsync-events": ("appsync-events-local",), "appsync-events-local": ()}
"""By package whose suite runs standalone: the other packages that its tests need."""
MODULES = {"appsync-events": "appsync_events", "appsync-events-local": "appsync_events_local"}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("package", PACKAGES)
def test_package_passes_its_tests_in_an_empty_environment(package: str, tmp_path: Path) -> None:
    run = run_standalone(package, tmp_path, others=PACKAGES[package])
    assert set(run.outcomes) == {"passed"}, run.output
    assert run.outcomes["passed"] > 100


@pytest.mark.parametrize("package", MODULES)
def test_wheel_has_every_file_of_the_package_and_no_other(package: str, tmp_path: Path) -> None:
    module = MODULES[package]
    source = ROOT / "packages" / package / "src"
    files = {
        path.relative_to(source).as_posix()
        for path in (source / module).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(build_wheel(package, tmp_path)) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == files
    assert f"{module}/py.typed" in held


def test_wheel_of_the_client_requires_aiohttp_and_an_aws_library_only_for_iam(tmp_path: Path) -> None:
    with zipfile.ZipFile(build_wheel("appsync-events", tmp_path)) as wheel:
        [metadata] = [wheel.read(name).decode() for name in wheel.namelist() if name.endswith("METADATA")]
    required = [line.removeprefix("Requires-Dist: ") for line in metadata.splitlines() if "Requires-Dist" in line]
    assert sorted(line for line in required if 'extra == "test"' not in line) == [
        "aiohttp<4,>=3.11",
        'botocore<2,>=1.34; extra == "iam"',
    ]
    assert "License-Expression: LicenseRef-Undecided\n" in metadata
