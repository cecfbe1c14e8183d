"""Rows about publishing over the socket and over HTTP: batches, sizes, rates, credentials and handlers."""

from typing import Any

from conformance_suite.frames import (
    NOT_AUTHORIZED,
    body,
    connected,
    data,
    error,
    expect,
    http_result,
    publish,
    published,
    refused,
    subscribed,
    too_large,
)
from conformance_suite.table import NOT_2XX, TEXT, UUID, Credentials, Post, Row, Silence, Step, document, row

BAD_REQUEST = "BadRequestException"
UNAUTHORIZED = "UnauthorizedException"
KIB = 1024
LARGEST = '"' + "x" * (240 * KIB - 2) + '"'
TOO_LARGE = '"' + "x" * (240 * KIB - 1) + '"'
RATE = 25


def _burst(count: int) -> tuple[Step, ...]:
    return tuple(publish("/open/a", "1", id=f"p{number}") for number in range(count))


def _both(
    name: str,
    facts: str,
    events: tuple[Any, ...],
    kind: str,
    status: Any,
    *,
    channel: str = "/open/a",
    by: Credentials = Credentials.API_KEY,
    message: Any = TEXT,
    socket_kind: str | None = None,
    assumption: str | None = None,
    status_assumption: str | None = None,
) -> tuple[Row, ...]:
    """A refused publish, over the socket and over HTTP; nothing is broadcast.

    Args:
        socket_kind: the error type over the socket, if it differs.
        status_assumption: the assumption, if only the HTTP status is one.
    """
    return (
        row(f"publish-{name}", facts, *connected(), *subscribed("/open/*"), publish(channel, *events, by=by),
            expect(refused("publish", "p", socket_kind or kind, message)), Silence(), assumption=assumption),
        row(f"post-{name}", facts, *connected(), *subscribed("/open/*"),
            Post(channel, events, by, status=status, answer=body(kind, message)), Silence(),
            assumption=assumption or status_assumption),
    )  # fmt: skip


def _handler(event: str, facts: str, frame: Any, *out: dict[str, Any], assumption: str | None = None) -> Row:
    """One event to the namespace with handlers: the answer and the broadcast frames."""
    name = event.replace(" ", "-")
    return row(f"handler-returns-{name}", f"on-publish {facts}", *connected(), *subscribed("/js/a"),
               publish("/js/a", f'"{event}"'), expect(frame, *out), Silence(), assumption=assumption)  # fmt: skip


SOCKET_ROWS: tuple[Row, ...] = (
    row("publish", "publish publish-success publish-without-subscription", *connected(), publish("/open/a", "1"),
        expect(published(0))),
    row("publish-signed", "auth-iam iam-body", *connected(), publish("/signed/a", '{"a":1}', by=Credentials.SIGNATURE),
        expect(published(0))),
    row("publish-five", "five-events one-frame-per-event", *connected(), *subscribed("/open/a"),
        publish("/open/a", *"12345"), expect(published(0, 1, 2, 3, 4), *(data(number) for number in "12345"))),
    row("publish-again", "publish", *connected(), publish("/open/a", "1"), expect(published(0)),
        publish("/open/a", "2"), expect(published(0))),
    row("publish-id-of-a-subscription", "id-unique", *connected(), *subscribed("/open/b", "x"),
        publish("/open/a", "1", id="x"), expect(published(0, id="x")), assumption="publish-id"),
    row("publish-unknown-fields", "unknown-fields", *connected(),
        publish("/open/a", "1", payload={"events": ["2"], "channel": "/open/b"}), expect(published(0))),
    row("publish-without-events", "five-events", *connected(), publish("/open/a"),
        expect(refused("publish", "p", BAD_REQUEST)), assumption="too-many-events"),
    row("publish-25-a-second", "publish-rate", *connected(), *_burst(RATE),
        expect(*(published(0, id=f"p{number}") for number in range(RATE)))),
    row("publish-faster", "publish-rate throttled", *connected(), *_burst(2 * RATE),
        expect(*(published(0, id=f"p{number}") for number in range(RATE)),
              *(refused("publish", f"p{number}", "LimitExceededException") for number in range(RATE, 2 * RATE))),
        assumption="publish-rate", excluded="service aws"),
    row("publish-largest", "event-size", *connected(), *subscribed("/open/a"), publish("/open/a", LARGEST),
        expect(published(0), data(LARGEST)), assumption="event-size-base"),
    row("publish-too-large", "event-size too-large", *connected(), *subscribed("/open/a"),
        publish("/open/a", "1", TOO_LARGE, "2"),
        expect(published(0, 2, failed=(too_large(1),)), data("1"), data("2")), assumption="event-size-base"),
    row("publish-far-too-large", "event-size too-large", *connected(),
        publish("/open/a", '"' + "x" * 250_000 + '"'), expect(published(failed=(too_large(0),))), observed=True),
    row("publish-five-largest", "request-size five-events", *connected(), publish("/open/a", *[LARGEST] * 5),
        expect(published(0, 1, 2, 3, 4)), assumption="request-size"),
    row("publish-too-much", "request-size", *connected(), publish("/open/a", *['"' + "x" * 255_000 + '"'] * 5),
        expect(refused("publish", "p", BAD_REQUEST)), assumption="request-size"),
    row("publish-large-after-the-handler", "event-size-after-handler", *connected(),
        publish("/js/a", '"' + "x" * 130_000 + '"'), expect(published(failed=(too_large(0),)))),
)  # fmt: skip

