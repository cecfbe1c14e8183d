"""The built-in `util` gives the outputs that AWS gives or documents."""

from __future__ import annotations

import base64
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from appsync_events_local.handlers.namespace_handlers import HandlerFailed, HandlerRefused
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Evaluate = Callable[..., Awaitable[Any]]

# Captured from AWS (EvaluateCode), as published in the test snapshots of the appsync-utils project.
CAPTURED = [
    ("util.dynamodb.toDynamoDB('test')", {"S": "test"}),
    ("util.dynamodb.toDynamoDB(12345)", {"N": 12345}),
    ("util.dynamodb.toDynamoDB(true)", {"BOOL": True}),
    ("util.dynamodb.toString('test')", {"S": "test"}),
    ("util.dynamodb.toStringSet(['foo', 'bar', 'baz'])", {"SS": ["foo", "bar", "baz"]}),
    ("util.dynamodb.toNumber(12345)", {"N": 12345}),
    ("util.dynamodb.toNumberSet([1, 23, 4.56])", {"NS": [1, 23, 4.56]}),
    ("util.dynamodb.toBinary('foo')", {"B": "foo"}),
    ("util.dynamodb.toBinarySet(['foo', 'bar', 'baz'])", {"BS": ["foo", "bar", "baz"]}),
    ("util.dynamodb.toBoolean(true)", {"BOOL": True}),
    ("util.dynamodb.toNull()", {"NULL": None}),
    (
        "util.dynamodb.toList(['foo', 123, { bar: 'baz' }])",
        {"L": [{"S": "foo"}, {"N": 123}, {"M": {"bar": {"S": "baz"}}}]},
    ),
    (
        "util.dynamodb.toMap({ foo: 'bar', baz: 1234, beep: ['boop'] })",
        {"M": {"foo": {"S": "bar"}, "baz": {"N": 1234}, "beep": {"L": [{"S": "boop"}]}}},
    ),
    (
        "util.dynamodb.toMapValues({ foo: 'bar', baz: 1234, beep: ['boop'] })",
        {"foo": {"S": "bar"}, "baz": {"N": 1234}, "beep": {"L": [{"S": "boop"}]}},
    ),
    (
        "util.dynamodb.toS3Object('foo', 'bar', 'baz')",
        {"S": '{"s3":{"key":"foo","bucket":"bar","region":"baz"}}'},
    ),
    (
        "util.dynamodb.toS3Object('foo', 'bar', 'baz', 'beep')",
        {"S": '{"s3":{"key":"foo","bucket":"bar","region":"baz","version":"beep"}}'},
    ),
    (
        "util.transform.toDynamoDBFilterExpression({ title: { contains: 'Hello World' } })",
        '{"expression":"(contains(#title,:title_contains))","expressionNames":{"#title":"title"},'
        '"expressionValues":{":title_contains":{"S":"Hello World"}}}',
    ),
    (
        "util.transform.toDynamoDBConditionExpression({ id: { attributeExists: true }, version: { eq: 10 } })",
        '{"expression":"(attribute_exists(#id)) AND (#version = :version_eq)","expressionNames":'
        '{"#id":"id","#version":"version"},"expressionValues":{":version_eq":{"N":10}}}',
    ),
]


@pytest.mark.parametrize(("expression", "expected"), CAPTURED, ids=[row[0] for row in CAPTURED])
async def test_outputs_equal_those_captured_from_aws(evaluate: Evaluate, expression: str, expected: Any) -> None:
    assert await evaluate(expression) == expected


