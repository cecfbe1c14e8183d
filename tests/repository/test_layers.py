"""Which directory may use which: Python imports, JavaScript imports, and paths in texts of the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

import pytest

from stacks.packaging import ROOT

PACKAGES: Final = {
    "appsync_events": "packages/appsync-events/src/appsync_events",
    "appsync_events_local": "packages/appsync-events-local/src/appsync_events_local",
}
"""Installed packages, by the name of their import."""
AWS: Final = ("boto3", "botocore", "aws_cdk")
SIGNING: Final = (
    "botocore.auth",
    "botocore.awsrequest",
    "botocore.credentials",
    "botocore.exceptions",
    "botocore.session",
)

ALLOWED: Final[dict[str, tuple[str, ...]]] = {
    "app": ("stacks",),
    "contract": (),
    "handlers/core": ("contract",),
    "handlers/adapters": ("contract", "handlers.core"),
    "handlers/entry": ("contract", "handlers.core", "handlers.adapters", "handlers.settings"),
    "handlers/settings": ("contract",),
    "appsync_js": ("contract",),
    "stacks": ("contract", "appsync_js", "handlers.settings"),
    "local": ("contract", "stacks.naming", "appsync_events_local"),
    "client": ("contract", "appsync_events"),
    "ops": (
        *("contract", "stacks", "appsync_events_local.assumptions"),
        # Load and doctor sign in, connect and receive like a client.
        *("appsync_events", "client.api", "client.errors"),
    ),
    # Erasure and restore keep the numbering and the rules of groups and calls: by their own code, not by a copy of it.
    "ops/data": ("contract", "stacks", "ops", "handlers.core", "handlers.adapters"),
    "tools": (
        *("contract", "stacks", "appsync_js", "appsync_events_local", "handlers.core.messages.rules"),
        *("local.emulator.strict.rules", "ops.capacity", "ops.change_report.service_spec", "ops.costs", "ops.doctor"),
        "ops.verify",
    ),
    "bench": (
        *("contract", "stacks", "handlers", "client", "local", "appsync_js"),
        *("appsync_events", "appsync_events_local", "ops.costs.prices"),
    ),
    "appsync_events": (),
    "appsync_events_local": (),
}
"""What each directory may import of this repository, besides itself."""
FORBIDDEN: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "handlers/core": ((*AWS, "urllib3"), ()),
    "handlers": (("aws_cdk",), ()),
    "appsync_js": (AWS, ()),
    "contract": (AWS, ()),
    # Users install it without an AWS library; only signing needs one.
    "appsync_events": ((*AWS, "msgspec"), SIGNING),
}
"""Libraries that a directory may not import, and exceptions."""
FIRST_PARTY: Final = frozenset({path.split("/")[0] for path in ALLOWED} | {"tests"})

SCRIPT_IMPORTS: Final[dict[str, tuple[str, ...]]] = {
    "appsync_js": ("packages/appsync-events-local/src/appsync_events_local/runtime",),
    "web": ("contract/generated",),
    "bench": (),
    "ops": (),
    "tests": ("web", "appsync_js", "contract/generated", "contract/vectors", "ops/cutover/old_server"),
}
"""What the JavaScript and TypeScript files of each directory may import by path, besides their own directory."""

PATHS_ALLOWED: Final[dict[str, tuple[str, ...]]] = {
    "local": ("web", "contract/generated"),
    "ops": ("tests/e2e", "packages/appsync-events", "docs"),
    "stacks": ("docs",),
    "tools": (
        "contract/generated",
        "docs",
        "tests/snapshots",
        "packages/appsync-events-local/docs",
        "local/emulator/strict",
    ),
}
"""Paths of other directories that may stand as texts in the code of a directory."""
_PATH: Final = re.compile(
    r"(?:contract|stacks|handlers|appsync_js|packages|local|client|ops|bench|tools|tests|web|docs)/[\w./-]+"
)
_SCRIPT_IMPORT: Final = re.compile(r"""(?:from|import|require\()\s*["'](\.[^"']+)["']""")
_SCRIPTS: Final = (".js", ".mjs", ".ts", ".tsx")


def _files(directory: str) -> list[Path]:
    path = ROOT / PACKAGES.get(directory, directory)
    if path.with_suffix(".py").is_file():
        return [path.with_suffix(".py")]
    own = [ROOT / each for each in ALLOWED if each.startswith(f"{directory}/")]
    return [file for file in sorted(path.rglob("*.py")) if not any(file.is_relative_to(each) for each in own)]


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _wrong_imports(directory: str, allowed: tuple[str, ...]) -> list[str]:
    own = directory.replace("/", ".")
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in _files(directory)
        for name in _imports(path)
        if name.split(".")[0] in FIRST_PARTY and not _within(name, (own, *allowed))
    ]


@pytest.mark.parametrize("directory", ALLOWED)
def test_a_directory_imports_only_what_it_may(directory: str) -> None:
    assert _files(directory), directory
    assert _wrong_imports(directory, ALLOWED[directory]) == []


@pytest.mark.parametrize("directory", FORBIDDEN)
def test_a_directory_imports_no_library_that_it_must_not_need(directory: str) -> None:
    forbidden, exceptions = FORBIDDEN[directory]
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in _files(directory)
        for name in _imports(path)
        if _within(name, forbidden) and not _within(name, exceptions)
    ]
    assert found == []


@pytest.mark.parametrize("directory", ALLOWED)
def test_code_that_is_not_a_test_imports_no_test_library(directory: str) -> None:
    libraries = ("pytest", "hypothesis")
    assert [name for path in _files(directory) for name in _imports(path) if _within(name, libraries)] == []


def _scripts(directory: str) -> Iterator[Path]:
    for path in sorted((ROOT / directory).rglob("*")):
        if path.suffix in _SCRIPTS and not {"node_modules", "dist"} & set(path.parts):
            yield path


@pytest.mark.parametrize("directory", SCRIPT_IMPORTS)
def test_scripts_import_only_what_they_may(directory: str) -> None:
    assert list(_scripts(directory)), directory
    found = []
    for path in _scripts(directory):
        for target in _SCRIPT_IMPORT.findall(path.read_text(encoding="utf-8")):
            name = (path.parent / target).resolve().relative_to(ROOT).as_posix()
            if not name.startswith((f"{directory}/", *SCRIPT_IMPORTS[directory])):
                found.append(f"{path.relative_to(ROOT)} imports {name}")
    assert found == []


def _texts(path: Path) -> Iterator[str]:
    """Yield the string constants of a module that are whole paths; docstrings are not."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _PATH.fullmatch(node.value):
            yield node.value


def _wrong_paths(directory: str) -> list[str]:
    allowed = PATHS_ALLOWED.get(directory.split("/")[0], ())
    own = PurePosixPath(PACKAGES.get(directory, directory)).parts[0]
    return [
        f"{path.relative_to(ROOT)} names {text}"
        for path in _files(directory)
        for text in _texts(path)
        if (ROOT / text).exists() and not text.startswith((f"{own}/", *allowed))
    ]


@pytest.mark.parametrize("directory", ALLOWED)
def test_code_names_only_paths_that_it_may(directory: str) -> None:
    assert _wrong_paths(directory) == []


def test_a_wrong_import_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "module.py").write_text(
        "def late():\n    from handlers.adapters import call_log\n    import handlers.settings\n    import boto3\n",
        encoding="utf-8",
    )
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    assert _wrong_imports("folder", ("handlers.settings",)) == ["folder/module.py imports handlers.adapters.call_log"]


def test_a_wrong_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("folder/module.py", "handlers/core/rules.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('"""See handlers/core/rules.py."""\nRULES = "handlers/core/rules.py"\n')
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    assert _wrong_paths("folder") == ["folder/module.py names handlers/core/rules.py"]