REFUSED_ROWS: tuple[Row, ...] = (
    *_both("six", "five-events http-limits", ("1",) * 6, BAD_REQUEST, 400, assumption="too-many-events"),
    *_both("no-text", "publish", ({"a": 1},), BAD_REQUEST, 400, assumption="bad-event"),
    *_both("no-json", "publish", ("{",), BAD_REQUEST, 400, assumption="bad-event"),
    *_both("nan", "publish", ("NaN",), BAD_REQUEST, 400, assumption="bad-event"),
    *_both("one-of-them-no-json", "publish", ("1", "", "2"), BAD_REQUEST, 400, assumption="bad-event"),
    *_both("unknown-namespace", "unknown-namespace http-limits", ("1",), "NotFoundException", 404,
           channel="/nowhere/a", assumption="unknown-namespace"),
    *_both("wrong-key", "auth-each-frame unauthorized http-unauthorized", ("1",), UNAUTHORIZED, 401,
           by=Credentials.WRONG_API_KEY, message=NOT_AUTHORIZED),
    *_both("no-credentials", "auth-each-frame unauthorized http-unauthorized", ("1",), UNAUTHORIZED, 401,
           by=Credentials.NONE, message=NOT_AUTHORIZED),
    *_both("signature-of-something-else", "iam-body", ("1",), UNAUTHORIZED, 401, by=Credentials.SIGNATURE_OF_OTHER_TEXT,
           status_assumption="mode-not-allowed"),
    *_both("mode-not-allowed", "namespace-modes http-mode", ("1",), UNAUTHORIZED, 401, channel="/signed/a",
           status_assumption="mode-not-allowed"),
    *_both("handler-error", "on-publish util-error", ('"error"',), "Custom7", 403, channel="/js/a",
           message="not today"),
    *_both("handler-error-untyped", "on-publish util-error", ('"plain error"',), "Custom", 403, channel="/js/a",
           message="not today", assumption="handler-error-type"),
    *_both("handler-unauthorized", "on-publish util-unauthorized", ('"unauthorized"',), UNAUTHORIZED, 401,
           channel="/js/a"),
    *_both("handler-crash", "on-publish processing-error http-crash", ('"crash"',), "InternalFailureException", 500,
           channel="/js/a", socket_kind="MessageProcessingError", assumption="handler-crash",
           message="There was an error processing the message"),
    *_both("handler-unknown-id", "on-publish handler-ids", ('"unknown id"',), "InternalFailureException", 500,
           channel="/js/a", socket_kind="MessageProcessingError", assumption="handler-crash"),
    *_both("handler-same-id", "on-publish handler-ids", ('"same id"',), "InternalFailureException", 500,
           channel="/js/a", socket_kind="MessageProcessingError", assumption="handler-crash"),
)  # fmt: skip

