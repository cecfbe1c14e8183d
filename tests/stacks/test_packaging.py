"""The Lambda package is reproducible, small, and never built from stale wheels."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from stacks import packaging
from stacks.packaging import ASSET_BYTES_MAX, ROOT, PackagingError, build
from stacks.policy.permissions import FUNCTIONS


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the sources and wheels of the package."""
    return _checkout(tmp_path / "checkout")


def _checkout(root: Path) -> Path:
    for folder in ("contract", "handlers"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / ".build" / "wheels-arm64", root / ".build" / "wheels-arm64")
    return root


def _listing(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        path.relative_to(folder).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
            stat.S_IMODE(path.stat().st_mode),
        )
        for path in sorted(folder.rglob("*"))
    }


def test_package_does_not_depend_on_directory_time_mode_or_umask(checkout: Path, tmp_path: Path) -> None:
    first = build("arm64", checkout)
    other = _checkout(tmp_path / "elsewhere" / "deeper")
    for number, path in enumerate(sorted(other.rglob("*"), reverse=True)):
        os.utime(path, (number, number))
        if path.is_file():
            path.chmod(0o600)
    (other / "handlers" / "__pycache__").mkdir()
    (other / "handlers" / "__pycache__" / "settings.cpython-311.pyc").write_bytes(b"noise")
    before = os.umask(0o077)
    try:
        second = build("arm64", other)
    finally:
        os.umask(before)
    assert first.digest == second.digest
    assert _listing(first.path) == _listing(second.path)


def test_package_is_small_and_contains_what_functions_import(checkout: Path) -> None:
    files = _listing(build("arm64", checkout).path)
    size = sum(path.stat().st_size for path in build("arm64", checkout).path.rglob("*") if path.is_file())
    assert size < ASSET_BYTES_MAX
    assert {"handlers/settings.py", "contract/routes.py", "msgspec/__init__.py"} <= set(files)
    extensions = [name for name in files if name.endswith(".so")]
    assert extensions
    assert all("cpython-313-aarch64" in name for name in extensions)
    assert not [name for name in files if "__pycache__" in name or "dist-info" in name or "tests" in name.split("/")]
    assert not [name for name in files if name.startswith(("boto3/", "botocore/"))]


def test_package_contains_the_module_of_every_function(checkout: Path) -> None:
    files = _listing(build("arm64", checkout).path)
    assert {f"handlers/entry/{function}.py" for function in FUNCTIONS} <= set(files)


def test_changed_source_changes_the_package(checkout: Path) -> None:
    before = build("arm64", checkout)
    with (checkout / "handlers" / "settings.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    after = build("arm64", checkout)
    assert before.digest != after.digest
    assert before.path != after.path


def test_unchanged_package_is_not_written_again(checkout: Path) -> None:
    first = build("arm64", checkout)
    marker = first.path / "handlers" / "settings.py"
    written = marker.stat().st_mtime_ns
    assert build("arm64", checkout) == first
    assert marker.stat().st_mtime_ns == written


def test_error_about_missing_wheels_names_the_command(checkout: Path) -> None:
    shutil.rmtree(checkout / ".build")
    with pytest.raises(PackagingError, match=r"python -m stacks\.packaging prepare --platform arm64"):
        build("arm64", checkout)


def test_error_about_stale_wheels_names_the_command(checkout: Path) -> None:
    with (checkout / "handlers" / "requirements.lock").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    with pytest.raises(PackagingError, match=r"do not match handlers/requirements\.lock\. Run: python -m stacks"):
        build("arm64", checkout)


def test_too_large_package_is_refused(checkout: Path) -> None:
    (checkout / "handlers" / "large.py").write_bytes(b"#" * (ASSET_BYTES_MAX + 1))
    with pytest.raises(PackagingError, match="start too slowly"):
        build("arm64", checkout)


def test_failed_download_reports_the_cause_and_keeps_the_old_wheels(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*arguments: object, **options: object) -> None:
        raise subprocess.CalledProcessError(1, "pip", stderr="ERROR: hashes do not match\n")

    monkeypatch.setattr(packaging.subprocess, "run", refused)
    with pytest.raises(PackagingError, match="hashes do not match"):
        packaging.prepare("arm64", checkout)
    assert build("arm64", checkout).path.is_dir()
    monkeypatch.setattr(packaging, "ROOT", checkout)
    assert packaging.main(["prepare"]) == 1
    assert "hashes do not match" in capsys.readouterr().err


def test_wheels_without_a_matching_hash_are_refused(checkout: Path, tmp_path: Path) -> None:
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", "VALUE = 1\n")
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    lock = checkout / "handlers" / "requirements.lock"
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock.write_text(f"tiny @ {wheel.as_uri()} --hash=sha256:{digest}\n", encoding="utf-8")
    packaging.prepare("arm64", checkout)
    assert (build("arm64", checkout).path / "tiny.py").read_text(encoding="utf-8") == "VALUE = 1\n"
    lock.write_text(f"tiny @ {wheel.as_uri()} --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    with pytest.raises(PackagingError, match="HASH"):
        packaging.prepare("arm64", checkout)


def test_host_package_can_be_imported() -> None:
    asset = build("host")
    program = "import msgspec, handlers.settings; print(msgspec.__file__)"
    finished = subprocess.run(
        [sys.executable, "-S", "-c", program], cwd=asset.path, capture_output=True, text=True, timeout=60, check=True
    )
    assert finished.stdout.startswith(str(asset.path))
