"""Rows about the channel grammar, for every operation that names a channel, and about wildcards."""

from conformance_suite.frames import (
    INVALID_CHANNEL,
    connected,
    data,
    expect,
    publish,
    published,
    refused,
    subscribe,
    subscribed,
    success,
)
from conformance_suite.table import ANYTHING, NOT_2XX, Post, Row, Silence, document, row

LONGEST = "x" * 50
GOOD: tuple[tuple[str, str], ...] = (
    ("the-namespace-alone", "/open"),
    ("without-slashes", "open/a"),
    ("with-both-slashes", "/open/a/"),
    ("of-five-segments", "/open/a/b/c/d"),
    ("with-a-dash-inside", "/open/a-b--c"),
    ("with-digits-and-capitals", "/open/0A9z"),
    ("with-a-segment-of-50", f"/open/{LONGEST}"),
    ("with-a-uuid", "/open/0f8fad5b-d9cb-469f-a165-70867728950e"),
)
BAD: tuple[tuple[str, str], ...] = (
    ("empty", ""),
    ("only-a-slash", "/"),
    ("with-an-empty-segment", "/open//a"),
    ("with-two-slashes-first", "//open/a"),
    ("with-two-slashes-last", "/open/a//"),
    ("of-six-segments", "/open/a/b/c/d/e"),
    ("with-a-segment-of-51", f"/open/{LONGEST}x"),
    ("with-a-dash-first", "/open/-a"),
    ("with-a-dash-last", "/open/a-"),
    ("with-an-underscore", "/open/a_b"),
    ("with-a-dot", "/open/a.b"),
    ("with-a-colon", "/open/a:b"),
    ("with-an-at", "/open/a@b"),
    ("with-a-percent", "/open/a%20b"),
    ("with-a-blank", "/open/a b"),
    ("with-a-line-end", "/open/a\n"),
    ("not-ascii", "/open/ä"),
)
BAD_WILDCARDS: tuple[tuple[str, str], ...] = (
    ("in-the-middle", "/open/*/a"),
    ("within-a-segment", "/open/a*"),
    ("doubled", "/open/**"),
    ("twice", "/open/*/*"),
    ("as-the-sixth-segment", "/open/a/b/c/d/*"),
)
COVERS: tuple[tuple[str, str, str], ...] = (
    ("the-next-level", "/open/*", "/open/a"),
    ("two-levels-down", "/open/*", "/open/a/b"),
    ("every-level", "/open/*", "/open/a/b/c/d"),
    ("below-a-segment", "/open/a/*", "/open/a/b"),
    ("the-last-level", "/open/a/b/c/*", "/open/a/b/c/d"),
    ("the-same", "/open/a", "open/a/"),
    ("the-namespace-itself", "/open", "/open"),
)
COVERS_NOT: tuple[tuple[str, str, str], ...] = (
    ("another-namespace", "/open/*", "/open2/a"),
    ("another-segment", "/open/a/*", "/open/ab/c"),
    ("a-deeper-channel", "/open/a", "/open/a/b"),
    ("another-case", "/open/a", "/open/A"),
)