# From the text and examples of the documentation.
DOCUMENTED = [
    ("util.dynamodb.toString(null)", None),
    ("util.dynamodb.toList(null)", None),
    ("util.dynamodb.fromS3ObjectJson(util.dynamodb.toS3Object('a', 'b', 'c').S).bucket", "b"),
    ('util.escapeJavaScript(`it\'s "a" / \\\\ \\n é`)', 'it\\\'s \\"a\\" \\/ \\\\ \\n \\u00E9'),
    ("util.urlEncode('a b&c=é*')", "a+b%26c%3D%C3%A9*"),
    ("util.urlDecode('a+b%26c%3D%C3%A9*')", "a b&c=é*"),
    ("util.base64Encode('hello 😀')", base64.b64encode("hello 😀".encode()).decode()),
    ("util.base64Decode('aGVsbG8g8J+YgA==')", "hello 😀"),
    ("util.matches('a*b', 'aaaaab')", True),
    ("util.matches('a*b', 'aaaaabc')", False),
    ("util.matches('(?i)[A-C]+', 'abc')", True),
    ("util.matches('\\\\p{Alpha}+', 'abc')", True),
    ("util.matches('[\\\\p{Alpha}-]+\\\\z', 'a-c')", True),
    ("util.matches('^[a-z]+\\\\z', 'abc\\n')", False),
    ("util.matches('\\\\Qa.b\\\\E', 'a.b')", True),
    ("util.matches('\\\\Qa.b\\\\E', 'axb')", False),
    ("'a1b22'.replaceAll('[0-9]+', '#')", "a#b#"),
    ("'a.b.c'.replaceAll('\\\\.', '-')", "a-b-c"),
    ("'a.b.c'.replace('.', '-')", "a-b.c"),
    ("JSON.parse('not json')", ""),
    ("JSON.parse('[1]')", [1]),
    (
        "util.http.copyHeaders({ Host: 'a', 'Content-Length': '1', te: 'b', 'User-Agent': 'c', 'x-own': ['d', 'e'] })",
        {"User-Agent": "c", "x-own": ["d", "e"]},
    ),
    ("util.math.roundNum(2.5)", 3),
    ("util.math.minVal(1, 2)", 1),
    ("util.math.maxVal(1, 2)", 2),
    ("util.math.randomDouble() < 1 && util.math.randomDouble() >= 0", True),
    ("[0, 0, 0, 0].map((x) => util.math.randomWithinRange(3, 5)).every((n) => n === 3 || n === 4)", True),
    ("util.str.normalize('e\\u0301', 'nfc')", "é"),
    ("util.str.normalize('é', 'nfd').length", 2),
    ("util.time.epochMilliSecondsToSeconds(1517505665180)", 1517505665),
    ("util.time.epochMilliSecondsToISO8601(1517505665180)", "2018-02-01T17:21:05.180Z"),
    ("util.time.parseISO8601ToEpochMilliSeconds('2018-02-01T17:21:05.180+08:00')", 1517476865180),
    ("util.time.parseISO8601ToEpochMilliSeconds('2018-02-01T17:21Z')", 1517505660000),
    (
        "util.time.epochMilliSecondsToFormatted(1517505665180, \"yyyy-MM-dd'T'HH:mm:ss.SSS'Z'\")",
        "2018-02-01T17:21:05.180Z",
    ),
    (
        "util.time.epochMilliSecondsToFormatted(1517505665180, 'yy/M/d h:mm a EEE MMMM D')",
        "18/2/1 5:21 PM Thu February 32",
    ),
    ("util.time.epochMilliSecondsToFormatted(1517505665180, 'HH:mm:ssZ', 'Australia/Perth')", "01:21:05+0800"),
    ("util.time.epochMilliSecondsToFormatted(1517505665180, 'HH:mm z', 'America/New_York')", "12:21 EST"),
    ("util.time.epochMilliSecondsToFormatted(1517505665180, 'HH:mm XXX', 'UTC')", "17:21 Z"),
    ("util.time.epochMilliSecondsToFormatted(1517505665180, 'HH:mm xxx', '+05:30')", "22:51 +05:30"),
    ("util.time.parseFormattedToEpochMilliSeconds('2018-02-01 17:21:05Z', 'yyyy-MM-dd HH:mm:ssZ')", 1517505665000),
    (
        "util.time.parseFormattedToEpochMilliSeconds('2018-07-01 12:00', 'yyyy-MM-dd HH:mm', 'America/New_York')",
        1530460800000,
    ),
]


@pytest.mark.parametrize(("expression", "expected"), DOCUMENTED, ids=[row[0] for row in DOCUMENTED])
async def test_outputs_equal_the_documented_ones(evaluate: Evaluate, expression: str, expected: Any) -> None:
    assert await evaluate(expression) == expected


FAILING = [
    ("(({ xml }) => xml.toMap(''))(util)", "util.xml.toMap is not imitated"),
    ("runtime.earlyReturn([], { skipTo: 'LATER' })", "skipTo is END or NEXT, not 'LATER'"),
    ("util.base64Decode('%%%')", "not base64"),
    ("util.urlDecode('%zz')", "not URL-encoded"),
    ("util.matches('(', 'x')", "not a regular expression"),
    ("util.matches('a++', 'x')", "possessive quantifiers"),
    ("util.matches('[a-z&&[^b]]', 'x')", "intersections"),
    ("util.time.nowFormatted('ww')", "pattern letter 'w' is not imitated"),
    ("util.time.nowFormatted('HH', 'Mars/Olympus')", "unknown time zone"),
    ("util.time.parseISO8601ToEpochMilliSeconds('yesterday')", "not an ISO 8601"),
    ("util.time.parseFormattedToEpochMilliSeconds('31', 'yyyy')", "does not match the date pattern"),
    ("util.time.parseFormattedToEpochMilliSeconds('2023-02-30', 'yyyy-MM-dd')", "not a date and time"),
    ("util.str.normalize('a', 'xyz')", "unknown normalization form"),
    ("util.transform.toDynamoDBFilterExpression({ a: { like: 1 } })", "unknown operator 'like'"),
]


