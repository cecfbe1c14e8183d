"""Syntax that APPSYNC_JS does not have is refused when code is loaded: all problems at once, with their location."""

from __future__ import annotations

from pathlib import Path

import pytest
from appsync_events_local.handlers.namespace_handlers import CodeRefused, NamespaceHandlers
from appsync_events_local.limits import HANDLER_CODE_CHARACTERS
from appsync_events_local.runtime import compiler
from appsync_events_local.runtime.compiler import EngineUnavailableError, compile_module
from appsync_events_local.template.short_forms import load_yaml
from conformance_suite.api import HANDLERS
from hypothesis import given, settings
from service_harness.code_mutations import loaded_or_refused, mutated
from service_harness.example_api import TEMPLATE

ALLOW = "export function onSubscribe(ctx) {}\n"


def problems(code: str) -> list[tuple[int | None, int | None, str]]:
    with pytest.raises(CodeRefused) as refused:
        compile_module(code)
    return [(problem.line, problem.column, problem.message) for problem in refused.value.problems]


def body(statement: str) -> str:
    return f"export function onPublish(ctx) {{\n  {statement}\n}}\n"


# One row: a statement at column 3 of line 2, the column of the problem, and a part of its message.
REFUSED = [
    ("throw 1;", 3, "use util.error"),
    ("try { ctx.x = 1; } catch (e) { ctx.x = e; }", 3, "'try'"),
    ("while (ctx.x) { ctx.x = false; }", 3, "'while'"),
    ("do { ctx.x = 1; } while (ctx.x);", 3, "'do...while'"),
    ("for (let i = 0; i < 3; i += 1) { ctx.x = i; }", 3, "'for (;;)'"),
    ("for (;;) { ctx.x = 1; }", 3, "'for (;;)'"),
    ("for (const e of ctx.events) { continue; }", 33, "'continue'"),
    ("outer: for (const e of ctx.events) { break outer; }", 3, "labels"),
    ("debugger;", 3, "'debugger'"),
    ("class A {}", 3, "classes"),
    ("const a = class {};", 13, "classes"),
    ("return this;", 10, "'this'"),
    ("const a = async () => 1;", 13, "async functions"),
    ("async function a() { await 1; }", 3, "async functions"),
    ("function* a() { yield 1; }", 3, "generators"),
    ("let i = 0; i++;", 14, "use += 1"),
    ("let i = 0; --i;", 14, "use += 1"),
    ("return ~ctx.x;", 10, "'~'"),
    ("return 'a' in ctx;", 10, "Object.hasOwn"),
    ("return ctx instanceof ctx.x;", 10, "'instanceof'"),
    ("return /a/;", 10, "regular expression literals"),
    ("return 10n;", 10, "BigInt"),
    ("return new ctx.Thing();", 10, "'new'"),
    ("return `${ctx}`.raw`x`;", 10, "tagged templates"),
    ("return import('x');", 10, "import()"),
    ("return import.meta;", 10, "meta properties"),
    ("return { get x() { return 1; } };", 12, "getters"),
    ("return Date.now();", 10, "use util.time"),
    ("return parseInt('1');", 10, "parseInt is not supported"),
    ("return Number('1');", 10, "Number.isFinite"),
    ("return String(1);", 10, "template literal"),
    ("return Array.isArray(ctx);", 10, "Array is not supported"),
    ("return Promise.resolve(1);", 10, "asynchronous"),
    ("return eval('1');", 10, "eval is not supported"),
    ("return arguments;", 10, "rest parameters"),
    ("return process.env.TABLE;", 10, "there is no environment"),
    ("return globalThis;", 10, "globalThis is not supported"),
    ("return setTimeout;", 10, "setTimeout is not defined"),
    ("return unknownThing;", 10, "unknownThing is not defined"),
    ("return Object.fromEntries([]);", 17, "Object has assign, entries"),
    ("return Math.sqrt(2);", 15, "Math has random"),
    ("return JSON;", 10, "JSON.parse"),
    ("const j = JSON['parse'];", 13, "JSON.parse"),
    ("let a = ctx.x; a ??= 1;", 18, "'??=' is not supported"),
    ("ctx.stash.a ||= 1;", 3, "'||=' is not supported"),
    ("ctx.stash.a &&= 1;", 3, "'&&=' is not supported"),
    ("return ctx.x ?? util.error('no');", 19, "evaluates the right side of '??'"),
    ("return ctx.x ?? (ctx.y || util.unauthorized());", 29, "evaluates the right side of '??'"),
    ("const f = () => 1; return ctx.x ?? f();", 38, "evaluates the right side of '??'"),
    ("return ctx.x ?? ctx.list.pop();", 19, "evaluates the right side of '??'"),
    ("return ctx.x ?? console.log('none');", 19, "evaluates the right side of '??'"),
    ("return ctx.x ?? [util.error('no')];", 20, "evaluates the right side of '??'"),
    ("return ctx.x ?? runtime.earlyReturn([]);", 19, "evaluates the right side of '??'"),
    ("return [1].sort((a, b) => a - b);", 19, "sort() takes no arguments"),
    ("return 'a'.padEnd(3);", 14, "padEnd()"),
    ("return 'a'.charCodeAt(0);", 14, "charCodeAt()"),
    ("return 'abc'.substring(1);", 16, "substring()"),
    ("return [1].at(0);", 14, "at()"),
    ("return [1].keys();", 14, "keys()"),
    ("return ctx.x.toString();", 16, "toString()"),
    ("return ctx.f.call(1);", 16, "call()"),
    ("return ctx.f.apply(1);", 16, "apply()"),
    ("return ctx.f.bind(1);", 16, "bind()"),
    ("return ctx.x.constructor('return 1')();", 16, "constructor()"),
    ("const f = () => 1; return ctx.g(f);", 35, "a function may only be passed"),
    ("return ctx.g(() => 1);", 16, "a function may only be passed"),
    ("const f = () => 1; return f;", 22, "returning a function"),
    ("const f = () => () => 1;", 19, "returning a function"),
    ("let f = 1; f = () => 1;", 14, "re-assigning a function"),
    ("const f = () => 1; const g = f;", 32, "re-assigning a function"),
    ("const f = (n) => f(n - 1); return f(3);", 20, "recursion"),
    ("return util.time.toISOString();", 10, "util.time.toISOString does not exist"),
    ("return util.notThere;", 10, "util.notThere does not exist"),
    ("return util.xml.toMap('');", 10, "util.xml.toMap is not imitated by the local Events service"),
    ("return util.xml.toJsonString('');", 10, "util.xml.toJsonString is not imitated"),
    ("return util.rds.toJsonObject('');", 10, "util.rds.toJsonObject is not imitated"),
    ("util.http.addResponseHeader('a', 'b');", 3, "util.http.addResponseHeader is not imitated"),
    ("util.http.addResponseHeaders({});", 3, "util.http.addResponseHeaders is not imitated"),
    (
        "return util.transform.toElasticsearchQueryDSL({});",
        10,
        "util.transform.toElasticsearchQueryDSL is not imitated",
    ),
    ("return util.transform.toSubscriptionFilter({});", 10, "util.transform.toSubscriptionFilter is not imitated"),
    ("extensions.evictFromApiCache('a', 'b', {});", 3, "extensions.evictFromApiCache is not imitated"),
    ("extensions.setSubscriptionFilter({});", 3, "extensions.setSubscriptionFilter is not imitated"),
    ("extensions.setSubscriptionInvalidationFilter({});", 3, "setSubscriptionInvalidationFilter is not imitated"),
    ("extensions.invalidateSubscriptions({});", 3, "extensions.invalidateSubscriptions is not imitated"),
    ("return runtime.later();", 10, "runtime.later does not exist"),
]


