"""Namespace handlers: context, return values, refusals, data sources, limits and replacement of code."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from appsync_events_local.handlers.namespace_handlers import (
    DataSourceError,
    HandlerFailed,
    HandlerRefused,
    Incoming,
    Invocation,
    Limits,
    NamespaceHandlers,
    Outgoing,
)

Load = Callable[..., NamespaceHandlers]
HERE = Invocation({"sub": "u"}, "/ns/a/b", "ns", {"x-one": "1", "x-two": ["1", "2"]}, "api.example.com")
IMPORTS = "import { util, runtime } from '@aws-appsync/utils';\nimport { get } from '@aws-appsync/utils/dynamodb';\n"


class Recorded:
    """A data source with a fixed answer that records its requests."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.requests: list[dict[str, Any]] = []

    async def execute(self, request: dict[str, Any]) -> Any:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def on_publish(body: str) -> str:
    return f"{IMPORTS}export function onPublish(ctx) {{\n{body}\n}}\n"


def events(count: int) -> list[Incoming]:
    return [Incoming(str(number), {"n": number}) for number in range(count)]


async def test_without_code_everything_is_forwarded_and_allowed(load: Load) -> None:
    handlers = load(None)
    assert await handlers.publish(HERE, events(2)) == [Outgoing("0", {"n": 0}), Outgoing("1", {"n": 1})]
    await handlers.subscribe(HERE)


async def test_a_missing_handler_forwards_and_allows(load: Load) -> None:
    only_subscribe = load("export function onSubscribe(ctx) {}")
    assert await only_subscribe.publish(HERE, events(1)) == [Outgoing("0", {"n": 0})]
    await load(on_publish("return [];")).subscribe(HERE)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
async def test_batch_of_any_size_keeps_its_order(load: Load, count: int) -> None:
    handlers = load(on_publish("return ctx.events.map((e) => ({ id: e.id, payload: { ...e.payload, seen: true } }));"))
    returned = await handlers.publish(HERE, events(count))
    assert returned == [Outgoing(str(n), {"n": n, "seen": True}) for n in range(count)]


async def test_context_has_the_documented_fields(load: Load) -> None:
    handlers = load(on_publish("return [{ id: '0', payload: { ...ctx, events: ctx.events } }];"))
    (returned,) = await handlers.publish(HERE, events(1))
    assert returned.payload == {
        "events": [{"id": "0", "payload": {"n": 0}}],
        "identity": {"sub": "u"},
        "info": {
            "channel": {"path": "/ns/a/b", "segments": ["ns", "a", "b"]},
            "channelNamespace": {"name": "ns"},
            "operation": "PUBLISH",
        },
        "request": {"headers": {"x-one": "1", "x-two": ["1", "2"]}, "domainName": "api.example.com"},
        "stash": {},
        "result": None,
        "error": None,
    }


async def test_a_wildcard_reaches_on_subscribe_literally(load: Load) -> None:
    code = IMPORTS + "export function onSubscribe(ctx) { util.error(JSON.stringify([ctx.info, ctx.events])); }"
    with pytest.raises(HandlerRefused, match=r'"path":"/ns/\*","segments":\["ns","\*"\].*"SUBSCRIBE".*null'):
        await load(code).subscribe(Invocation(None, "/ns/*", "ns"))


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        ("null", []),
        ("undefined", []),
        ("[]", []),
        ("[null, { id: '1', payload: 1 }, null]", [Outgoing("1", 1)]),
        ("[{ id: '0', error: 'bad' }]", [Outgoing("0", None, "bad")]),
        ("[{ id: '0', payload: 1, error: null }]", [Outgoing("0", 1)]),
        ("[{ id: '0' }]", [Outgoing("0", None)]),
        ("[{ id: '1', payload: 'b' }, { id: '0', payload: 'a' }]", [Outgoing("1", "b"), Outgoing("0", "a")]),
    ],
)
async def test_return_value_of_on_publish_is_broadcast(load: Load, returned: str, expected: list[Outgoing]) -> None:
    assert await load(on_publish(f"return {returned};")).publish(HERE, events(2)) == expected


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        ("[{ id: 'x', payload: 1 }]", "unknown id: x"),
        ("[{ id: '0', payload: 1 }, { id: '0', payload: 2 }]", "same id: 0"),
        ("[{ payload: 1 }]", "not an event"),
        ("['0']", "not an event"),
        ("{ id: '0' }", "list of events or null"),
        ("'0'", "list of events or null"),
    ],
)
async def test_invalid_result_fails_the_publish(load: Load, returned: str, words: str) -> None:
    with pytest.raises(HandlerFailed, match=words):
        await load(on_publish(f"return {returned};")).publish(HERE, events(1))


