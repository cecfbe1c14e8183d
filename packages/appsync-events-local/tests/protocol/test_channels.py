"""Channel grammar, wildcard matching and the subscription index."""

import re
import string

import pytest
from appsync_events_local.errors import Refusal
from appsync_events_local.protocol.channels import Channel, SubscriptionIndex, parse_channel, parse_subscription
from hypothesis import given, settings
from hypothesis import strategies as st
from service_harness.channel_matching import covers_by_text

ALPHANUMERIC = string.ascii_letters + string.digits
# AWS's own grammar, written as one expression, independently of the parser.
AWS_CHANNEL = re.compile(
    r"^/?[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?(?:/[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?){0,4}/?\Z"
)
# The documented wildcards of subscriptions, written independently of the parser as well.
AWS_WILDCARD = re.compile(
    r"^/?[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?(?:/[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?){0,3}/\*/?\Z"
)
NEARLY = st.lists(st.sampled_from(["a", "B-9", "*", "", "-", "a-", "x" * 50, "x" * 51, "_"]), max_size=7).map("/".join)
SEGMENTS = st.from_regex(r"[ab](?:-?[ab]){0,2}", fullmatch=True)
CHANNELS = st.lists(SEGMENTS, min_size=1, max_size=5)


def accepted(parse: object, text: str) -> bool:
    try:
        parse(text)  # type: ignore[operator]
    except Refusal:
        return False
    return True


@settings(deadline=None)
@given(st.text(alphabet=ALPHANUMERIC + "-/_.* \n", max_size=60) | NEARLY)
def test_a_channel_is_accepted_exactly_when_the_documented_expression_matches(text: str) -> None:
    assert accepted(parse_channel, text) == (AWS_CHANNEL.match(text) is not None)


@settings(deadline=None)
@given(st.text(alphabet="aB9-/*_ ", max_size=20) | NEARLY)
def test_a_subscription_may_name_a_channel_or_the_documented_wildcard_and_nothing_else(text: str) -> None:
    documented = AWS_CHANNEL.match(text) is not None or AWS_WILDCARD.match(text) is not None
    assert accepted(parse_subscription, text) == documented


@settings(deadline=None)
@given(CHANNELS, st.booleans(), CHANNELS, st.sampled_from(["{}", "/{}", "{}/", "/{}/"]))
def test_channel_matching_agrees_with_an_independent_text_comparison(
    subscribed: list[str], wildcard: bool, published: list[str], slashes: str
) -> None:
    target = slashes.format("/".join([*subscribed[:4], "*"] if wildcard else subscribed))
    channel = slashes.format("/".join(published))
    reached = parse_subscription(target).covers(parse_channel(channel))
    assert reached == covers_by_text(target, channel)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "//",
        "a//b",
        "/a/b/c/d/e/f",
        "a" * 51,
        "-a",
        "a-",
        "a_b",
        "a.b",
        "a b",
        "ä",
        "a%2Fb",
        "/a\n",
        "a/*",
        "*",
    ],
)
def test_channel_outside_the_grammar_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="Invalid Channel Format"):
        parse_channel(text)


@pytest.mark.parametrize("text", ["/*", "*", "a/*/b", "a/b*", "a/**", "a/*b", "/a/b/c/d/e/*", "a/*/*", "*/a"])
def test_a_wildcard_is_only_the_whole_last_segment_below_a_namespace(text: str) -> None:
    with pytest.raises(Refusal, match="Invalid Channel Format"):
        parse_subscription(text)


@pytest.mark.parametrize(
    ("text", "path", "segments"),
    [
        ("news", "/news", ("news",)),
        ("/news/", "/news", ("news",)),
        ("/a/b-c/D9", "/a/b-c/D9", ("a", "b-c", "D9")),
        ("a/" + "x" * 50, "/a/" + "x" * 50, ("a", "x" * 50)),
    ],
)
def test_outer_slashes_are_ignored_and_case_is_significant(text: str, path: str, segments: tuple[str, ...]) -> None:
    channel = parse_channel(text)
    assert (channel.path, channel.segments) == (path, segments)
    assert channel != parse_channel(text.swapcase())


@pytest.mark.parametrize(
    ("subscribed", "published", "received"),
    [
        ("/ns/a", "/ns/a", True),
        ("/ns/a", "/ns/a/b", False),
        ("/ns/a", "/ns/A", False),
        ("/ns/*", "/ns/a", True),
        ("/ns/*", "/ns/a/b/c/d", True),
        ("/ns/*", "/ns", False),
        ("/ns/*", "/nsx/a", False),
        ("/ns/a/*", "/ns/a/b", True),
        ("/ns/a/*", "/ns/ab", False),
        ("/ns/a/*", "/ns/a", False),
        ("/a/b/c/d/*", "/a/b/c/d/e", True),
    ],
)
def test_wildcard_covers_every_deeper_channel_and_no_other(subscribed: str, published: str, received: bool) -> None:
    index: SubscriptionIndex[str] = SubscriptionIndex()
    index.add(parse_subscription(subscribed), "k")
    assert list(index.subscribers(parse_channel(published))) == (["k"] if received else [])
    assert parse_subscription(subscribed).covers(parse_channel(published)) is received


@settings(deadline=None)
@given(
    st.lists(st.tuples(CHANNELS, st.booleans()), max_size=12),
    st.lists(st.integers(min_value=0, max_value=11), max_size=8),
    CHANNELS,
)
def test_index_finds_exactly_the_subscriptions_that_cover_the_published_channel(
    subscriptions: list[tuple[list[str], bool]], removed: list[int], published: list[str]
) -> None:
    channels = {
        key: Channel((*segments[:4], "*") if wildcard else tuple(segments))
        for key, (segments, wildcard) in enumerate(subscriptions)
    }
    index: SubscriptionIndex[int] = SubscriptionIndex()
    for key, channel in channels.items():
        index.add(channel, key)
    for key in removed:
        if key in channels:
            index.remove(channels.pop(key), key)
    target = Channel(tuple(published))
    assert sorted(index.subscribers(target)) == [k for k, channel in channels.items() if channel.covers(target)]


def test_removing_an_unknown_subscription_changes_nothing() -> None:
    index: SubscriptionIndex[str] = SubscriptionIndex()
    index.remove(parse_subscription("/a/*"), "unknown")
    index.add(parse_subscription("/a/*"), "k")
    index.remove(parse_subscription("/a/*"), "unknown")
    index.remove(parse_subscription("/a/b"), "k")
    assert list(index.subscribers(parse_channel("/a/b"))) == ["k"]
