"""The realtime endpoint over real WebSockets."""

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from appsync_events_local import limits
from service_harness.running import (
    API,
    SUBPROTOCOL,
    Running,
    Socket,
    UserPool,
    api_properties,
    header_protocol,
    running,
    transport_of,
)

GUARDED = """
import { util } from '@aws-appsync/utils'
export function onSubscribe(ctx) {
  const segments = ctx.info.channel.segments
  if (segments[1] === 'error') { util.error('not here', 'Custom8') }
  if (segments[1] === 'crash') { return ctx.nothing.here }
  if (segments.length !== 2 || segments[1] !== ctx.identity.sub) { util.unauthorized() }
}
"""


def error_type(frame: dict[str, Any]) -> str:
    kind: str = frame["errors"][0]["errorType"]
    return kind


async def test_event_subprotocol_is_selected_and_connection_is_acknowledged(service: Running) -> None:
    socket = await service.open()
    assert socket.raw.protocol == SUBPROTOCOL
    ack = await socket.ask(type="connection_init")
    assert ack == {"type": "connection_ack", "connectionTimeoutMs": 300000}


async def test_the_order_of_the_subprotocols_does_not_matter(service: Running) -> None:
    protocols = [header_protocol(service.key_authorization()), SUBPROTOCOL]
    raw = await service.session.ws_connect(f"{service.url}/event/realtime", protocols=protocols)
    assert raw.protocol == SUBPROTOCOL
    assert (await Socket(raw).ask(type="connection_init"))["type"] == "connection_ack"


async def test_an_upgrade_without_the_event_subprotocol_is_refused(service: Running) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await service.session.ws_connect(f"{service.url}/event/realtime", protocols=["graphql-ws"])
    assert caught.value.status == 400


async def test_connect_credentials_may_be_headers_of_the_upgrade(service: Running) -> None:
    raw = await service.session.ws_connect(
        f"{service.url}/event/realtime", protocols=[SUBPROTOCOL], headers={"x-api-key": service.key}
    )
    assert (await Socket(raw).ask(type="connection_init"))["type"] == "connection_ack"


@pytest.mark.parametrize("change", ["wrong key", "no credentials", "no host", "other host", "expired token"])
async def test_bad_connect_credentials_give_connection_error_after_the_upgrade_and_a_close(
    service: Running, change: str
) -> None:
    good = service.key_authorization()
    authorization = {
        "wrong key": {**good, "x-api-key": "da2-wrong"},
        "no credentials": {"host": service.host},
        "no host": {"x-api-key": service.key},
        "other host": {**good, "host": "elsewhere.test"},
        "expired token": service.jwt_authorization(exp=1_700_000_000),
    }[change]
    socket = await service.open(authorization)
    refused = await socket.ask(type="connection_init")
    assert refused["type"] == "connection_error"
    assert refused["errors"] == [
        {
            "errorType": "UnauthorizedException",
            "errorCode": 401,
            "message": "You are not authorized to make this call.",
        }
    ]
    assert await socket.closed() == 1008


@pytest.mark.parametrize("encoded", ["header-", "header-!!!", "header-e30x", "header-WzFd", "header-bm90IGpzb24"])
async def test_unreadable_connect_credentials_are_a_bad_request(service: Running, encoded: str) -> None:
    raw = await service.session.ws_connect(f"{service.url}/event/realtime", protocols=[SUBPROTOCOL, encoded])
    refused = await Socket(raw).ask(type="connection_init")
    assert refused["type"] == "connection_error"
    assert refused["errors"][0]["errorCode"] == 400


@pytest.mark.parametrize("name", ["authorization", "Authorization", "AUTHORIZATION"])
async def test_credential_names_are_case_insensitive(service: Running, name: str) -> None:
    token = service.pool.token()
    socket = await service.connect({"HOST": service.host, name: token})
    assert (await socket.subscribe("/open/a"))["type"] == "subscribe_success"


@pytest.mark.parametrize("host", ["events.test", "localhost:{port}", "127.0.0.1:{port}"])
async def test_credentials_may_name_any_host_of_the_api(service: Running, host: str) -> None:
    port = service.host.rsplit(":", 1)[1]
    await service.connect({**service.key_authorization(), "host": host.format(port=port)})