async def test_a_crash_names_the_handler_and_the_line(load: Load) -> None:
    with pytest.raises(HandlerFailed, match=r"onPublish failed: TypeError: .*\(line 4\)"):
        await load(on_publish("return ctx.missing.thing;")).publish(HERE, events(1))


async def test_a_crash_in_request_names_its_line_too(load: Load) -> None:
    code = "export const onPublish = {\n  request(ctx) {\n    return ctx.no.thing;\n  },\n  response(ctx) {},\n};"
    with pytest.raises(HandlerFailed, match=r"onPublish\.request failed: TypeError: .*\(line 3\)"):
        await load(code, on_publish=Recorded(None)).publish(HERE, events(1))


class TestDataSource:
    PAIR = (
        IMPORTS
        + """
export const onPublish = {
  request(ctx) { ctx.stash.count = ctx.events.length; return get({ key: { id: 'k' } }); },
  response(ctx) {
    if (ctx.error) { util.error(`${ctx.error.type}: ${ctx.error.message}`, 'Source', ctx.result); }
    return ctx.events.map((e) => ({ id: e.id, payload: [ctx.result, ctx.stash.count] }));
  },
};
"""
    )

    async def test_request_data_source_and_response_run_in_order(self, load: Load) -> None:
        source = Recorded({"name": "x"})
        returned = await load(self.PAIR, on_publish=source).publish(HERE, events(2))
        assert returned == [Outgoing("0", [{"name": "x"}, 2]), Outgoing("1", [{"name": "x"}, 2])]
        assert source.requests == [{"operation": "GetItem", "key": {"id": {"S": "k"}}}]

    async def test_a_failing_source_reaches_response_as_an_error(self, load: Load) -> None:
        source = Recorded(DataSourceError("DynamoDB:Some", "went wrong", {"detail": 1}))
        with pytest.raises(HandlerRefused, match="DynamoDB:Some: went wrong") as refused:
            await load(self.PAIR, on_publish=source).publish(HERE, events(1))
        assert refused.value.data == {"detail": 1}

    async def test_exception_of_the_data_source_fails_the_operation(self, load: Load) -> None:
        with pytest.raises(HandlerFailed, match="the data source of onPublish failed: RuntimeError: broken"):
            await load(self.PAIR, on_publish=Recorded(RuntimeError("broken"))).publish(HERE, events(1))

    async def test_early_return_skips_source_and_response(self, load: Load) -> None:
        source = Recorded(None)
        code = self.PAIR.replace("return get(", "runtime.earlyReturn([{ id: '0', payload: 'early' }]); get(")
        assert await load(code, on_publish=source).publish(HERE, events(1)) == [Outgoing("0", "early")]
        assert source.requests == []

    @pytest.mark.parametrize(
        ("call", "expected"),
        [
            ("runtime.earlyReturn()", []),
            ("runtime.earlyReturn(null)", []),
            ("runtime.earlyReturn(ctx.events, { skipTo: 'END' })", [Outgoing("0", {"n": 0})]),
            ("runtime.earlyReturn(ctx.events, { skipTo: 'NEXT' })", [Outgoing("0", {"n": 0})]),
            ("ctx.events.forEach((e) => runtime.earlyReturn([e]))", [Outgoing("0", {"n": 0})]),
        ],
    )
    async def test_early_return_takes_a_value_and_skip_to(
        self, load: Load, call: str, expected: list[Outgoing]
    ) -> None:
        source = Recorded(None)
        code = self.PAIR.replace("return get(", f"{call}; get(")
        assert await load(code, on_publish=source).publish(HERE, events(1)) == expected
        assert source.requests == []
        assert await load(on_publish(f"{call}; return [];")).publish(HERE, events(1)) == expected

    async def test_refusal_in_request_skips_the_data_source(self, load: Load) -> None:
        source = Recorded(None)
        code = self.PAIR.replace("return get(", "util.unauthorized(); get(")
        with pytest.raises(HandlerRefused):
            await load(code, on_publish=source).publish(HERE, events(1))
        assert source.requests == []

    async def test_a_request_that_returns_no_object_fails(self, load: Load) -> None:
        code = self.PAIR.replace("return get({ key: { id: 'k' } });", "")
        with pytest.raises(HandlerFailed, match=r"onPublish\.request must return a request object"):
            await load(code, on_publish=Recorded(None)).publish(HERE, events(1))

    async def test_on_subscribe_with_data_source_can_be_combined_with_a_plain_on_publish(self, load: Load) -> None:
        code = on_publish("return [];") + (
            "export const onSubscribe = {\n  request(ctx) { return get({ key: { id: 'k' } }); },\n"
            "  response(ctx) { if (!ctx.result) { util.unauthorized(); } },\n};\n"
        )
        await load(code, on_subscribe=Recorded({"id": "k"})).subscribe(HERE)
        with pytest.raises(HandlerRefused):
            await load(code, on_subscribe=Recorded(None)).subscribe(HERE)