CHANNEL_ROWS: tuple[Row, ...] = (
    *(row(f"subscribe-{name}", "channel-grammar", *connected(), *subscribed(channel)) for name, channel in GOOD),
    *(
        row(f"publish-{name}", "channel-grammar", *connected(), publish(channel, "1"), expect(published(0)))
        for name, channel in GOOD
    ),
    *(row(f"post-{name}", "channel-grammar leading-slash", Post(channel)) for name, channel in GOOD),
    *(
        row(f"subscribe-{name}", "channel-grammar bad-request", *connected(), subscribe(channel),
            expect(refused("subscribe", "s", "BadRequestException", INVALID_CHANNEL)))
        for name, channel in BAD
    ),
    *(
        row(f"publish-{name}", "channel-grammar bad-request", *connected(), publish(channel, "1"),
            expect(refused("publish", "p", "BadRequestException", INVALID_CHANNEL)))
        for name, channel in BAD
    ),
    *(row(f"post-{name}", "channel-grammar http-limits", Post(channel, status=NOT_2XX)) for name, channel in BAD),
    *(
        row(f"post-{name}-status", "channel-grammar http-limits", Post(channel, status=400),
            assumption="bad-channel-status")
        for name, channel in BAD
    ),
    *(
        row(f"wildcard-{name}", "wildcard-place", *connected(), subscribe(channel),
            expect(refused("subscribe", "s", "BadRequestException", INVALID_CHANNEL)))
        for name, channel in BAD_WILDCARDS
    ),
    row("wildcard-over-all-namespaces", "wildcard-bare", *connected(), subscribe("/*"),
        expect(refused("subscribe", "s", "BadRequestException", INVALID_CHANNEL)), assumption="bare-wildcard"),
    row("wildcard-published", "wildcard-publish", *connected(), publish("/open/*", "1"),
        expect(refused("publish", "p", "BadRequestException", INVALID_CHANNEL)), assumption="publish-wildcard"),
    row("wildcard-posted", "wildcard-publish", Post("/open/*", status=400), assumption="publish-wildcard"),
    *(
        row(f"covers-{name}", "wildcard-levels", *connected(), *connected(on="b"), *subscribed(to, on="b"),
            publish(channel, "1"), expect(published(0)), expect(data("1"), on="b"))
        for name, to, channel in COVERS
    ),
    *(
        row(f"covers-not-{name}", "wildcard-levels case-sensitive", *connected(), *connected(on="b"),
            *subscribed(to, on="b"), publish(channel, "1"), expect(published(0)), Silence("b"))
        for name, to, channel in COVERS_NOT
    ),
    row("covers-not-its-own-parent", "wildcard-self", *connected(), *connected(on="b"),
        *subscribed("/open/*", on="b"), publish("/open", "1"), expect(published(0)), Silence("b"),
        assumption="wildcard-self"),
    row("two-subscriptions-two-frames", "one-frame-per-subscription", *connected(), *subscribed("/open/*", "all"),
        *subscribed("/open/a", "one"), publish("/open/a", "1"),
        expect(published(0), data("1", "all"), data("1", "one")), assumption="two-subscriptions"),
    row("one-frame-per-event", "one-frame-per-event event-is-text", *connected(), *subscribed("/open/a"),
        publish("/open/a", "1", '{"a":[2]}', '"3"'),
        expect(published(0, 1, 2), data(document(1)), data(document({"a": [2]})), data(document("3")))),
    row("publisher-receives-its-own-event", "echo", *connected(), *subscribed("/open/a"), publish("/open/a", "1"),
        expect(published(0), data("1")), observed=True),
    row("every-subscriber-receives-the-event", "broadcast", *connected(), *connected(on="b"), *connected(on="c"),
        *subscribed("/open/a", on="b"), *subscribed("/open/*", "w", on="c"), publish("/open/a", "1"),
        expect(published(0)), expect(data("1"), on="b"), expect(data("1", "w"), on="c")),
    row("no-history", "no-history", *connected(), publish("/open/a", "1"), expect(published(0)),
        *subscribed("/open/a"), Silence()),
    row("event-text-is-unchanged", "event-is-text", *connected(), *subscribed("/open/a"),
        publish("/open/a", '{ "n": 1.50, "t": "\\u20ac€\\ud83d\\ude00" }'),
        expect(published(0), data('{ "n": 1.50, "t": "\\u20ac€\\ud83d\\ude00" }')), assumption="verbatim"),
    row("unicode", "event-is-text", *connected(), *subscribed("/open/a"), publish("/open/a", '"über 😀 \\" \\\\"'),
        expect(published(0), data(document('über 😀 " \\')))),
    row("signed-wildcard", "iam-body wildcard-place", *connected(), *subscribed("/open/*"),
        publish("/open/a", "1"), expect(published(0), data(ANYTHING))),
    row("subscribe-wildcard", "wildcard-place", *connected(), subscribe("/open/a/*"), expect(success("subscribe"))),
)  # fmt: skip