@pytest.mark.parametrize(("statement", "column", "words"), REFUSED, ids=[row[0] for row in REFUSED])
def test_unsupported_syntax_is_refused_with_its_location(statement: str, column: int, words: str) -> None:
    found = problems(body(statement))
    assert any(words in message and (line, at) == (2, column) for line, at, message in found), found


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("export default function onPublish(ctx) {}\n", "default export"),
        ("export * from 'x';\n" + ALLOW, "'export *'"),
        ("export { get } from '@aws-appsync/utils/dynamodb';\n" + ALLOW, "re-exporting"),
        ("import fs from 'fs';\n" + ALLOW, "'fs' cannot be imported"),
        ("import utils from '@aws-appsync/utils';\n" + ALLOW, "no default export"),
        ("import { nothing } from '@aws-appsync/utils';\n" + ALLOW, "no export 'nothing'"),
        ("import { upsert } from '@aws-appsync/utils/dynamodb';\n" + ALLOW, "no export 'upsert'"),
        ("import * as ddb from '@aws-appsync/utils/dynamodb';\n" + body("return ddb.upsert({});"), "ddb.upsert"),
        (
            "import { sync } from '@aws-appsync/utils/dynamodb';\n" + ALLOW,
            "sync of '@aws-appsync/utils/dynamodb' is not",
        ),
        ("import { sql as q } from '@aws-appsync/utils/rds';\n" + ALLOW, "sql of '@aws-appsync/utils/rds' is not"),
        (
            "import * as rds from '@aws-appsync/utils/rds';\n" + body("return rds.select({});"),
            "select of '@aws-appsync",
        ),
        ("import { converse } from '@aws-appsync/utils/ai';\n" + ALLOW, "converse of '@aws-appsync/utils/ai' is not"),
        ("function onPublish(ctx) {}\n", "neither onPublish nor onSubscribe"),
        (ALLOW + "export function onConnect(ctx) {}\n", "unknown export 'onConnect'"),
        ("export const onPublish = { request(ctx) {} };\n", "no response function"),
        ("export const onPublish = { response(ctx) {} };\n", "no request function"),
        ("export const onPublish = { request: 1, response(ctx) {} };\n", "request must be a function"),
        ("export const onPublish = { request() {}, response() {}, extra: 1 };\n", "only request and response"),
        ("export const onPublish = 1;\n", "must be a function or an object"),
        ("export function onPublish( {\n", "Unexpected token"),
        ("function a(n) { return b(n); }\nfunction b(n) { return a(n); }\n" + ALLOW, "recursion"),
        ("function a(x) { return x.map(a); }\n" + ALLOW, "recursion"),
        ("with (x) {}\n" + ALLOW, "'with' in strict mode"),
    ],
)
def test_unsupported_module_structure_is_refused(code: str, words: str) -> None:
    assert any(words in message for _, _, message in problems(code)), problems(code)


