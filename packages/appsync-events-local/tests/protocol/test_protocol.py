"""The protocol core without a socket: frames in, frames and effects out."""

import json
from typing import Any

import pytest
from appsync_events_local import limits
from appsync_events_local.errors import Refusal, unauthorized
from appsync_events_local.protocol.channels import parse_channel
from appsync_events_local.protocol.connection import Connection
from appsync_events_local.protocol.effects import (
    AddSubscription,
    Authorize,
    AuthorizeConnect,
    CallPublish,
    CallSubscribe,
    Close,
    Effect,
    Operation,
    RemoveSubscription,
    Send,
)

AUTHORIZATION = {"Authorization": "token"}


def connection(**settings: Any) -> Connection:
    return Connection(lambda name: name in ("ns", "chats"), now=0.0, **settings)


def ready(**settings: Any) -> Connection:
    subject = connection(**settings)
    assert subject.receive('{"type":"connection_init"}', 0.0) == [AuthorizeConnect()]
    assert sent(subject.connect_accepted(0.0)) == [{"type": "connection_ack", "connectionTimeoutMs": 300000}]
    return subject


def sent(effects: list[Effect]) -> list[dict[str, Any]]:
    return [json.loads(effect.text) for effect in effects if isinstance(effect, Send)]


def give(subject: Connection, now: float = 0.0, **frame: Any) -> list[Effect]:
    return subject.receive(json.dumps(frame), now)


def operation(effects: list[Effect]) -> Operation:
    (effect,) = effects
    assert isinstance(effect, Authorize)
    return effect.operation


def begin(subject: Connection, kind: str, id: str, channel: str = "/ns/a", **fields: Any) -> Operation:
    return operation(give(subject, type=kind, id=id, channel=channel, authorization=AUTHORIZATION, **fields))


def subscribe(subject: Connection, id: str, channel: str = "/ns/a") -> list[Effect]:
    """Run a subscribe from the frame to its success."""
    begun = begin(subject, "subscribe", id, channel)
    assert subject.authorized(begun, None) == [CallSubscribe(begun)]
    return subject.subscribed(begun)


def error(kind: str, id: str | None, error_type: str, message: str) -> dict[str, Any]:
    named = {} if id is None else {"id": id}
    return {"type": kind, **named, "errors": [{"errorType": error_type, "message": message}]}


INVALID = "Invalid Channel Format"
BAD_ID = r"The id must match [a-zA-Z0-9\-_+]{1,128}"
UNSUPPORTED = "Operation not supported through the realtime channel"

REFUSED_FRAMES: list[tuple[str, Any, dict[str, Any]]] = [
    ("not JSON", "{", error("error", None, "UnsupportedOperation", UNSUPPORTED)),
    ("not an object", "[1]", error("error", None, "UnsupportedOperation", UNSUPPORTED)),
    ("NaN", '{"type":"subscribe","id":NaN}', error("error", None, "UnsupportedOperation", UNSUPPORTED)),
    ("too deep", "[" * 100_000, error("error", None, "UnsupportedOperation", UNSUPPORTED)),
    ("no type", {"id": "1"}, error("error", "1", "UnsupportedOperation", UNSUPPORTED)),
    ("unknown type", {"type": "start", "id": "1"}, error("error", "1", "UnsupportedOperation", UNSUPPORTED)),
    ("type no text", {"type": 7}, error("error", None, "UnsupportedOperation", UNSUPPORTED)),
    ("no id", {"type": "subscribe", "channel": "ns/a"}, error("subscribe_error", None, "BadRequestException", BAD_ID)),
    (
        "id with a space",
        {"type": "subscribe", "id": "a b", "channel": "ns/a"},
        error("subscribe_error", "a b", "BadRequestException", BAD_ID),
    ),
    (
        "id too long",
        {"type": "publish", "id": "x" * 129, "channel": "ns/a", "events": ["1"]},
        error("publish_error", "x" * 129, "BadRequestException", BAD_ID),
    ),
    (
        "id with a line end",
        {"type": "unsubscribe", "id": "x\n"},
        error("unsubscribe_error", "x\n", "BadRequestException", BAD_ID),
    ),
    (
        "no channel",
        {"type": "subscribe", "id": "1"},
        error("subscribe_error", "1", "BadRequestException", "The channel is missing"),
    ),
    (
        "bad channel",
        {"type": "subscribe", "id": "1", "channel": "/a/*/b"},
        error("subscribe_error", "1", "BadRequestException", INVALID),
    ),
    (
        "publish to a wildcard",
        {"type": "publish", "id": "1", "channel": "/ns/*", "events": ["1"]},
        error("publish_error", "1", "BadRequestException", INVALID),
    ),
    (
        "unknown namespace",
        {"type": "subscribe", "id": "1", "channel": "/other/a"},
        error("subscribe_error", "1", "NotFoundException", "Channel namespace other does not exist"),
    ),
    (
        "authorization no object",
        {"type": "subscribe", "id": "1", "channel": "/ns/a", "authorization": "token"},
        error("subscribe_error", "1", "BadRequestException", "The authorization must be an object"),
    ),
    (
        "unsubscribe of nothing",
        {"type": "unsubscribe", "id": "9"},
        error("unsubscribe_error", "9", "UnknownOperationError", "Unknown operation id 9"),
    ),
]


