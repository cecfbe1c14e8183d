"""The directions in which the directories of this repository may import each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacks.packaging import ROOT

PATHS = {
    "appsync_events": "packages/appsync-events/src/appsync_events",
    "appsync_events_local": "packages/appsync-events-local/src/appsync_events_local",
}
DIRECTORIES = (
    "app",
    "contract",
    "stacks",
    "handlers",
    "appsync_js",
    "appsync_events",
    "appsync_events_local",
    "tools",
    "local",
    "client",
    "ops",
    "bench",
    "tests",
)
AWS = ("boto3", "botocore", "aws_cdk")
SIGNING = ("botocore.auth", "botocore.awsrequest", "botocore.credentials", "botocore.exceptions", "botocore.session")


def _files(folder: str) -> list[Path]:
    path = ROOT / PATHS.get(folder, folder)
    return [path.with_suffix(".py")] if path.with_suffix(".py").is_file() else sorted(path.rglob("*.py"))


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _broken(folder: str, *, forbidden: tuple[str, ...], allowed: tuple[str, ...] = ()) -> list[str]:
    return [
        f"{_module(path)} imports {name}"
        for path in _files(folder)
        for name in _imports(path)
        if _within(name, forbidden) and not _within(name, allowed)
    ]


@pytest.mark.parametrize(
    ("folder", "forbidden", "allowed"),
    [
        ("handlers/core", (*AWS, "urllib3", "handlers.entry", "handlers.adapters", "handlers.settings"), ()),
        ("contract", tuple(directory for directory in DIRECTORIES if directory != "contract"), ()),
        ("handlers/adapters", ("handlers.entry",), ()),
        (
            "handlers",
            ("app", "stacks", "appsync_js", "appsync_events", "local", "client", "ops", "bench", "aws_cdk"),
            (),
        ),
        ("appsync_js", ("app", "stacks", "handlers", "local", "ops", *AWS), ("handlers.core",)),
        ("stacks", ("handlers",), ("handlers.settings",)),
        ("stacks", ("app", "appsync_events", "local", "client", "ops", "bench"), ()),
        ("app", ("handlers", "local", "client", "ops"), ()),
        ("local", ("handlers",), ()),
        ("ops", ("handlers",), ()),
        # Installed by others alone: nothing of this repository, and no AWS library but for signing.
        (
            "appsync_events",
            (*(directory for directory in DIRECTORIES if directory != "appsync_events"), *AWS, "msgspec"),
            SIGNING,
        ),
        (
            "appsync_events_local",
            tuple(directory for directory in DIRECTORIES if directory != "appsync_events_local"),
            (),
        ),
        ("client", ("handlers", "stacks", "app", "ops", "bench"), ()),
    ],
)
def test_a_directory_imports_only_what_it_may(
    folder: str, forbidden: tuple[str, ...], allowed: tuple[str, ...]
) -> None:
    assert _files(folder), folder
    assert _broken(folder, forbidden=forbidden, allowed=allowed) == []


@pytest.mark.parametrize("folder", [directory for directory in DIRECTORIES if directory != "tests"])
def test_nothing_imports_tests(folder: str) -> None:
    assert _broken(folder, forbidden=("tests", "pytest", "hypothesis")) == []


def test_a_forbidden_import_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "module.py").write_text(
        "def late():\n"
        "    from handlers.adapters import call_log\n"
        "    import handlers.settings\n"
        "    import boto3.session\n",
        encoding="utf-8",
    )
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    found = _broken("folder", forbidden=("handlers", "boto3"), allowed=("handlers.settings",))
    assert found == ["folder.module imports handlers.adapters.call_log", "folder.module imports boto3.session"]
