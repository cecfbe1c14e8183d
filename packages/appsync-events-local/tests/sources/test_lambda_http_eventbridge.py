"""Lambda, HTTP and EventBridge data sources: the request that a handler makes, and the result or error it gets."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from aiohttp import web
from appsync_events_local.aws_clients import LOCAL_CREDENTIALS, Credentials, aws_client
from appsync_events_local.functions.runner import FunctionRunner
from appsync_events_local.handlers.namespace_handlers import (
    DataSource,
    DataSourceError,
    Incoming,
    Invocation,
    NamespaceHandlers,
)
from appsync_events_local.model.data_sources import HttpModel, HttpSigning
from appsync_events_local.sources import deadline
from appsync_events_local.sources.event_bridge import EventBridgeDataSource
from appsync_events_local.sources.functions import LambdaDataSource
from appsync_events_local.sources.http import HttpDataSource
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Keys
from service_harness.functions import ARN, PLAIN, POWERTOOLS
from service_harness.running import on_port

REGION = "us-east-1"

Run = Callable[[DataSource, str], Awaitable[Any]]


@pytest.fixture
def run() -> Iterator[Run]:
    """Runs a request expression on a data source through handler code; gives `[ctx.result, ctx.error]`."""
    loaded: list[NamespaceHandlers] = []

    async def runner(source: DataSource, request: str) -> Any:
        code = (
            "import { util } from '@aws-appsync/utils';\n"
            f"export const onPublish = {{ request(ctx) {{ return {request}; }},\n"
            "  response(ctx) { return [{ id: ctx.events[0].id, payload: [ctx.result, ctx.error] }]; } };\n"
        )
        loaded.append(NamespaceHandlers.load(code, on_publish=source))
        (returned,) = await loaded[-1].publish(Invocation(None, "/team/a", "team"), [Incoming("1", {"n": 1})])
        return returned.payload

    yield runner
    for handlers in loaded:
        asyncio.run(handlers.close())


# Lambda


@pytest.fixture
async def functions() -> AsyncIterator[FunctionRunner]:
    runner = FunctionRunner([PLAIN, POWERTOOLS])
    yield runner
    await runner.close()


async def test_function_receives_the_payload_and_its_answer_is_the_result(functions: FunctionRunner, run: Run) -> None:
    source = LambdaDataSource(PLAIN.arn, functions)
    result, error = await run(source, "({ operation: 'Invoke', payload: ctx })")
    assert (result, error) == ({"events": [{"id": "1", "payload": {"changed": {"n": 1}}}]}, None)
    event = "({ operation: 'Invoke', invocationType: 'Event', payload: ctx })"
    assert await run(source, event) == [None, None]


async def test_powertools_function_works_as_a_data_source(functions: FunctionRunner, run: Run) -> None:
    context = "{ ...ctx, info: { ...ctx.info, channel: { path: '/team/greet', segments: ['team', 'greet'] } } }"
    request = f"({{ operation: 'Invoke', invocationType: 'RequestResponse', payload: {context} }})"
    result, error = await run(LambdaDataSource(POWERTOOLS.arn, functions), request)
    assert error is None
    assert result == {"events": [{"id": "1", "payload": {"hello": {"n": 1}, "by": "team"}}]}


@pytest.mark.parametrize(
    ("function", "request_object", "type", "words"),
    [
        (PLAIN.arn, "({ operation: 'Invoke', payload: {} })", "Lambda:Unhandled", "'info'"),
        (ARN + "lost", "({ operation: 'Invoke' })", "Lambda:ResourceNotFoundException", "lost"),
        (PLAIN.arn, "({ operation: 'BatchInvoke' })", "Lambda:ValidationException", "'BatchInvoke' does not exist"),
        (
            PLAIN.arn,
            "({ operation: 'Invoke', invocationType: 'Later' })",
            "Lambda:ValidationException",
            "'Later' is not one of RequestResponse, Event",
        ),
        (
            PLAIN.arn,
            "({ operation: 'Invoke', payload: { info: { channel: { path: '/a/slow' } }, events: [] } })",
            "Lambda:Unhandled",
            "Task timed out after 2.00 seconds",
        ),
        (
            PLAIN.arn,
            "({ operation: 'Invoke', payload: 1 })",
            "Lambda:Unhandled",
            "not subscriptable",
        ),
    ],
)
async def test_failed_invocation_is_an_error_with_its_type(
    functions: FunctionRunner, run: Run, function: str, request_object: str, type: str, words: str
) -> None:
    result, error = await run(LambdaDataSource(function, functions), request_object)
    assert (result, error["type"]) == (None, type)
    assert words in error["message"]


async def test_data_source_timeout_is_an_error_in_response(
    functions: FunctionRunner, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "DATA_SOURCE_SECONDS", 0.3)
    request = "({ operation: 'Invoke', payload: { info: { channel: { path: '/a/slow' } }, events: [] } })"
    _, error = await run(LambdaDataSource(PLAIN.arn, functions), request)
    assert error == {"message": "Execution timed out.", "type": "Lambda:ExecutionTimeoutException"}


# HTTP


@pytest.fixture
async def site() -> AsyncIterator[str]:
    """A web server whose answer describes the request."""

    async def echo(request: web.Request) -> web.Response:
        asked = {
            "method": request.method,
            "path": request.raw_path,
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "body": await request.text(),
        }
        return web.json_response(asked, headers={"X-Answer": "é".encode().decode("latin-1")})

    async def special(request: web.Request) -> web.StreamResponse:
        match request.match_info["what"]:
            case "missing":
                return web.Response(status=404, text="nothing here")
            case "moved":
                raise web.HTTPFound("/echo")
            case "large":
                return web.Response(body=b"x" * (1024 * 1024 + 1))
            case "twice":
                answer = web.Response(text="two")
                answer.headers.add("Set-Cookie", "a=1")
                answer.headers.add("Set-Cookie", "b=2")
                return answer
        await asyncio.sleep(30)
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/echo{rest:.*}", echo)
    app.router.add_get("/special/{what}", special)
    async with on_port(app) as url:
        yield url


@pytest.fixture
async def http(site: str) -> AsyncIterator[HttpDataSource]:
    source = HttpDataSource(HttpModel(site), LOCAL_CREDENTIALS)
    yield source
    await source.close()


async def asked(run: Run, source: DataSource, request: str) -> dict[str, Any]:
    result, error = await run(source, request)
    assert error is None, error
    assert result["statusCode"] == 200
    echoed: dict[str, Any] = json.loads(result["body"])
    return echoed


async def test_http_request_is_sent_as_the_handler_describes_it(http: HttpDataSource, run: Run) -> None:
    request = (
        "({ method: 'POST', resourcePath: '/echo/a%2Fb/c d', params: { query: { q: 'x y&z', n: 1, list: ['a', 'b'] },"
        " headers: { 'X-Own': 'mine', Host: 'evil.test', 'User-Agent': 'evil' }, body: { text: 'é' } } })"
    )
    echoed = await asked(run, http, request)
    assert (echoed["method"], echoed["body"]) == ("POST", '{"text": "é"}')
    assert echoed["path"] == "/echo/a%2Fb/c%20d?q=x+y%26z&n=1&list=a&list=b"
    headers = echoed["headers"]
    assert (headers["x-own"], headers["content-type"]) == ("mine", "application/json")
    assert "evil" not in json.dumps(headers)


async def test_text_bodies_and_content_types_are_kept(http: HttpDataSource, run: Run) -> None:
    params = "{ headers: { 'Content-Type': 'text/plain' }, body: 'as it is' }"
    echoed = await asked(run, http, f"({{ method: 'PUT', resourcePath: '/echo', params: {params} }})")
    assert (echoed["body"], echoed["headers"]["content-type"]) == ("as it is", "text/plain")
    echoed = await asked(run, http, "({ method: 'GET', resourcePath: '/echo' })")
    assert "content-type" not in echoed["headers"]


@pytest.mark.parametrize(
    ("what", "status", "body"), [("missing", 404, "nothing here"), ("moved", 302, "302: Found"), ("twice", 200, "two")]
)
async def test_every_http_status_is_a_result(http: HttpDataSource, run: Run, what: str, status: int, body: str) -> None:
    result, error = await run(http, f"({{ method: 'GET', resourcePath: '/special/{what}' }})")
    assert (result["statusCode"], result["body"], error) == (status, body, None)
    assert result["headers"].get("set-cookie") == ("a=1, b=2" if what == "twice" else None)


@pytest.mark.parametrize(
    ("request_object", "type", "words"),
    [
        ("({ method: 'HEAD', resourcePath: '/' })", "Http:ValidationException", "'HEAD' is not one of GET, POST"),
        ("({ method: 'GET' })", "Http:ValidationException", "must be text that begins with '/'"),
        ("({ method: 'GET', resourcePath: '@evil.test/' })", "Http:ValidationException", "begins with '/'"),
        ("({ method: 'GET', resourcePath: '/', params: 1 })", "Http:ValidationException", "params must be an object"),
        (
            "({ method: 'POST', resourcePath: '/', params: { headers: { 'Content-Type': 'image/png' } } })",
            "Http:ValidationException",
            "'image/png' is not allowed for HTTP data sources",
        ),
        (
            "({ method: 'GET', resourcePath: '/', params: { headers: { a: 'b\\r\\nc: d' } } })",
            "Http:ValidationException",
            "contains a line break",
        ),
        ("({ method: 'GET', resourcePath: '/special/large' })", "Http:ResponseTooLarge", "more than 1048576 bytes"),
    ],
)
async def test_invalid_http_request_or_too_large_response_is_an_error(
    http: HttpDataSource, run: Run, request_object: str, type: str, words: str
) -> None:
    result, error = await run(http, request_object)
    assert (result, error["type"]) == (None, type)
    assert words in error["message"]


async def test_slow_or_unreachable_http_server_is_an_error(
    http: HttpDataSource, run: Run, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    nowhere = HttpDataSource(HttpModel(f"http://127.0.0.1:{unused_tcp_port}"), LOCAL_CREDENTIALS)
    _, error = await run(nowhere, "({ method: 'GET', resourcePath: '/' })")
    assert error["type"] == "Http:ConnectionException"
    await nowhere.close()
    monkeypatch.setattr(deadline, "DATA_SOURCE_SECONDS", 0.2)
    _, error = await run(http, "({ method: 'GET', resourcePath: '/special/slow' })")
    assert error == {"message": "Execution timed out.", "type": "Http:ExecutionTimeoutException"}


async def test_http_requests_are_signed_for_the_configured_service(site: str, run: Run) -> None:
    keys = Credentials("AKIDHTTP", "secret", "session")
    source = HttpDataSource(HttpModel(site, HttpSigning("eu-west-1", "execute-api")), keys)
    request = "({ method: 'POST', resourcePath: '/echo/x', params: { query: { b: '1', a: '2' }, body: { n: 1 } } })"
    echoed = await asked(run, source, request)
    await source.close()
    headers = echoed["headers"]
    assert "/eu-west-1/execute-api/aws4_request" in headers["authorization"]
    assert headers["x-amz-security-token"] == "session"
    again = AWSRequest(
        "POST", site + echoed["path"], data=echoed["body"].encode(), headers={"Content-Type": "application/json"}
    )
    again.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Keys(keys.access_key_id, keys.secret_access_key, keys.session_token), "execute-api", "eu-west-1")
    again.headers["X-Amz-Date"] = headers["x-amz-date"]
    again.headers["X-Amz-Security-Token"] = "session"
    signature = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
    assert headers["authorization"].endswith(f"Signature={signature}")


# EventBridge


@pytest.fixture
async def bridge(dynamodb_endpoint: str) -> AsyncIterator[EventBridgeDataSource]:
    bus = f"arn:aws:events:{REGION}:000000000000:event-bus/default"
    source = EventBridgeDataSource(
        bus, region=REGION, endpoint_url=dynamodb_endpoint, credentials=Credentials("test", "test")
    )
    yield source
    await asyncio.to_thread(source.close)


async def test_events_are_put_on_the_bus(bridge: EventBridgeDataSource, run: Run, dynamodb_endpoint: str) -> None:
    queue, messages = await asyncio.to_thread(_rule_to_queue, dynamodb_endpoint)
    result, error = await run(
        bridge,
        "({ operation: 'PutEvents', events: ctx.events.map((e) => ({ source: 'test.' + ctx.info.channel.path,"
        " detail: { payload: e.payload }, detailType: ctx.info.channelNamespace.name, resources: ['r'],"
        " time: '2026-01-01T00:30:00.000Z' })) })",
    )
    assert error is None
    assert result["FailedEntryCount"] == 0
    assert set(result["Entries"][0]) == {"EventId"}
    event = await asyncio.to_thread(_message, messages, queue)
    assert (event["source"], event["detail-type"]) == ("test./team/a", "team")
    assert (event["detail"], event["resources"], event["id"]) == (
        {"payload": {"n": 1}},
        ["r"],
        result["Entries"][0]["EventId"],
    )


def _rule_to_queue(url: str) -> tuple[str, Any]:
    def client(service: str) -> Any:
        return aws_client(
            service,
            region=REGION,
            endpoint_url=url,
            credentials=Credentials("test", "test"),
            connections=1,
            read_seconds=10,
            attempts=1,
        )

    messages, events = client("sqs"), client("events")
    queue: str = messages.create_queue(QueueName="bridged")["QueueUrl"]
    arn = messages.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="all", EventPattern=json.dumps({"source": [{"prefix": "test."}]}))
    events.put_targets(Rule="all", Targets=[{"Id": "1", "Arn": arn}])
    events.close()
    return queue, messages


def _message(messages: Any, queue: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    for _ in range(5):
        found = found or messages.receive_message(QueueUrl=queue, WaitTimeSeconds=3).get("Messages", [])
    messages.close()
    (message,) = found
    body: dict[str, Any] = json.loads(message["Body"])
    return body


@pytest.mark.parametrize(
    ("request_object", "words"),
    [
        ("({ operation: 'PutEvent' })", "'PutEvent' does not exist"),
        ("({ operation: 'PutEvents', events: [] })", "at least one event"),
        ("({ operation: 'PutEvents', events: [1] })", "events[0] is not an object"),
        ("({ operation: 'PutEvents', events: [{ source: 'a', detail: {} }] })", "events[0].detailType must be text"),
        (
            "({ operation: 'PutEvents', events: [{ source: 'a', detailType: 'b', detail: 'c' }] })",
            "events[0].detail must be an object",
        ),
        (
            "({ operation: 'PutEvents', events: [{ source: 'a', detailType: 'b', detail: {}, time: 'noon' }] })",
            "must be an RFC 3339 time, not 'noon'",
        ),
    ],
)
async def test_invalid_event_bridge_request_is_an_error(
    bridge: EventBridgeDataSource, run: Run, request_object: str, words: str
) -> None:
    result, error = await run(bridge, request_object)
    assert (result, error["type"]) == (None, "EventBridge:ValidationException")
    assert words in error["message"]


async def test_unreachable_event_bus_is_an_error(unused_tcp_port: int) -> None:
    bus = f"arn:aws:events:{REGION}:000000000000:event-bus/default"
    source = EventBridgeDataSource(
        bus, region=REGION, endpoint_url=f"http://127.0.0.1:{unused_tcp_port}", credentials=LOCAL_CREDENTIALS
    )
    with pytest.raises(DataSourceError, match="could not be reached") as error:
        await source.execute({"operation": "PutEvents", "events": [{"source": "a", "detailType": "b", "detail": {}}]})
    assert error.value.type == "EventBridge:SdkClientException"
    source.close()