@pytest.mark.parametrize(
    ("frame", "answer"), [row[1:] for row in REFUSED_FRAMES], ids=[row[0] for row in REFUSED_FRAMES]
)
def test_invalid_frame_is_answered_with_its_error_and_has_no_effect(frame: Any, answer: dict[str, Any]) -> None:
    text = frame if isinstance(frame, str) else json.dumps(frame)
    subject = ready()
    effects = subject.receive(text, 0.0)
    assert sent(effects) == [answer]
    assert len(effects) == 1
    assert not subject.closed


def test_a_binary_frame_is_unsupported() -> None:
    assert sent(ready().receive_binary()) == [error("error", None, "UnsupportedOperation", UNSUPPORTED)]


def test_refused_connect_credentials_give_connection_error_and_a_close() -> None:
    subject = connection()
    subject.receive('{"type":"connection_init"}', 0.0)
    frame, close = subject.connect_refused(unauthorized("wrong key"))
    assert sent([frame]) == [
        {
            "type": "connection_error",
            "errors": [
                {
                    "errorType": "UnauthorizedException",
                    "errorCode": 401,
                    "message": "You are not authorized to make this call.",
                }
            ],
        }
    ]
    assert close == Close(1008, "UnauthorizedException")
    assert give(subject, type="connection_init") == []


def test_frames_before_the_acknowledgement_wait_for_the_connect_credentials() -> None:
    subject = connection()
    assert give(subject, type="subscribe", id="1", channel="/ns/a") == [AuthorizeConnect()]
    assert give(subject, type="subscribe", id="2", channel="/ns/b") == []
    effects = subject.connect_accepted(0.0)
    assert [effect.operation.id for effect in effects if isinstance(effect, Authorize)] == ["1", "2"]
    assert sent(effects) == []


def test_frames_before_the_acknowledgement_are_discarded_when_connecting_is_refused() -> None:
    subject = connection()
    give(subject, type="connection_init")
    give(subject, type="subscribe", id="1", channel="/ns/a")
    effects = subject.connect_refused(unauthorized("no"))
    assert not any(isinstance(effect, Authorize) for effect in effects)
    assert subject.connect_accepted(0.0) == []


def test_too_many_frames_before_the_acknowledgement_end_the_connection() -> None:
    subject = connection()
    effects: list[Effect] = []
    for number in range(limits.SUBSCRIPTIONS_PER_CONNECTION + 1):
        effects = give(subject, type="subscribe", id=str(number), channel="/ns/a")
    assert effects == [Close(1008, "too many frames before connection_ack")]


def test_a_second_init_is_acknowledged_again() -> None:
    assert sent(give(ready(), type="connection_init"))[0]["type"] == "connection_ack"


def test_subscribe_success_precedes_the_subscription() -> None:
    effects = subscribe(ready(), "1", "/ns/a/*")
    assert sent(effects[:1]) == [{"type": "subscribe_success", "id": "1"}]
    assert isinstance(effects[1], AddSubscription)
    assert effects[1].channel.path == "/ns/a/*"


def test_operation_has_its_own_credentials_and_signed_body() -> None:
    subject = ready()
    assert begin(subject, "subscribe", "1", "ns/a/").signed_body() == {"channel": "ns/a/"}
    publish = begin(subject, "publish", "2", "/ns/b", events=["1", "2"])
    assert publish.signed_body() == {"channel": "/ns/b", "events": ["1", "2"]}
    assert publish.authorization == AUTHORIZATION


def test_unknown_fields_are_ignored() -> None:
    subject = ready()
    begun = begin(subject, "subscribe", "1", payload={"channel": "/other"}, extensions=[1])
    assert begun.channel == parse_channel("/ns/a")


def test_id_of_a_live_subscription_is_refused_until_it_is_unsubscribed() -> None:
    subject = ready()
    subscribe(subject, "1")
    again = begin(subject, "subscribe", "1", "/ns/b")
    duplicate = error("subscribe_error", "1", "DuplicatedOperationError", "Duplicated operation id 1")
    assert sent(subject.authorized(again, None)) == [duplicate]
    removed, answer = give(subject, type="unsubscribe", id="1")
    assert removed == RemoveSubscription("1", parse_channel("/ns/a"))
    assert sent([answer]) == [{"type": "unsubscribe_success", "id": "1"}]
    assert sent(subscribe(subject, "1", "/ns/b")) == [{"type": "subscribe_success", "id": "1"}]


def test_id_of_a_pending_subscribe_is_in_use_and_free_after_a_refusal() -> None:
    subject = ready()
    first, second = begin(subject, "subscribe", "1"), begin(subject, "subscribe", "1")
    subject.authorized(first, None)
    assert sent(subject.authorized(second, None))[0]["errors"][0]["errorType"] == "DuplicatedOperationError"
    subject.subscribe_failed(first, Refusal("Unauthorized", "no", 401))
    assert sent(subscribe(subject, "1")) == [{"type": "subscribe_success", "id": "1"}]


