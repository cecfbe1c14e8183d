"""The public API is explicit, documented and typed; modules are private, without import circles."""

from __future__ import annotations

import ast
import graphlib
import inspect
import re
import subprocess
import sys
import types
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import appsync_events
import pytest
from appsync_events import _errors
from events_harness.public_api import described, members

PACKAGE = Path(appsync_events.__file__).parent
PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
PUBLIC = [
    "Accepted", "ApiKey", "Auth", "Backoff", "ConnectionLostError", "ConnectionRefusedByServerError", "ConnectionState",
    "CredentialsError", "Endpoint", "EndpointError", "EventStream", "EventsClient", "EventsError", "EventsFailedError",
    "Failed", "Gap", "GapReason", "Iam", "LambdaToken", "NoCredentialsError", "OidcToken", "Operation", "ProtocolError",
    "PublishRefusedError", "PublishResult", "Reason", "Subscription", "SubscriptionRefusedError", "Timeout",
    "TokenCallback", "UnreachableError", "UserPoolToken",
]  # fmt: skip
SNAPSHOT = Path(__file__).with_name("public_api.txt")


def test_exported_names_are_exactly_these() -> None:
    assert appsync_events.__all__ == PUBLIC
    exported = {name for name, value in vars(appsync_events).items() if not isinstance(value, types.ModuleType)}
    assert {name for name in exported if not name.startswith("_")} == set(PUBLIC)


def test_public_members_and_signatures_are_those_of_the_snapshot() -> None:
    """After a deliberate change: write `python -m events_harness.public_api` to the snapshot, and a changelog entry."""
    assert described(appsync_events) == SNAPSHOT.read_text(encoding="utf-8")


def test_every_public_class_and_member_has_a_docstring() -> None:
    undocumented = []
    for name in PUBLIC:
        value = getattr(appsync_events, name)
        if not inspect.isclass(value):
            continue
        documented = " ".join(inspect.getdoc(each) or "" for each in value.__mro__[:-1])
        undocumented += [] if inspect.getdoc(value) else [name]
        undocumented += [
            f"{name}.{member}"
            for member, thing in members(value)
            if not (
                inspect.getdoc(thing) if callable(thing) or isinstance(thing, property) else _named(member, documented)
            )
        ]
    assert undocumented == []


def _named(attribute: str, docstring: str) -> bool:
    """Return whether `Args` or `Attributes` of a docstring name an attribute; enum members are in capitals."""
    return (
        attribute.isupper() or re.search(rf"^ *(?:\w+, )*{attribute}(?:, \w+)*: ", docstring, re.MULTILINE) is not None
    )


def test_every_public_member_has_types() -> None:
    untyped = []
    for name in PUBLIC:
        value = getattr(appsync_events, name)
        for member, thing in members(value) if inspect.isclass(value) else ():
            function = thing.fget if isinstance(thing, property) else inspect.unwrap(thing)
            if inspect.isfunction(function) or inspect.ismethod(function):
                signature = inspect.signature(function)
                parameters = [each for each in signature.parameters.values() if each.name not in ("self", "cls")]
                types = [*(each.annotation for each in parameters), signature.return_annotation]
                untyped += [f"{name}.{member}"] if inspect.Signature.empty in types else []
    assert untyped == []
    assert (PACKAGE / "py.typed").is_file()


def test_every_module_is_private() -> None:
    public = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if path != PACKAGE / "__init__.py" and not path.relative_to(PACKAGE).parts[0].startswith("_")
    ]
    assert public == []


def test_imports_have_no_circle() -> None:
    """Imports within functions and for type checkers count too: a circle of types is a circle of ideas."""
    graph = {_module(path): set(_imports(path)) for path in PACKAGE.rglob("*.py")}
    assert "appsync_events._protocol" in graph["appsync_events._client"]
    order = list(graphlib.TopologicalSorter(graph).static_order())
    assert order[-1] == "appsync_events"


def test_an_import_circle_would_be_found() -> None:
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter({"a": {"b"}, "b": {"a"}}).prepare()


def _module(path: Path) -> str:
    parts = ["appsync_events", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path) -> Iterator[str]:
    """Modules of the package that a module imports; `from package import module` imports the module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("appsync_events"))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            module = node.module or ""
            if module.split(".")[0] == "appsync_events":
                yield from (_imported(module, alias.name) for alias in node.names)


def _imported(module: str, name: str) -> str:
    below = PACKAGE.joinpath(*module.split(".")[1:], name)
    return f"{module}.{name}" if below.with_suffix(".py").exists() or below.is_dir() else module


def _drawn(text: str) -> list[tuple[str, str]]:
    """Child and parent of every branch of the first tree in a text."""
    pairs, path = [], ["EventsError"]
    for line in text.splitlines():
        branch = re.match(r"(?P<depth>(?:│   |    )*)[├└]── (?P<name>\w+)", line)
        if branch:
            depth = len(branch["depth"]) // 4 + 1
            path[depth:] = [branch["name"]]
            pairs.append((branch["name"], path[depth - 1]))
    return pairs


@pytest.mark.parametrize("text", [README, inspect.getdoc(_errors) or ""], ids=["README", "module"])
def test_error_tree_is_drawn_as_the_classes_are(text: str) -> None:
    classes = [value for value in vars(_errors).values() if inspect.isclass(value) and issubclass(value, Exception)]
    actual = [(error.__name__, error.__bases__[0].__name__) for error in classes if error is not _errors.EventsError]
    assert sorted(_drawn(text)) == sorted(actual)
    assert {name for name, _ in actual} | {"EventsError"} <= set(PUBLIC)


def test_version_is_that_of_the_distribution_and_of_the_changelog() -> None:
    version = appsync_events.__version__
    assert metadata.version("appsync-events") == version
    changelog = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+)", changelog, flags=re.MULTILINE)[1] == version  # type: ignore[index]


def test_iam_without_botocore_names_the_extra() -> None:
    program = (
        "import importlib.abc, sys\n"
        "class NoAws(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name.partition('.')[0] in ('botocore', 'boto3'):\n"
        "            raise ImportError(f'{name} is not installed')\n"
        "sys.meta_path.insert(0, NoAws())\n"
        "import appsync_events\n"
        "try:\n"
        "    appsync_events.Iam()\n"
        "except appsync_events.CredentialsError as error:\n"
        "    print(error)\n"
    )
    ran = subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, capture_output=True, text=True)
    assert ran.stdout == "IAM auth needs botocore: pip install 'appsync-events[iam]'\n"