FAILED = {"code": "HandlerError", "identifier": UUID, "index": 1, "message": "refused"}
HANDLER_ROWS: tuple[Row, ...] = (
    row("handler-decides", "on-publish handler-list handler-drops", *connected(), *subscribed("/js/a"),
        publish("/js/a", "1", '"drop"', "2"),
        expect(published(0, 2), data(document([1, 1])), data(document([2, 2]))), assumption="dropped-items"),
    row("handler-fails-one", "on-publish handler-item-error http-handler-item", *connected(), *subscribed("/js/a"),
        publish("/js/a", "1", '"fail"', "2"),
        expect(published(0, 2, failed=(FAILED,)), data(document([1, 1])), data(document([2, 2]))),
        assumption="failed-code"),
    row("post-handler-fails-one", "http-handler-item http-handler-drop",
        Post("/js/a", ("1", '"fail"', '"drop"'), answer=http_result(0, failed=(FAILED,))), assumption="failed-code"),
    _handler("null", "handler-null", published(), assumption="null-publish"),
    _handler("none", "handler-list", published(), assumption="dropped-items"),
    _handler("holes", "handler-holes", published(0), data(document("kept"))),
    _handler("null error", "handler-item-error", published(0), data(document("kept"))),
    _handler("no payload", "handler-payload", published(0), data("null"), assumption="missing-payload"),
    _handler("context", "context-info identity-key", published(0), data(document({
        "identity": None,
        "info": {
            "channel": {"path": "/js/a", "segments": ["js", "a"]},
            "channelNamespace": {"name": "js"},
            "operation": "PUBLISH",
        },
    }))),
    row("handler-reverses-the-list", "handler-list", *connected(), *subscribed("/js/a"),
        publish("/js/a", '"reversed"', "1"), expect(published(0, 1), data("0"), data("1"))),
    row("plain-namespace-forwards", "no-handler", *connected(), *subscribed("/open/a"), publish("/open/a", '"drop"'),
        expect(published(0), data('"drop"'))),
    row("handler-also-decides-http-publishes", "on-publish", *connected(), *subscribed("/js/a"),
        Post("/js/a", ("1",)), expect(data(document([1, 1])))),
)  # fmt: skip

BAD_BODIES: tuple[tuple[str, str | bytes], ...] = (
    ("empty", ""),
    ("no-json", "{"),
    ("no-object", "[]"),
    ("no-utf8", b"\xff"),
    ("nothing", "{}"),
    ("channel-no-text", '{"channel":7,"events":["1"]}'),
    ("no-events", '{"channel":"/open/a"}'),
    ("events-no-list", '{"channel":"/open/a","events":"1"}'),
    ("events-empty", '{"channel":"/open/a","events":[]}'),
)
HTTP_ROWS: tuple[Row, ...] = (
    row("post", "http-publish http-accepted", *connected(), *subscribed("/open/a"),
        Post(answer=http_result(0)), expect(data("1")), observed=True),
    row("post-five", "http-accepted five-events", Post(events=("1",) * 5, answer=http_result(0, 1, 2, 3, 4))),
    row("post-without-slash", "leading-slash", *connected(), *subscribed("/open/a"), Post("open/a"),
        expect(data("1"))),
    row("post-signed", "auth-iam", Post("/signed/a", by=Credentials.SIGNATURE)),
    row("post-credentials-case", "authorization-case", Post(by=Credentials.API_KEY_IN_UPPER_CASE)),
    row("post-far-too-large", "http-too-large too-large",
        Post(events=('"' + "x" * 250_000 + '"', "1"), answer=http_result(1, failed=(too_large(0),))), observed=True),
    row("post-request-id", "response-headers", Post(headers={"x-amzn-RequestId": UUID}), observed=True),
    row("post-cors", "cors", Post(headers={"Access-Control-Allow-Origin": TEXT}), assumption="cors"),
    row("post-is-json", "http-accepted", Post(headers={"content-type": TEXT}, answer=http_result(0))),
    row("post-refused-with-errors", "http-limits",
        Post(events=("1",) * 6, status=NOT_2XX, answer={"errors": [error(TEXT)]}), observed=True),
    row("post-unknown-field", "unknown-fields",
        Post(body='{"channel":"/open/a","events":["1"],"more":{}}', answer=http_result(0))),
    *(
        row(f"post-body-{name}", "http-publish", Post(body=text, status=400, answer=body(BAD_REQUEST)),
            assumption="bad-body")
        for name, text in BAD_BODIES
    ),
    row("post-and-socket-agree", "http-publish publish", *connected(), *subscribed("/open/*", "w"),
        Post("/open/a", ("1",)), expect(data("1", "w")), publish("/open/b", "2"),
        expect(published(0), data("2", "w"))),
    row("post-without-subscribers", "http-accepted", Post("/open2/empty", answer=http_result(0))),
    row("socket-outlives-a-refused-post", "http-unauthorized", *connected(), *subscribed("/open/a"),
        Post(by=Credentials.WRONG_API_KEY, status=401), publish("/open/a", "1"), expect(published(0), data("1"))),
    row("post-needs-no-connection", "http-publish", Post("/open/a", ('{"a":1}',)), *connected(),
        *subscribed("/open/a"), Silence(), Post("/open/a", ("7",)), expect(data("7"))),
)  # fmt: skip

PUBLISH_ROWS: tuple[Row, ...] = (*SOCKET_ROWS, *REFUSED_ROWS, *HANDLER_ROWS, *HTTP_ROWS)
