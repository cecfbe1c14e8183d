"""Rows about subscribing and unsubscribing: ids, credentials, onSubscribe, limits, and the events received."""

from conformance_suite.frames import (
    INVALID_CHANNEL,
    NOT_AUTHORIZED,
    connected,
    data,
    expect,
    publish,
    published,
    refused,
    subscribe,
    subscribed,
    success,
    unsubscribe,
)
from conformance_suite.table import TEXT, Credentials, Expect, Post, Row, Send, Silence, Step, document, row

BAD_REQUEST = "BadRequestException"
UNAUTHORIZED = "UnauthorizedException"
LIMIT = 200


def _many() -> tuple[Step, ...]:
    steps: list[Step] = []
    for number in range(LIMIT):
        steps += subscribed(f"/open/c{number}", f"s{number}")
    return tuple(steps)


def _context(path: str, *segments: str) -> Expect:
    info = {
        "channel": {"path": path, "segments": list(segments)},
        "channelNamespace": {"name": "js"},
        "operation": "SUBSCRIBE",
    }
    return expect(refused("subscribe", "s", "Context", document(info)))


IDS: tuple[tuple[str, str, bool], ...] = (
    ("of-one-character", "x", True),
    ("of-128-characters", "x" * 128, True),
    ("of-every-kind", "aZ09-_+", True),
    ("of-129-characters", "x" * 129, False),
    ("empty", "", False),
    ("with-a-blank", "a b", False),
    ("with-a-dot", "a.b", False),
    ("with-a-slash", "a/b", False),
    ("with-a-line-end", "a\n", False),
    ("not-ascii", "ä", False),
)