def test_all_problems_are_reported_together_in_the_order_of_their_location() -> None:
    found = problems("import x from 'x';\nexport function onPublish(ctx) {\n  throw 1;\n  let i = 0;\n  i++;\n}\n")
    assert [line for line, _, _ in found] == [1, 3, 5]


def test_code_can_have_at_most_32768_characters() -> None:
    assert HANDLER_CODE_CHARACTERS == 32768
    filler = "/" * (32768 - len(ALLOW))
    assert compile_module(ALLOW + filler).exports == {"onSubscribe": "function"}
    assert "at most 32768" in problems(ALLOW + filler + "/")[0][2]


@pytest.mark.parametrize(
    "code",
    [
        "export const onPublish = (ctx) => ctx.events;",
        "const handler = { request: (ctx) => 1, response: (ctx) => 2 };\nexport { handler as onPublish };",
        "export function onSubscribe({ info: { channel } }, ...rest) { const [a, ...b] = channel.segments; }",
        body("const { a, ...rest } = ctx; return ctx.events.map((e) => ({ ...e, ...rest, x: e?.payload ?? a }));"),
        body("for (const e of ctx.events) { if (e) { break; } } for (const k in ctx) { ctx.x = k; }"),
        body("switch (ctx.x) { case 1: return 1; default: return typeof ctx; }"),
        body("let n = 1 ** 2 | 3 & 4 ^ 5 << 1; n += 1; delete ctx.x; void 0; return -n + +n;"),
        body("const twice = (x) => x * 2; return [1, 2].map(twice).filter((x) => x).sort().includes(2);"),
        body("const own = { keys: () => 1 }; return own.keys();"),
        body("return JSON.stringify(Object.entries(ctx)) + Math.max(1, 2) + NaN + Infinity + undefined;"),
        body("console.log('a'); console.error('b'); return util.time.nowISO8601();"),
        "import '@aws-appsync/utils';\nimport { util as u, runtime } from '@aws-appsync/utils';\n"
        + body("u.error('x'); runtime.earlyReturn([]);"),
        body("var a = 1; { let a = 2; } return a;"),
        body("function inner(x) { return x; } return inner(1);"),
        body("return ctx.x ?? ctx.y?.z ?? 'none';"),
        body("return ctx.x ?? util.time.nowISO8601();"),
        body("return ctx.x ?? JSON.stringify({ y: Math.max(1, 2) });"),
        body("return ctx.x ? ctx.x : util.error('no');"),
        body("return ctx.x || util.error('no');"),
    ],
)
def test_supported_syntax_is_accepted(code: str) -> None:
    assert compile_module(code).exports


def test_code_that_does_not_fit_the_configuration_is_refused() -> None:
    class Source:
        async def execute(self, request: dict[str, object]) -> object:
            return request

    pair = "export const onPublish = { request(ctx) { return {}; }, response(ctx) { return null; } };"
    for code, options, words in [
        (pair, {}, "no data source is configured"),
        (body("return null;"), {"on_publish": Source()}, "must be an object {request, response}"),
        (ALLOW, {"on_publish": Source()}, "does not export onPublish"),
        (None, {"on_subscribe": Source()}, "the namespace has no code"),
    ]:
        with pytest.raises(CodeRefused, match=words):
            NamespaceHandlers.load(code, **options)  # type: ignore[arg-type]


MODULES = {"conformance": HANDLERS} | {
    logical_id: resource["Properties"]["CodeHandlers"]
    for logical_id, resource in load_yaml(TEMPLATE.read_text())["Resources"].items()
    if isinstance(resource.get("Properties", {}).get("CodeHandlers"), str)
}
"""Every handler module of this suite's APIs."""


@given(code=mutated(MODULES))
@settings(max_examples=60, deadline=None)
def test_any_text_is_loaded_or_refused_with_a_reason(code: str) -> None:
    messages = loaded_or_refused(code)
    assert messages
    assert all(messages)


@pytest.mark.parametrize("code", ["(" * 30_000, "[" * 30_000, "a" + "?.b" * 10_000, "-" * 30_000, "{" * 30_000])
def test_code_that_is_nested_too_deeply_is_refused(code: str) -> None:
    assert problems(ALLOW + code)


def test_code_far_above_the_limit_is_refused_without_parsing() -> None:
    assert "at most 32768" in problems("(" * 1_000_000)[0][2]


def test_missing_parser_is_reported_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "_ACORN", tmp_path / "acorn.js")
    with pytest.raises(EngineUnavailableError, match="install the package"):
        compiler._checker.__wrapped__()
