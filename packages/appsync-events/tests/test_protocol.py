"""Frames have the documented form, in both directions."""

from __future__ import annotations

import base64
import json

import pytest
from appsync_events import Accepted, Failed, ProtocolError, Reason, _protocol
from appsync_events._protocol import (
    Acknowledged,
    BroadcastFailed,
    ConnectionRefused,
    Data,
    ErrorFrame,
    Frame,
    KeepAlive,
    Published,
    PublishRefused,
    Subscribed,
    SubscriptionRefused,
    Unsubscribed,
)
from hypothesis import given
from hypothesis import strategies as st

UNAUTHORIZED = (Reason("UnauthorizedException", "You are not authorized to make this call.", 401),)
FRAMES: list[tuple[str, Frame | None]] = [
    ('{"type":"connection_ack","connectionTimeoutMs":300000}', Acknowledged(300.0)),
    ('{"type":"connection_ack"}', Acknowledged(_protocol.DEFAULT_SILENCE_SECONDS)),
    (
        '{"type":"connection_error","errors":[{"errorType":"UnauthorizedException","errorCode":401,'
        '"message":"You are not authorized to make this call."}]}',
        ConnectionRefused(UNAUTHORIZED),
    ),
    ('{"type":"ka"}', KeepAlive()),
    ('{"type":"subscribe_success","id":"a"}', Subscribed("a")),
    (
        '{"type":"subscribe_error","id":"a","errors":[{"errorType":"Unauthorized","message":"no"}]}',
        SubscriptionRefused("a", (Reason("Unauthorized", "no"),)),
    ),
    ('{"type":"unsubscribe_success","id":"a"}', Unsubscribed("a")),
    ('{"type":"unsubscribe_error","id":"a","errors":[]}', Unsubscribed("a")),
    (r'{"type":"data","id":"a","event":"{\"n\":1}"}', Data("a", ({"n": 1},))),
    (r'{"type":"data","id":"a","event":["{\"n\":1}","2"]}', Data("a", ({"n": 1}, 2))),
    ('{"type":"broadcast_error","id":"a","errors":[]}', BroadcastFailed("a", ())),
    (
        '{"type":"publish_success","id":"p","successful":[{"identifier":"x","index":0}],'
        '"failed":[{"identifier":"y","index":1,"code":"EventTooLargeException","message":"large"}]}',
        Published("p", (Accepted(0, "x"),), (Failed(1, "y", "EventTooLargeException", "large"),)),
    ),
    (
        '{"type":"publish_error","id":"p","errors":[{"errorType":"BadRequestException"}]}',
        PublishRefused("p", (Reason("BadRequestException", ""),)),
    ),
    (
        '{"type":"error","errors":[{"errorType":"UnsupportedOperation","message":"m"}]}',
        ErrorFrame(None, (Reason("UnsupportedOperation", "m"),)),
    ),
    ('{"type":"something_new","id":"a","more":1}', None),
]


@pytest.mark.parametrize(("text", "frame"), FRAMES, ids=[text[:40] for text, _ in FRAMES])
def test_frame_of_the_api_is_parsed(text: str, frame: Frame | None) -> None:
    assert _protocol.parse(text) == frame


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        "1",
        "{}",
        '{"type":"data","id":"a"}',
        '{"type":"data","id":"a","event":"{"}',
        '{"type":[]}',
        '{"type":"subscribe_success"}',
        '{"type":"connection_error","errors":[1]}',
    ],
)
def test_invalid_frame_is_a_protocol_error(text: str) -> None:
    with pytest.raises(ProtocolError):
        _protocol.parse(text)


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x, max_size=3), max_leaves=8)
)
def test_event_survives_encoding_and_parsing(event: object) -> None:
    frame = json.loads(_protocol.publish_frame("p", "/a/b", [event], {"host": "h"}))
    back = _protocol.parse(_protocol.compact({"type": "data", "id": "a", "event": frame["events"][0]}))
    assert back == Data("a", (event,))


def test_client_frames_have_exactly_the_documented_fields() -> None:
    authorization = {"host": "h", "Authorization": "t"}
    assert json.loads(_protocol.init_frame()) == {"type": "connection_init"}
    assert json.loads(_protocol.subscribe_frame("i", "/a/b", authorization)) == {
        "type": "subscribe",
        "id": "i",
        "channel": "/a/b",
        "authorization": authorization,
    }
    assert json.loads(_protocol.unsubscribe_frame("i")) == {"type": "unsubscribe", "id": "i"}
    assert json.loads(_protocol.publish_frame("i", "/a", [{"a": "ü"}, 2], authorization)) == {
        "type": "publish",
        "id": "i",
        "channel": "/a",
        "events": ['{"a":"ü"}', "2"],
        "authorization": authorization,
    }


@pytest.mark.parametrize("count", [0, 6])
def test_publish_frame_takes_one_to_five_events(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 5"):
        _protocol.publish_frame("i", "/a", [1] * count, {})


def test_subprotocol_is_base64url_without_padding() -> None:
    name, header = _protocol.subprotocols({"host": "h??>>", "Authorization": "tök"})
    assert name == "aws-appsync-event-ws"
    encoded = header.removeprefix("header-")
    assert not set(encoded) & set("+/=")
    decoded = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    assert json.loads(decoded) == {"host": "h??>>", "Authorization": "tök"}