async def test_a_mode_that_may_not_connect_is_refused(service: Running) -> None:
    await service.register(properties=api_properties(connect=("AMAZON_COGNITO_USER_POOLS",)))
    refused = await (await service.open()).ask(type="connection_init")
    assert error_type(refused) == "UnauthorizedException"
    await service.connect(service.jwt_authorization())


async def test_modes_may_differ_on_one_socket(service: Running) -> None:
    await service.register(properties=api_properties(subscribe=("API_KEY",), publish=("AMAZON_COGNITO_USER_POOLS",)))
    socket = await service.connect()
    assert (await socket.subscribe("/open/a"))["type"] == "subscribe_success"
    assert error_type(await socket.publish("/open/a", "1")) == "UnauthorizedException"
    socket.authorization = service.jwt_authorization()
    assert error_type(await socket.subscribe("/open/b", id="s2")) == "UnauthorizedException"
    await socket.send(type="publish", id="p2", channel="/open/a", events=["1"], authorization=socket.authorization)
    assert {(await socket.receive())["type"] for _ in range(2)} == {"publish_success", "data"}


async def test_each_frame_needs_its_own_credentials(service: Running) -> None:
    socket = await service.connect()
    refused = await socket.ask(type="subscribe", id="1", channel="/open/a")
    assert refused == {
        "type": "subscribe_error",
        "id": "1",
        "errors": [{"errorType": "UnauthorizedException", "message": "You are not authorized to make this call."}],
    }
    expired = service.jwt_authorization(exp=1_700_000_000)
    refused = await socket.ask(type="publish", id="2", channel="/open/a", events=["1"], authorization=expired)
    assert (refused["type"], error_type(refused)) == ("publish_error", "UnauthorizedException")


async def test_subscriber_receives_one_string_per_event_and_subscription(service: Running) -> None:
    socket = await service.connect()
    await socket.subscribe("/open/*", id="all")
    await socket.subscribe("/open/a", id="one")
    text = '{"text": "über \\"quoted\\" \\u20ac € \\ud83d\\ude00"}'
    await service.post("open/a", text, "[1, 2]")
    frames = [await socket.receive() for _ in range(4)]
    assert all(set(frame) == {"type", "id", "event"} and frame["type"] == "data" for frame in frames)
    received = {(frame["id"], frame["event"]) for frame in frames}
    assert received == {(id, event) for id in ("all", "one") for event in (text, "[1, 2]")}


async def test_text_without_utf8_form_does_not_break_the_connection(service: Running) -> None:
    socket = await service.connect()
    await socket.subscribe("/open/*")
    lone = '"\ud800"'
    await socket.send(type="publish", id="p", channel="/open/a", events=[lone], authorization=socket.authorization)
    frames = [await socket.receive(), await socket.receive()]
    (data,) = [frame for frame in frames if frame["type"] == "data"]
    assert data["event"] == lone


async def test_wildcard_covers_only_deeper_channels_of_its_namespace(service: Running) -> None:
    await service.namespace("open2")
    socket = await service.connect()
    await socket.subscribe("/open/*")
    for channel in ("open", "open2/a", "open/a", "open/a/b/c/d"):
        await service.post(channel, json.dumps(channel))
    assert [json.loads((await socket.receive())["event"]) for _ in range(2)] == ["open/a", "open/a/b/c/d"]


async def test_no_event_is_received_after_unsubscribing(service: Running) -> None:
    socket = await service.connect()
    await socket.subscribe("/open/*", id="s1")
    await socket.subscribe("/open/b", id="s2")
    assert await socket.ask(type="unsubscribe", id="s1") == {"type": "unsubscribe_success", "id": "s1"}
    await service.post("open/a", "1")
    await service.post("open/b", "2")
    assert (await socket.receive())["event"] == "2"