@pytest.mark.parametrize(("expression", "words"), FAILING, ids=[row[0] for row in FAILING])
async def test_unsupported_use_fails_with_its_name(evaluate: Evaluate, expression: str, words: str) -> None:
    with pytest.raises(HandlerFailed, match=re.escape(words)):
        await evaluate(expression)


async def test_identifiers_have_the_documented_form_and_differ(evaluate: Evaluate) -> None:
    ids = await evaluate("[util.autoId(), util.autoId(), util.autoUlid(), util.autoKsuid()]")
    assert len(set(ids)) == 4
    for identifier in ids[:2]:
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", identifier)
    assert re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", ids[2])
    assert re.fullmatch(r"[0-9A-Za-z]{27}", ids[3])


async def test_ulid_and_ksuid_contain_the_current_time(evaluate: Evaluate) -> None:
    before = datetime.now(UTC).timestamp()
    ulid, ksuid, now = await evaluate("[util.autoUlid(), util.autoKsuid(), util.time.nowEpochMilliSeconds()]")
    crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    milliseconds = sum(crockford.index(digit) * 32 ** (9 - at) for at, digit in enumerate(ulid[:10]))
    base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    number = sum(base62.index(digit) * 62 ** (26 - at) for at, digit in enumerate(ksuid))
    assert milliseconds == now
    assert (number >> 128) + 1_400_000_000 == now // 1000
    assert int(before) * 1000 <= now <= (datetime.now(UTC).timestamp() + 1) * 1000


async def test_time_does_not_advance_during_a_call(evaluate: Evaluate) -> None:
    iso, seconds, milliseconds, formatted = await evaluate(
        "[util.time.nowISO8601(), util.time.nowEpochSeconds(), util.time.nowEpochMilliSeconds(),"
        " util.time.nowFormatted('yyyy-MM-dd HH:mm:ss', 'UTC')]"
    )
    assert datetime.fromisoformat(iso).timestamp() * 1000 == pytest.approx(milliseconds, abs=0.5)
    assert seconds == milliseconds // 1000
    assert formatted == iso[:19].replace("T", " ")


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (None, "API Key Authorization"),
        ({"userArn": "arn"}, "IAM Authorization"),
        ({"sub": "s", "issuer": "i", "claims": {}, "defaultAuthStrategy": "ALLOW"}, "User Pool Authorization"),
        ({"sub": "s", "issuer": "i", "claims": {}}, "Open ID Connect Authorization"),
        ({"handlerContext": {}}, "Lambda Authorization"),
    ],
)
async def test_auth_type_follows_the_identity(evaluate: Evaluate, identity: Any, expected: str) -> None:
    assert await evaluate("util.authType()", identity=identity) == expected


async def test_error_carries_message_type_data_and_info(evaluate: Evaluate) -> None:
    with pytest.raises(HandlerRefused, match="no") as refused:
        await evaluate("util.error('no', 'Kind', { a: 1 }, [2])")
    error = refused.value
    assert (error.error_type, error.data, error.info, error.unauthorized) == ("Kind", {"a": 1}, [2], False)


async def test_an_error_without_a_type_has_none(evaluate: Evaluate) -> None:
    with pytest.raises(HandlerRefused) as refused:
        await evaluate("util.error('no')")
    assert (refused.value.error_type, refused.value.message) == ("", "no")


async def test_unauthorized_differs_from_error(evaluate: Evaluate) -> None:
    with pytest.raises(HandlerRefused) as refused:
        await evaluate("util.unauthorized()")
    assert (refused.value.unauthorized, refused.value.error_type) == (True, "Unauthorized")


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e15, 1e15) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(payload=_JSON)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_any_json_passes_through_a_handler_unchanged(evaluate: Evaluate, payload: Any) -> None:
    assert await evaluate("ctx.events[0].payload", payload) == payload


@given(text=st.text(max_size=60))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_encoding_and_decoding_gives_the_original_text(evaluate: Evaluate, text: str) -> None:
    expression = (
        "(x => [util.base64Decode(util.base64Encode(x)), util.urlDecode(util.urlEncode(x))])(ctx.events[0].payload)"
    )
    well_formed = re.sub("[\ud800-\udfff]", "\ufffd", text)
    assert await evaluate(expression, well_formed) == [well_formed, well_formed]