SUBSCRIBE_ROWS: tuple[Row, ...] = (
    row("subscribe", "subscribe subscribe-success", *connected(), *subscribed("/open/a")),
    row("subscribe-signed", "auth-iam iam-body auth-each-frame", *connected(),
        subscribe("/open/a", by=Credentials.SIGNATURE), expect(success("subscribe"))),
    *(
        row(f"id-{name}", "id-grammar", *connected(), subscribe("/open/a", id), expect(success("subscribe", id)))
        for name, id, good in IDS if good
    ),
    *(
        row(f"id-{name}", "id-grammar", *connected(), subscribe("/open/a", id),
            expect(refused("subscribe", id, BAD_REQUEST)), assumption="bad-operation-id")
        for name, id, good in IDS if not good
    ),
    row("no-id", "id-grammar", *connected(), Send({"type": "subscribe", "channel": "/open/a"}, Credentials.API_KEY),
        expect({"type": "subscribe_error", "errors": [{"errorType": BAD_REQUEST, "message": TEXT}]}),
        assumption="bad-operation-id"),
    row("same-id-twice", "id-unique duplicate", *connected(), *subscribed("/open/a"), subscribe("/open/b"),
        expect(refused("subscribe", "s", "DuplicatedOperationError")), assumption="duplicate-id"),
    row("same-id-after-unsubscribing", "id-unique unsubscribe", *connected(), *subscribed("/open/a"),
        unsubscribe(), expect(success("unsubscribe")), *subscribed("/open/b")),
    row("same-id-on-another-connection", "id-unique", *connected(), *connected(on="b"),
        *subscribed("/open/a"), *subscribed("/open/a", on="b")),
    row("no-channel", "subscribe bad-request", *connected(),
        Send({"type": "subscribe", "id": "s"}, Credentials.API_KEY),
        expect(refused("subscribe", "s", BAD_REQUEST)), assumption="incomplete-frame"),
    row("unknown-namespace", "unknown-namespace", *connected(), subscribe("/nowhere/a"),
        expect(refused("subscribe", "s", "NotFoundException")), assumption="unknown-namespace"),
    row("subscribe-with-a-wrong-key", "auth-each-frame subscribe-error unauthorized", *connected(),
        subscribe("/open/a", by=Credentials.WRONG_API_KEY),
        expect(refused("subscribe", "s", UNAUTHORIZED, NOT_AUTHORIZED))),
    row("subscribe-without-credentials", "auth-each-frame unauthorized", *connected(),
        Send({"type": "subscribe", "id": "s", "channel": "/open/a"}),
        expect(refused("subscribe", "s", UNAUTHORIZED, NOT_AUTHORIZED))),
    row("subscribe-with-a-signature-of-another-channel", "iam-body", *connected(),
        subscribe("/open/a", by=Credentials.SIGNATURE_OF_OTHER_TEXT), expect(refused("subscribe", "s", UNAUTHORIZED))),
    row("subscribe-with-a-mode-not-allowed", "namespace-modes modes-differ", *connected(),
        subscribe("/signed/a"), expect(refused("subscribe", "s", UNAUTHORIZED))),
    row("subscribe-with-the-mode-allowed", "namespace-modes modes-differ", *connected(),
        subscribe("/signed/a", by=Credentials.SIGNATURE), expect(success("subscribe"))),
    row("frames-need-no-host", "host-required", *connected(), subscribe("/open/a", by=Credentials.API_KEY_WITHOUT_HOST),
        expect(success("subscribe"))),
    row("credentials-before-the-id", "check-order", *connected(), *subscribed("/open/a"),
        subscribe("/open/b", by=Credentials.WRONG_API_KEY), expect(refused("subscribe", "s", UNAUTHORIZED)),
        assumption="check-order"),
    row("syntax-before-credentials", "check-order", *connected(),
        subscribe("/open/*/a", by=Credentials.WRONG_API_KEY),
        expect(refused("subscribe", "s", BAD_REQUEST, INVALID_CHANNEL)),
        assumption="check-order"),
    row("unknown-fields", "unknown-fields", *connected(),
        subscribe("/open/a", payload={"channel": "/open/b"}, extensions=[1]), expect(success("subscribe"))),
    row("a-refused-subscription-leaves-the-others", "subscribe-error", *connected(), *subscribed("/open/a"),
        subscribe("/open/b", "t", Credentials.WRONG_API_KEY), expect(refused("subscribe", "t", UNAUTHORIZED)),
        Post(), expect(data("1"))),
    row("handler-error", "on-subscribe subscribe-error", *connected(), subscribe("/js/error"),
        expect(refused("subscribe", "s", "Custom8", "not here"))),
    row("handler-error-untyped", "on-subscribe", *connected(), subscribe("/js/plain-error"),
        expect(refused("subscribe", "s", "Custom", "not here")), assumption="handler-error-type"),
    row("handler-unauthorized", "on-subscribe handler-unauthorized", *connected(), subscribe("/js/unauthorized"),
        expect(refused("subscribe", "s", "Unauthorized"))),
    row("handler-crash", "on-subscribe processing-error", *connected(), subscribe("/js/crash"),
        expect(refused("subscribe", "s", "SubscriptionProcessingError", "There was an error processing the operation")),
        assumption="handler-crash"),
    row("id-refused-by-the-handler-can-be-used-again", "on-subscribe id-unique", *connected(), subscribe("/js/error"),
        expect(refused("subscribe", "s", "Custom8")), *subscribed("/js/a")),
    row("handler-return-value", "on-subscribe", *connected(), *subscribed("/js/a")),
    row("handler-sees-the-channel", "context-info channel-path", *connected(), subscribe("js/context/b/"),
        _context("/js/context/b", "js", "context", "b")),
    row("handler-sees-the-wildcard", "wildcard-literal", *connected(), subscribe("/js/context/*"),
        _context("/js/context/*", "js", "context", "*")),
    row("200-subscriptions", "subscriptions-limit", *connected(), *_many()),
    row("201-subscriptions", "subscriptions-limit", *connected(), *_many(), subscribe("/open/beyond", "beyond"),
        expect(refused("subscribe", "beyond", "MaxSubscriptionsReachedError")), unsubscribe("s7"),
        expect(success("unsubscribe", "s7")), *subscribed("/open/beyond", "beyond"), assumption="max-subscriptions"),
    row("unsubscribe", "unsubscribe unsubscribe-success", *connected(), *subscribed("/open/a"),
        unsubscribe(), expect(success("unsubscribe"))),
    row("unsubscribe-unknown-id", "unsubscribe-error", *connected(), unsubscribe("never"),
        expect(refused("unsubscribe", "never", "UnknownOperationError", "Unknown operation id never"))),
    row("unsubscribe-twice", "unsubscribe-error", *connected(), *subscribed("/open/a"), unsubscribe(),
        expect(success("unsubscribe")), unsubscribe(),
        expect(refused("unsubscribe", "s", "UnknownOperationError", "Unknown operation id s"))),
    row("unsubscribe-early", "early-unsubscribe", *connected(),
        subscribe("/open/a"), unsubscribe(), expect(success("subscribe")), Silence(), assumption="early-unsubscribe",
        excluded="service aws"),
    row("no-event-after-unsubscribing", "unsubscribe", *connected(), *subscribed("/open/a"),
        *subscribed("/open/b", "t"), unsubscribe(), expect(success("unsubscribe")),
        Post("/open/a", ("1",)), Post("/open/b", ("2",)), expect(data("2", "t"))),
    row("no-event-of-a-socket-publish-after-unsubscribing", "unsubscribe", *connected(), *subscribed("/open/a"),
        unsubscribe(), expect(success("unsubscribe")), publish("/open/a", "1"), expect(published(0)), Silence()),
)  # fmt: skip
