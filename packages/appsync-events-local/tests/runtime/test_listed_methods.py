"""Every method, global and operator that AWS documents as supported gives its JavaScript result."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from appsync_events_local.runtime.compiler import compile_module

Evaluate = Callable[..., Awaitable[Any]]

# One row per item of "Supported runtime features": the expression, and its value.
LISTED = [
    ("'abc'.length", 3),
    ("'abc'.charAt(1)", "b"),
    ("'a'.concat('b', 'c')", "abc"),
    ("'abc'.endsWith('bc')", True),
    ("'abcb'.indexOf('b')", 1),
    ("'abcb'.lastIndexOf('b')", 3),
    ("'a.b.c'.replace('.', '-')", "a-b.c"),
    ("'a1b2'.replaceAll('[0-9]', '#')", "a#b#"),
    ("'abcd'.slice(1, -1)", "bc"),
    ("'a,b'.split(',')", ["a", "b"]),
    ("'abc'.startsWith('ab')", True),
    ("'AbC'.toLowerCase()", "abc"),
    ("'AbC'.toUpperCase()", "ABC"),
    ("' a '.trim()", "a"),
    ("' a '.trimStart()", "a "),
    ("' a '.trimEnd()", " a"),
    ("'abc'.includes('b')", True),
    ("[1, 2].length", 2),
    ("[1].concat([2], 3)", [1, 2, 3]),
    ("[1, 2, 3].fill(0, 1)", [1, 0, 0]),
    ("[[1], [[2]]].flat()", [1, [2]]),
    ("[1, 2, 1].indexOf(1)", 0),
    ("[1, 2].join('-')", "1-2"),
    ("[1, 2, 1].lastIndexOf(1)", 2),
    ("[1, 2].pop()", 2),
    ("[1, 2].push(3)", 3),
    ("[1, 2, 3].reverse()", [3, 2, 1]),
    ("[1, 2].shift()", 1),
    ("[1, 2, 3].slice(1)", [2, 3]),
    ("[10, 9, 1].sort()", [1, 10, 9]),
    ("[1, 2, 3].splice(1, 1)", [2]),
    ("[2].unshift(1)", 2),
    ("[1, 2].includes(2)", True),
    ("(() => { const seen = []; [1, 2].forEach((x) => { seen.push(x); }); return seen; })()", [1, 2]),
    ("[1, 2].map((x) => x * 2)", [2, 4]),
    ("[1, 2].flatMap((x) => [x, x])", [1, 1, 2, 2]),
    ("[1, 2, 3].filter((x) => x > 1)", [2, 3]),
    ("[1, 2, 3].reduce((sum, x) => sum + x, 0)", 6),
    ("['a', 'b'].reduceRight((text, x) => text + x, '')", "ba"),
    ("[1, 2].find((x) => x > 1)", 2),
    ("[1, 2].some((x) => x > 1)", True),
    ("[1, 2].every((x) => x > 1)", False),
    ("[1, 2].findIndex((x) => x > 1)", 1),
    ("[1, 2, 3].findLast((x) => x < 3)", 2),
    ("[1, 2, 3].findLastIndex((x) => x < 3)", 1),
    ("Object.assign({ a: 1 }, { b: 2 })", {"a": 1, "b": 2}),
    ("Object.entries({ a: 1 })", [["a", 1]]),
    ("Object.hasOwn({ a: 1 }, 'a')", True),
    ("Object.keys({ a: 1 })", ["a"]),
    ("Object.values({ a: 1 })", [1]),
    ("Number.isFinite(1)", True),
    ("Number.isNaN(NaN)", True),
    ("[Math.random()].every((x) => x >= 0 && x < 1)", True),
    ("Math.min(2, 1)", 1),
    ("Math.max(2, 1)", 2),
    ("Math.round(1.5)", 2),
    ("Math.floor(1.5)", 1),
    ("Math.ceil(1.5)", 2),
    ("JSON.parse('{')", ""),
    ("JSON.stringify({ a: [1] })", '{"a":[1]}'),
    ("[typeof undefined, Number.isFinite(Infinity)]", ["undefined", False]),
    ("[typeof util, typeof extensions, typeof runtime]", ["object", "object", "object"]),
    ("[1 + 1, 5 % 3, 2 ** 3, 7 & 3, 4 | 1, 5 ^ 1, 1 << 3, -8 >> 1, -1 >>> 31]", [2, 2, 8, 3, 5, 4, 8, -4, 1]),
    ("[1 < 2, 1 >= 2, 1 === 1, 1 !== 1, '1' == 1, !true]", [True, False, True, False, True, False]),
    ("[null ?? 1, 0 || 2, 1 && 3, ({ a: null }).a?.b ?? 'none', true ? 'yes' : 'no']", [1, 2, 3, "none", "yes"]),
    ("(() => { const { a, ...rest } = { a: 1, b: 2 }; const [x, ...xs] = [1, 2]; return [a, rest, x, xs]; })()",
     [1, {"b": 2}, 1, [2]]),
    ("((a, ...rest) => [a, ...rest])(1, 2, 3)", [1, 2, 3]),
    ("(() => { let n = 0; for (const x of [1, 2, 3]) { if (x === 3) { break; } n += x; } return n; })()", 3),
    ("(() => { const names = []; for (const name in { a: 1, b: 2 }) { names.push(name); } return names; })()",
     ["a", "b"]),
    ("(() => { switch (2) { case 1: return 'one'; case 2: return 'two'; default: return 'more'; } })()", "two"),
    ("(() => { const o = { a: 1, b: 2 }; delete o.a; return [o, typeof void 0]; })()", [{"b": 2}, "undefined"]),
    ("`${1 + 1} and ${'x'}`", "2 and x"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "expected"), LISTED, ids=[row[0] for row in LISTED])
async def test_documented_feature_gives_its_javascript_result(
    evaluate: Evaluate, expression: str, expected: Any
) -> None:
    assert await evaluate(expression) == expected


def test_a_source_map_may_follow_the_code() -> None:
    mapping = "//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozfQ==\n"
    assert compile_module("export function onPublish(ctx) { return ctx.events; }\n" + mapping).exports