class TestLimits:
    WORKS = on_publish("return [];").replace("return [];", "%s return ctx.events.map((e) => e);")

    async def check(self, load: Load, statement: str, words: str, limits: Limits) -> None:
        code = on_publish(f"if (ctx.events[0].payload.n === 0) {{ {statement} }} return ctx.events;")
        handlers = load(code, limits=limits)
        with pytest.raises(HandlerFailed, match=words):
            await handlers.publish(HERE, events(1))
        later = [Incoming("1", {"n": 1})]
        assert await handlers.publish(HERE, later) == [Outgoing("1", {"n": 1})], "the handlers stay usable"

    async def test_loop_is_stopped_at_its_iteration_limit(self, load: Load) -> None:
        statement = "const list = [1]; for (const x of list) { list.push(x); }"
        await self.check(load, statement, "a loop ran more than 1000 times", Limits())

    async def test_call_is_stopped_at_its_time_limit(self, load: Load) -> None:
        statement = "const list = [1]; list.concat(list).forEach((x) => ''.concat(x)); "
        endless = "const a = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]; " + "a.forEach(() => " * 9 + "1" + ")" * 9 + ";"
        await self.check(load, statement + endless, "ran longer than 0.2 s", Limits(seconds=0.2))

    async def test_call_is_stopped_at_its_memory_limit(self, load: Load) -> None:
        statement = (
            "const box = { list: [] }; const a = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]; "
            + "a.forEach((x) => " * 6
            + "box.list.push([x, `${x}-${box.list.length}`])"
            + ")" * 6
            + ";"
        )
        await self.check(load, statement, "more than 8000000 bytes", Limits(memory_bytes=8_000_000, seconds=20))

    async def test_too_deeply_nested_result_fails_the_call(self, load: Load) -> None:
        statement = (
            "const box = { v: [] }; const a = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]; "
            + "a.forEach(() => " * 5
            + "box.v = [box.v]"
            + ")" * 5
            + "; return [{ id: '0', payload: box.v }];"
        )
        await self.check(load, statement, "stack|nesting", Limits(seconds=20))


async def test_too_deeply_nested_event_fails_only_its_own_call(load: Load) -> None:
    handlers = load(on_publish("return ctx.events;"))
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(HandlerFailed, match="nested too deeply"):
        await handlers.publish(HERE, [Incoming("1", deep)])
    assert await handlers.publish(HERE, events(1)) == [Outgoing("0", {"n": 0})]


