"""Subscribing and unsubscribing: ids, credentials, the namespace's onSubscribe, limits, and what arrives."""

from conformance_suite.frames import (
    INVALID_CHANNEL,
    NOT_AUTHORIZED,
    comes,
    connected,
    data,
    publish,
    published,
    refused,
    subscribe,
    subscribed,
    success,
    unsubscribe,
)
from conformance_suite.table import TEXT, As, Expect, Post, Row, Send, Silence, Step, document, row

BAD_REQUEST = "BadRequestException"
UNAUTHORIZED = "UnauthorizedException"
LIMIT = 200


def _many() -> tuple[Step, ...]:
    steps: list[Step] = []
    for number in range(LIMIT):
        steps += subscribed(f"/open/c{number}", f"s{number}")
    return tuple(steps)


def _told(channel: str, path: str, *segments: str) -> Expect:
    info = {
        "channel": {"path": path, "segments": list(segments)},
        "channelNamespace": {"name": "js"},
        "operation": "SUBSCRIBE",
    }
    return comes(refused("subscribe", "s", "Told", document(info)))


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
        subscribe("/open/a", by=As.SIGNER), comes(success("subscribe"))),
    *(
        row(f"id-{name}", "id-grammar", *connected(), subscribe("/open/a", id), comes(success("subscribe", id)))
        for name, id, good in IDS if good
    ),
    *(
        row(f"id-{name}", "id-grammar", *connected(), subscribe("/open/a", id),
            comes(refused("subscribe", id, BAD_REQUEST)), choice="bad-operation-id")
        for name, id, good in IDS if not good
    ),
    row("no-id", "id-grammar", *connected(), Send({"type": "subscribe", "channel": "/open/a"}, As.KEY),
        comes({"type": "subscribe_error", "errors": [{"errorType": BAD_REQUEST, "message": TEXT}]}),
        choice="bad-operation-id"),
    row("same-id-twice", "id-unique duplicate", *connected(), *subscribed("/open/a"), subscribe("/open/b"),
        comes(refused("subscribe", "s", "DuplicatedOperationError")), choice="duplicate-id"),
    row("same-id-after-unsubscribing", "id-unique unsubscribe", *connected(), *subscribed("/open/a"),
        unsubscribe(), comes(success("unsubscribe")), *subscribed("/open/b")),
    row("same-id-on-another-connection", "id-unique", *connected(), *connected(on="b"),
        *subscribed("/open/a"), *subscribed("/open/a", on="b")),
    row("no-channel", "subscribe bad-request", *connected(), Send({"type": "subscribe", "id": "s"}, As.KEY),
        comes(refused("subscribe", "s", BAD_REQUEST)), choice="incomplete-frame"),
    row("unknown-namespace", "unknown-namespace", *connected(), subscribe("/nowhere/a"),
        comes(refused("subscribe", "s", "NotFoundException")), choice="unknown-namespace"),
    row("subscribe-with-a-wrong-key", "auth-each-frame subscribe-error unauthorized", *connected(),
        subscribe("/open/a", by=As.WRONG_KEY), comes(refused("subscribe", "s", UNAUTHORIZED, NOT_AUTHORIZED))),
    row("subscribe-with-nothing", "auth-each-frame unauthorized", *connected(),
        Send({"type": "subscribe", "id": "s", "channel": "/open/a"}),
        comes(refused("subscribe", "s", UNAUTHORIZED, NOT_AUTHORIZED))),
    row("subscribe-with-a-signature-of-another-channel", "iam-body", *connected(),
        subscribe("/open/a", by=As.SIGNER_OF_SOMETHING_ELSE), comes(refused("subscribe", "s", UNAUTHORIZED))),
    row("subscribe-with-a-mode-not-allowed", "namespace-modes modes-differ", *connected(),
        subscribe("/signed/a"), comes(refused("subscribe", "s", UNAUTHORIZED))),
    row("subscribe-with-the-mode-allowed", "namespace-modes modes-differ", *connected(),
        subscribe("/signed/a", by=As.SIGNER), comes(success("subscribe"))),
    row("frames-need-no-host", "host-required", *connected(), subscribe("/open/a", by=As.KEY_WITHOUT_HOST),
        comes(success("subscribe"))),
    row("credentials-before-the-id", "check-order", *connected(), *subscribed("/open/a"),
        subscribe("/open/b", by=As.WRONG_KEY), comes(refused("subscribe", "s", UNAUTHORIZED)), choice="check-order"),
    row("syntax-before-credentials", "check-order", *connected(),
        subscribe("/open/*/a", by=As.WRONG_KEY), comes(refused("subscribe", "s", BAD_REQUEST, INVALID_CHANNEL)),
        choice="check-order"),
    row("unknown-fields", "unknown-fields", *connected(),
        subscribe("/open/a", payload={"channel": "/open/b"}, extensions=[1]), comes(success("subscribe"))),
    row("a-refused-subscription-leaves-the-rest", "subscribe-error", *connected(), *subscribed("/open/a"),
        subscribe("/open/b", "t", As.WRONG_KEY), comes(refused("subscribe", "t", UNAUTHORIZED)),
        Post(), comes(data("1"))),
    row("handler-error", "on-subscribe subscribe-error", *connected(), subscribe("/js/error"),
        comes(refused("subscribe", "s", "Custom8", "not here"))),
    row("handler-error-untyped", "on-subscribe", *connected(), subscribe("/js/plain-error"),
        comes(refused("subscribe", "s", "Custom", "not here")), choice="handler-error-type"),
    row("handler-unauthorized", "on-subscribe handler-unauthorized", *connected(), subscribe("/js/unauthorized"),
        comes(refused("subscribe", "s", "Unauthorized"))),
    row("handler-crash", "on-subscribe processing-error", *connected(), subscribe("/js/crash"),
        comes(refused("subscribe", "s", "SubscriptionProcessingError", "There was an error processing the operation")),
        choice="handler-crash"),
    row("refused-by-the-handler-is-free", "on-subscribe id-unique", *connected(), subscribe("/js/error"),
        comes(refused("subscribe", "s", "Custom8")), *subscribed("/js/a")),
    row("handler-return-value", "on-subscribe", *connected(), *subscribed("/js/a")),
    row("handler-sees-the-channel", "context-info channel-path", *connected(), subscribe("js/told/b/"),
        _told("js/told/b/", "/js/told/b", "js", "told", "b")),
    row("handler-sees-the-wildcard", "wildcard-literal", *connected(), subscribe("/js/told/*"),
        _told("/js/told/*", "/js/told/*", "js", "told", "*")),
    row("200-subscriptions", "subscriptions-limit", *connected(), *_many()),
    row("201-subscriptions", "subscriptions-limit", *connected(), *_many(), subscribe("/open/beyond", "beyond"),
        comes(refused("subscribe", "beyond", "MaxSubscriptionsReachedError")), unsubscribe("s7"),
        comes(success("unsubscribe", "s7")), *subscribed("/open/beyond", "beyond"), choice="max-subscriptions"),
    row("unsubscribe", "unsubscribe unsubscribe-success", *connected(), *subscribed("/open/a"),
        unsubscribe(), comes(success("unsubscribe"))),
    row("unsubscribe-the-unknown", "unsubscribe-error", *connected(), unsubscribe("never"),
        comes(refused("unsubscribe", "never", "UnknownOperationError", "Unknown operation id never"))),
    row("unsubscribe-twice", "unsubscribe-error", *connected(), *subscribed("/open/a"), unsubscribe(),
        comes(success("unsubscribe")), unsubscribe(),
        comes(refused("unsubscribe", "s", "UnknownOperationError", "Unknown operation id s"))),
    row("unsubscribe-early", "early-unsubscribe", *connected(),
        subscribe("/open/a"), unsubscribe(), comes(success("subscribe")), Silence(), choice="early-unsubscribe",
        never="service aws"),
    row("unsubscribed-gets-nothing", "unsubscribe", *connected(), *subscribed("/open/a"),
        *subscribed("/open/b", "t"), unsubscribe(), comes(success("unsubscribe")),
        Post("/open/a", ("1",)), Post("/open/b", ("2",)), comes(data("2", "t"))),
    row("unsubscribed-gets-nothing-over-the-socket", "unsubscribe", *connected(), *subscribed("/open/a"),
        unsubscribe(), comes(success("unsubscribe")), publish("/open/a", "1"), comes(published(0)), Silence()),
)  # fmt: skip
