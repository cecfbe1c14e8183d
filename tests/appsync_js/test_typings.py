"""Every member and export in AWS's typings of the runtime is imitated, or refused by its name."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from appsync_events_local.handlers.namespace_handlers import CodeRefused
from appsync_events_local.runtime.compiler import compile_module

ROOT = Path(__file__).resolve().parents[2]
SUITE = ROOT / "packages" / "appsync-events-local" / "tests"
TYPINGS = ROOT / "node_modules" / "@aws-appsync" / "utils" / "lib"
MEMBERS = {
    "util": ("index", "Util"),
    "util.time": ("time-utils", "TimeUtils"),
    "util.dynamodb": ("dynamodb-utils", "DynamodbUtil"),
    "util.transform": ("transform-utils", "TransformUtils"),
    "util.math": ("math-utils", "MathUtils"),
    "util.str": ("string-utils", "StringUtils"),
    "util.http": ("http-utils", "HttpUtils"),
    "util.xml": ("xml-utils", "XmlUtils"),
    "util.rds": ("rds-utils", "RdsUtil"),
    "extensions": ("index", "Extensions"),
    "runtime": ("index", "Runtime"),
}
MODULES = {"dynamodb": "dynamodb-helpers", "rds": "rds-helpers", "ai": "bedrock-helpers"}


def typing(file: str) -> str:
    text = (TYPINGS / f"{file}.d.ts").read_text()
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def members() -> list[str]:
    found = []
    for path, (file, name) in MEMBERS.items():
        body = re.search(rf"type {name} = \{{\n(.*?)\n\}};", typing(file), re.DOTALL)
        assert body is not None, name
        names = set(re.findall(r"^    (\w+)(?:<.*|\(.*|: .*)$", body[1], re.MULTILINE))
        assert names, path
        found += sorted(f"{path}.{member}" for member in names)
    return found


def exports() -> list[tuple[str, str]]:
    return [
        (module, name)
        for module, file in MODULES.items()
        for name in sorted(set(re.findall(r"export declare (?:function|const) (\w+)", typing(file))))
    ]


OPERATIONS = ["add", "remove", "replace", "increment", "decrement", "append", "prepend", "updateListItem"]
TABLES = "".join(
    (SUITE / file).read_text()
    for file in (
        "runtime/test_util.py",
        "runtime/test_dynamodb_module.py",
        "handlers/test_namespace_handlers.py",
        "sources/test_dynamodb.py",
    )
)
"""The tests that call the built-ins and compare their results."""


def imitated(code: str) -> bool:
    try:
        compile_module(code)
    except CodeRefused:
        return False
    return True


def unknown(code: str) -> list[str]:
    try:
        compile_module(code)
    except CodeRefused as refused:
        return [problem.message for problem in refused.problems if "is not imitated by" not in problem.message]
    return []


def test_typings_are_parsed_completely() -> None:
    assert len(members()) > 60
    assert len(exports()) > 25


@pytest.mark.parametrize("member", members())
def test_every_member_is_known(member: str) -> None:
    assert not unknown(f"export function onPublish(ctx) {{ const used = {member}; }}\n")


@pytest.mark.parametrize(("module", "name"), exports())
def test_every_export_is_known(module: str, name: str) -> None:
    source = json.dumps(f"@aws-appsync/utils/{module}")
    assert not unknown(f"import {{ {name} as used }} from {source};\nexport function onPublish(ctx) {{}}\n")


CALLED = [
    member
    for member in members()
    if member not in MEMBERS and imitated(f"export function onPublish(ctx) {{ {member}; }}")
]


@pytest.mark.parametrize("member", CALLED)
def test_every_imitated_member_is_called_by_a_test(member: str) -> None:
    assert f"{member}(" in TABLES


@pytest.mark.parametrize("name", [*(n for m, n in exports() if m == "dynamodb" and n not in ("sync", "operations")),
                                  *(f"operations.{n}" for n in OPERATIONS)])  # fmt: skip
def test_every_dynamodb_helper_is_called_by_a_test(name: str) -> None:
    assert f"ddb.{name}(" in TABLES