async def test_handler_can_declare_names_of_built_ins(load: Load) -> None:
    handlers = load("export function onPublish(ctx) { return [{ id: '0', payload: util }]; }\nvar util = 5;\n")
    assert await handlers.publish(HERE, events(1)) == [Outgoing("0", 5)]


async def test_module_state_is_reset_for_every_call(load: Load) -> None:
    code = "const kept = { calls: 0 };\n" + (
        "export function onPublish(ctx) { kept.calls += 1; return [{ id: '0', payload: kept.calls }]; }"
    )
    handlers = load(code)
    assert [await handlers.publish(HERE, events(1)) for _ in range(3)] == [[Outgoing("0", 1)]] * 3


async def test_built_ins_cannot_be_changed(load: Load) -> None:
    with pytest.raises(HandlerFailed, match="read-only"):
        await load(on_publish("util.time.nowISO8601 = 1; return [];")).publish(HERE, events(1))


async def test_concurrent_calls_are_isolated(load: Load) -> None:
    handlers = load(on_publish("return ctx.events.map((e) => ({ id: e.id, payload: ctx.identity.sub }));"))

    async def publish(name: str) -> Any:
        (returned,) = await handlers.publish(Invocation({"sub": name}, "/ns/a", "ns"), events(1))
        return returned.payload

    names = [f"user-{number}" for number in range(40)]
    assert await asyncio.gather(*(publish(name) for name in names)) == names


TAKES_LONG = "let n = 0; for (const a of ctx.events[0].payload) { for (const b of ctx.events[0].payload) { n += 1; } }"


async def test_new_code_runs_while_calls_of_the_old_code_finish(load: Load) -> None:
    old = load(on_publish(f"{TAKES_LONG} return [{{ id: '0', payload: 'old' }}];"))
    under_way = asyncio.gather(*(old.publish(HERE, [Incoming("0", list(range(600)))]) for _ in range(20)))
    await asyncio.sleep(0)
    new = load(on_publish("return [{ id: '0', payload: 'new' }];"))
    assert await new.publish(HERE, events(1)) == [Outgoing("0", "new")]
    await old.close()
    assert await under_way == [[Outgoing("0", "old")]] * 20
    await old.close()
    with pytest.raises(HandlerFailed, match="replaced or removed"):
        await old.publish(HERE, events(1))
    assert await new.publish(HERE, events(1)) == [Outgoing("0", "new")]


async def test_close_waits_for_an_operation_with_a_pending_data_source(load: Load) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    class Slow:
        async def execute(self, request: dict[str, Any]) -> Any:
            asked.set()
            await answer.wait()
            return {"done": True}

    handlers = load(TestDataSource.PAIR, on_publish=Slow())
    publishing = asyncio.create_task(handlers.publish(HERE, events(1)))
    await asked.wait()
    closing = asyncio.create_task(handlers.close())
    await asyncio.sleep(0)
    assert not closing.done()
    answer.set()
    assert await publishing == [Outgoing("0", [{"done": True}, 1])]
    await closing


async def test_console_output_and_appended_errors_are_logged(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    handlers = load(on_publish("console.log('seen', { a: 1 }); util.appendError('careful', 'Kind'); return [];"))
    with caplog.at_level(logging.INFO, logger="appsync_events_local.handlers.namespace_handlers"):
        await handlers.publish(HERE, events(1))
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", f'onPublish of namespace {HERE.namespace}: seen {{"a":1}}'),
        ("WARNING", f"onPublish of namespace {HERE.namespace}: util.appendError: Kind: careful"),
    ]


async def test_line_is_logged_once_if_the_call_is_repeated_for_a_time_zone(
    load: Load, caplog: pytest.LogCaptureFixture
) -> None:
    code = on_publish("console.log('once'); util.time.nowFormatted('HH', 'Europe/Berlin'); return [];")
    with caplog.at_level("INFO"):
        await load(code).publish(HERE, events(1))
    assert len([message for message in caplog.messages if message.endswith("once")]) == 1


async def test_large_result_is_returned_completely(load: Load) -> None:
    text = "x" * 240_000
    (returned,) = await load(on_publish("return ctx.events;")).publish(HERE, [Incoming("1", text)])
    assert returned.payload == text