async def test_onsubscribe_decides_about_each_subscription(service: Running) -> None:
    await service.namespace("own", GUARDED)
    socket = await service.connect(service.jwt_authorization())
    assert (await socket.subscribe("/own/user-1"))["type"] == "subscribe_success"
    for channel in ("/own/user-2", "/own/*", "/own", "/own/user-1/deeper", "/own/USER-1"):
        refused = await socket.subscribe(channel, id="x")
        assert (refused["type"], error_type(refused)) == ("subscribe_error", "Unauthorized"), channel
    refused = await socket.subscribe("/own/error", id="x")
    assert refused["errors"] == [{"errorType": "Custom8", "message": "not here"}]
    refused = await socket.subscribe("/own/crash", id="x")
    assert refused["errors"] == [
        {"errorType": "SubscriptionProcessingError", "message": "There was an error processing the operation"}
    ]


async def test_publishing_needs_no_subscription_and_echoes_to_the_publisher(service: Running) -> None:
    socket = await service.connect()
    answer = await socket.publish("/open/a", "1", "2")
    assert answer["type"] == "publish_success"
    assert [entry["index"] for entry in answer["successful"]] == [0, 1]
    await socket.subscribe("/open/a")
    await socket.send(type="publish", id="p", channel="/open/a", events=["3"], authorization=socket.authorization)
    assert {(await socket.receive())["type"] for _ in range(2)} == {"data", "publish_success"}


async def test_socket_publish_is_refused_like_an_http_publish(service: Running) -> None:
    socket = await service.connect()
    assert error_type(await socket.publish("/open/a")) == "BadRequestException"
    assert error_type(await socket.publish("/open/a", *["1"] * 6)) == "BadRequestException"
    assert error_type(await socket.publish("/open/a", "{")) == "BadRequestException"
    assert error_type(await socket.publish("/unknown/a", "1")) == "NotFoundException"
    assert (await socket.publish("/open/a", "1"))["type"] == "publish_success"


async def test_extra_fields_of_amplify_frames_are_ignored(service: Running) -> None:
    socket = await service.connect()
    authorization = {**socket.authorization, "x-amz-user-agent": "aws-amplify/6", "x-amz-date": "2026"}
    payload = {"channel": "/open/a", "extensions": {"authorization": authorization}}
    answer = await socket.ask(
        type="subscribe", id="1-_+", channel="/open/a", authorization=authorization, payload=payload
    )
    assert answer == {"type": "subscribe_success", "id": "1-_+"}


async def test_operations_before_connection_init_need_good_connect_credentials(service: Running) -> None:
    socket = await service.open()
    assert (await socket.subscribe("/open/a"))["type"] == "subscribe_success"
    refused = await (await service.open({"host": service.host, "x-api-key": "wrong"})).subscribe("/open/a")
    assert refused["type"] == "connection_error"


async def test_keep_alive_frames_come_at_the_configured_interval(tmp_path: Path, pool: UserPool) -> None:
    async with running(tmp_path, pool, keep_alive_seconds=0.05) as service:
        socket = await service.connect()
        assert [await socket.receive() for _ in range(2)] == [{"type": "ka"}, {"type": "ka"}]


async def test_a_connection_ends_after_its_lifetime(tmp_path: Path, pool: UserPool) -> None:
    async with running(tmp_path, pool, lifetime_seconds=0.2) as service:
        socket = await service.connect()
        assert await socket.closed() == 1001


async def test_new_handler_code_applies_without_dropping_subscriptions(service: Running) -> None:
    code = "export function onPublish(ctx) {{ return ctx.events.map(e => ({{ id: e.id, payload: {} }})) }}"
    await service.namespace("js", code.format(1))
    socket = await service.connect()
    await socket.subscribe("/js/*")
    await service.post("js/a", '"x"')
    await service.namespace("js", code.format(2))
    await service.post("js/a", '"x"')
    assert [(await socket.receive())["event"] for _ in range(2)] == ["1", "2"]


async def test_deleting_a_namespace_ends_only_its_subscriptions(service: Running) -> None:
    await service.namespace("gone")
    socket = await service.connect()
    await socket.subscribe("/gone/*", id="g")
    await socket.subscribe("/open/*", id="o")
    await service.registered("DELETE", f"apis/{API}/namespaces/gone")
    assert (await service.post("gone/a", "1"))[0] == 404
    await service.namespace("gone")
    await service.post("gone/a", "1")
    await service.post("open/a", "2")
    assert (await socket.receive())["event"] == "2"
    assert error_type(await socket.ask(type="unsubscribe", id="g")) == "UnknownOperationError"