def test_unsubscribe_during_a_pending_subscribe_is_ignored() -> None:
    subject = ready()
    begun = begin(subject, "subscribe", "1")
    subject.authorized(begun, None)
    assert give(subject, type="unsubscribe", id="1") == []
    assert sent(subject.subscribed(begun)) == [{"type": "subscribe_success", "id": "1"}]


def test_unsubscribe_before_authorisation_of_the_subscribe_is_ignored() -> None:
    subject = ready()
    begun = begin(subject, "subscribe", "1")
    assert give(subject, type="unsubscribe", id="1") == []
    subject.authorized(begun, None)
    assert sent(subject.subscribed(begun)) == [{"type": "subscribe_success", "id": "1"}]
    refused = begin(subject, "subscribe", "2")
    subject.refused(refused, Refusal("UnauthorizedException", "no", 401))
    assert sent(give(subject, type="unsubscribe", id="2"))[0]["type"] == "unsubscribe_error"


def test_a_connection_has_200_subscriptions_at_most() -> None:
    subject = ready()
    for number in range(limits.SUBSCRIPTIONS_PER_CONNECTION):
        subscribe(subject, f"s{number}")
    beyond = begin(subject, "subscribe", "beyond")
    assert sent(subject.authorized(beyond, None))[0]["errors"][0]["errorType"] == "MaxSubscriptionsReachedError"
    give(subject, type="unsubscribe", id="s7")
    assert sent(subscribe(subject, "beyond")) == [{"type": "subscribe_success", "id": "beyond"}]


def test_credentials_are_checked_before_the_id() -> None:
    subject = ready()
    subscribe(subject, "1")
    again = begin(subject, "subscribe", "1")
    assert sent(subject.refused(again, unauthorized("no")))[0]["errors"][0]["errorType"] == "UnauthorizedException"


def test_publish_passes_the_identity_and_answers_with_both_lists() -> None:
    subject = ready()
    begun = begin(subject, "publish", "1", events=["1"])
    assert subject.authorized(begun, {"sub": "u"}) == [CallPublish(begun)]
    assert begun.identity == {"sub": "u"}
    result = {"failed": [], "successful": [{"identifier": "i", "index": 0}]}
    assert sent(subject.published(begun, result)) == [{"type": "publish_success", "id": "1", **result}]


def test_connection_can_publish_25_times_a_second() -> None:
    subject = ready()
    for number in range(limits.PUBLISHES_PER_SECOND_PER_CONNECTION):
        begin(subject, "publish", str(number), events=["1"])
    refused = give(subject, type="publish", id="x", channel="/ns/a", events=["1"], authorization={})
    assert sent(refused)[0]["errors"][0]["errorType"] == "LimitExceededException"
    later = give(subject, 0.05, type="publish", id="y", channel="/ns/a", events=["1"], authorization={})
    assert operation(later).id == "y"


def test_the_publish_rate_can_be_raised_for_a_benchmark() -> None:
    subject = ready(publishes_per_second=100)
    answers = [give(subject, type="publish", id="p", channel="/ns/a", events=["1"]) for _ in range(101)]
    assert [isinstance(effects[0], Authorize) for effects in answers] == [True] * 100 + [False]


def test_keep_alive_is_sent_once_per_interval_after_the_acknowledgement() -> None:
    silent = connection(keep_alive_seconds=60)
    assert silent.tick(1000.0) == []
    subject = ready(keep_alive_seconds=60)
    assert subject.next_deadline() == 60.0
    assert subject.tick(59.9) == []
    assert sent(subject.tick(60.0)) == [{"type": "ka"}]
    assert subject.tick(60.1) == []
    assert subject.next_deadline() == 120.0


def test_a_connection_ends_after_its_lifetime() -> None:
    subject = ready(keep_alive_seconds=60, lifetime_seconds=100)
    subscribe(subject, "1")
    subject.tick(60.0)
    assert subject.next_deadline() == 100.0
    removed, close = subject.tick(100.0)
    assert removed == RemoveSubscription("1", parse_channel("/ns/a"))
    assert close == Close(1001, "connection lifetime reached")
    assert subject.tick(200.0) == []


def test_operations_that_finish_after_the_close_send_nothing() -> None:
    subject = ready()
    first, second = begin(subject, "subscribe", "1"), begin(subject, "publish", "2", events=["1"])
    subject.authorized(first, None)
    subject.end(1000, "gone")
    assert subject.subscribed(first) == []
    assert subject.authorized(second, None) == []
    assert subject.published(second, {}) == []
    assert subject.refused(second, unauthorized("no")) == []
    assert dict(subject.subscriptions) == {}


def test_dropped_subscription_is_unknown_afterwards() -> None:
    subject = ready()
    subscribe(subject, "1")
    subject.drop_subscriptions(["1"])
    assert sent(give(subject, type="unsubscribe", id="1"))[0]["errors"][0]["errorType"] == "UnknownOperationError"
