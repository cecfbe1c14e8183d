"""The lint reports what AWS's plugin reports and what it misses; the deployed handlers have no findings."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from appsync_js.render import namespaces, source

ROOT = Path(__file__).resolve().parents[2]


def module(statement: str) -> str:
    return f"export function onPublish(ctx) {{\n  {statement}\n  return ctx.events;\n}}\n"


BAD = {
    "throw": (module("throw 1;"), "handlers/dialect", 2),
    "unknown import": ("import fs from 'node:fs';\n" + module(""), "handlers/dialect", 1),
    "unknown export of a known module": (
        "import { upsert } from '@aws-appsync/utils/dynamodb';\n" + module(""),
        "handlers/dialect",
        1,
    ),
    "unknown global": (module("setTimeout(1);"), "handlers/dialect", 2),
    "no handler": ("function helper() {}\n", "handlers/dialect", 1),
    "do while": (module("do { ctx.x = 1; } while (ctx.x);"), "handlers/dialect", 2),
    "logical assignment": (module("ctx.stash.a ??= 1;"), "handlers/dialect", 2),
    "a call behind ??": (module("return ctx.x ?? util.error('no');"), "handlers/dialect", 2),
    "sort with a comparator": (module("[1].sort((a, b) => a - b);"), "handlers/dialect", 2),
    "too long": ("/" * 32_768 + "\n" + module(""), "handlers/code-size", 1),
    "too long with table names": (
        module("const t = '__A_TABLE__';") + "//" + "_" * (32_768 - 300) + "\n",
        "handlers/code-size",
        1,
    ),
    "try": (module("try { ctx.x = 1; } catch (e) { ctx.x = e; }"), "@aws-appsync/no-try", 2),
    "async": (module("const f = async () => 1;"), "@aws-appsync/no-async", 2),
    "++": (module("let i = 0; i++;"), "@aws-appsync/no-disallowed-unary-operators", 2),
    "recursion (needs types)": (
        "function again(n) { return again(n - 1); }\n" + module(""),
        "@aws-appsync/no-recursion",
        1,
    ),
    "disallowed method (needs types)": (module("'a'.padEnd(2);"), "@aws-appsync/no-disallowed-methods", 2),
    "function passing (needs types)": (
        module("const f = (x) => x; const g = (h) => 1; g(f);"),
        "@aws-appsync/no-function-passing",
        2,
    ),
    "lint switched off by a comment": (module("/* eslint-disable */ throw 1;"), "handlers/dialect", 2),
}


@pytest.fixture(scope="module")
def findings() -> dict[str, list[list[Any]]]:
    texts = {name: text for name, (text, _, _) in BAD.items()}
    texts |= {f"shipped {namespace}": source(namespace) for namespace in namespaces()}
    answer = subprocess.run(
        ["node", str(Path(__file__).with_name("lint.js"))],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=100,
    )
    found: dict[str, list[list[Any]]] = json.loads(answer.stdout)
    return found


@pytest.mark.parametrize("name", BAD)
def test_bad_snippet_is_reported_by_its_rule(name: str, findings: dict[str, list[list[Any]]]) -> None:
    _, rule, line = BAD[name]
    assert [rule, line] in [finding[:2] for finding in findings[name]], findings[name]


@pytest.mark.parametrize("namespace", namespaces())
def test_deployed_handlers_have_no_findings(namespace: str, findings: dict[str, list[list[Any]]]) -> None:
    assert findings[f"shipped {namespace}"] == []