async def test_deleting_an_api_ends_its_connections(service: Running) -> None:
    socket = await service.connect()
    await service.registered("DELETE", f"apis/{API}")
    assert await socket.closed() == 1001
    assert (await service.post("open/a", "1"))[0] == 404


async def test_the_realtime_path_may_name_the_api(service: Running) -> None:
    socket = await service.open(path=f"/{API}/event/realtime")
    assert (await socket.ask(type="connection_init"))["type"] == "connection_ack"


async def test_subscriptions_end_with_their_connection(service: Running) -> None:
    socket = await service.connect()
    await socket.subscribe("/open/*")
    registered = await service.registered("GET", "apis")
    assert registered["apis"][API]["subscriptions"] == {"/open/*": 1}
    await socket.raw.close()
    watcher = await service.connect()
    await watcher.subscribe("/open/watch")
    registered = await service.registered("GET", "apis")
    assert registered["apis"][API]["subscriptions"] == {"/open/watch": 1}


async def test_message_above_the_transport_limit_ends_the_connection(service: Running) -> None:
    socket = await service.connect()
    announced = b"\x81\xff" + (limits.TRANSPORT_MESSAGE_BYTES + 1).to_bytes(8) + b"mask"
    transport_of(socket).write(announced)
    assert await socket.closed() == 1009


async def test_a_client_ping_is_answered_while_events_flow(service: Running) -> None:
    raw = await service.session.ws_connect(
        f"{service.url}/event/realtime",
        protocols=[SUBPROTOCOL, header_protocol(service.key_authorization())],
        autoping=False,
    )
    socket = Socket(raw, service.key_authorization())
    await socket.ask(type="connection_init")
    await raw.ping(b"hello")
    message = await raw.receive(timeout=10)
    assert (message.type, message.data) == (aiohttp.WSMsgType.PONG, b"hello")
    assert (await socket.subscribe("/open/a"))["type"] == "subscribe_success"


async def test_binary_message_is_unsupported_and_the_connection_stays_usable(service: Running) -> None:
    socket = await service.connect()
    await socket.raw.send_bytes(b"x")
    assert error_type(await socket.receive()) == "UnsupportedOperation"
    assert (await socket.subscribe("/open/a"))["type"] == "subscribe_success"


async def test_the_realtime_path_without_an_upgrade_is_a_bad_request(service: Running) -> None:
    headers = {"Sec-WebSocket-Protocol": SUBPROTOCOL}
    async with service.session.get(f"{service.url}/event/realtime", headers=headers) as answer:
        assert answer.status == 400


async def test_a_connection_has_200_subscriptions_and_25_publishes_a_second(service: Running) -> None:
    socket = await service.connect()
    for number in range(limits.SUBSCRIPTIONS_PER_CONNECTION):
        assert (await socket.subscribe(f"/open/c{number}", id=str(number)))["type"] == "subscribe_success"
    assert error_type(await socket.subscribe("/open/beyond", id="beyond")) == "MaxSubscriptionsReachedError"
    for number in range(200):
        own = socket.authorization
        await socket.send(type="publish", id=f"p{number}", channel="/open/x", events=["1"], authorization=own)
    answers = [await socket.receive() for _ in range(200)]
    refused = [answer for answer in answers if answer["type"] == "publish_error"]
    assert refused
    assert {error_type(answer) for answer in refused} == {"LimitExceededException"}


async def test_many_operations_at_once_are_all_answered(service: Running) -> None:
    await service.namespace("own", GUARDED)
    socket = await service.connect(service.jwt_authorization())
    own = socket.authorization
    for number in range(150):
        await socket.send(type="subscribe", id=f"{number}", channel="/own/user-1", authorization=own)
    answers = [await socket.receive() for _ in range(150)]
    assert {answer["id"] for answer in answers} == {str(number) for number in range(150)}
    assert {answer["type"] for answer in answers} == {"subscribe_success"}
