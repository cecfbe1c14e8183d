"""The protocol core under any sequence of frames and decisions."""

import json
from collections import Counter
from typing import Any

from appsync_events_local import limits
from appsync_events_local.errors import unauthorized
from appsync_events_local.protocol.channels import Channel
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
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

KEEP_ALIVE, LIFETIME, RATE = 10, 100, 3
IDS = st.sampled_from(["a", "b", "c", "bad id", "x" * 129])
CHANNELS = st.sampled_from(["/ns/a", "ns/*", "/other/a", "/*", "", "/ns/a/b/c/d/e"])
JUNK = st.one_of(
    st.text(),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
        lambda children: st.lists(children) | st.dictionaries(st.sampled_from(["type", "id", "channel"]), children),
        max_leaves=5,
    ).map(json.dumps),
)


class ProtocolMachine(RuleBasedStateMachine):
    """Checks each answer and effect against a small model of the subscriptions."""

    @initialize()
    def open(self) -> None:
        self.now = 0.0
        self.subject = Connection(
            lambda name: name == "ns",
            self.now,
            keep_alive_seconds=KEEP_ALIVE,
            lifetime_seconds=LIFETIME,
            publishes_per_second=RATE,
        )
        self.alive_at: float | None = None
        self.unanswered: Counter[tuple[str, str]] = Counter()
        self.published_at: list[float] = []
        self.connecting = False
        self.waiting: list[Operation] = []
        self.called: list[Operation] = []
        self.subscribed: dict[str, Channel] = {}
        self.closed = False

    def take(self, effects: list[Effect]) -> list[dict[str, Any]]:
        frames = []
        for effect in effects:
            assert not self.closed, f"{effect} after the end"
            match effect:
                case Send(text):
                    frame = json.loads(text)
                    frames.append(frame)
                    kind, _, outcome = frame["type"].rpartition("_")
                    if outcome in ("success", "error") and kind in ("subscribe", "publish"):
                        self.unanswered[kind, frame.get("id")] -= 1
                case AuthorizeConnect():
                    assert not self.connecting
                    self.connecting = True
                case Authorize(operation):
                    self.waiting.append(operation)
                    if operation.kind == "publish":
                        self.published_at.append(self.now)
                case CallSubscribe(operation) | CallPublish(operation):
                    self.called.append(operation)
                case AddSubscription(id, channel):
                    assert id not in self.subscribed
                    assert frames[-1] == {"type": "subscribe_success", "id": id}
                    self.subscribed[id] = channel
                case RemoveSubscription(id, channel):
                    assert self.subscribed.pop(id) == channel
                case Close():
                    assert effect is effects[-1]
                    self.closed = True
        return frames

    @rule(text=JUNK)
    def receive_junk(self, text: str) -> None:
        self.take(self.subject.receive(text, self.now))

    @rule()
    def receive_init(self) -> None:
        self.take(self.subject.receive('{"type":"connection_init"}', self.now))

    @rule(kind=st.sampled_from(["subscribe", "publish", "unsubscribe"]), id=IDS, channel=CHANNELS)
    def receive_operation(self, kind: str, id: str, channel: str) -> None:
        frame = {"type": kind, "id": id, "channel": channel, "events": ["1"], "authorization": {}}
        if not self.closed and kind != "unsubscribe":
            self.unanswered[kind, id] += 1
        effects = self.subject.receive(json.dumps(frame), self.now)
        for answer in self.take(effects):
            assert answer["type"] in (f"{kind}_error", f"{kind}_success")
            assert answer["id"] == id

    @precondition(lambda self: self.connecting)
    @rule(good=st.booleans())
    def decide_connect(self, good: bool) -> None:
        effects = self.subject.connect_accepted(self.now) if good else self.subject.connect_refused(unauthorized("no"))
        frames = self.take(effects)
        if good and self.alive_at is None:
            self.alive_at = self.now + KEEP_ALIVE
        if not good and frames:
            assert frames[0]["type"] == "connection_error"
            assert self.closed

    @precondition(lambda self: self.waiting)
    @rule(good=st.booleans())
    def decide_operation(self, good: bool) -> None:
        operation = self.waiting.pop(0)
        if good:
            frames = self.take(self.subject.authorized(operation, None))
        else:
            frames = self.take(self.subject.refused(operation, unauthorized("no")))
        assert all(frame["type"] == f"{operation.kind}_error" for frame in frames)

    @precondition(lambda self: self.called)
    @rule(good=st.booleans())
    def finish_call(self, good: bool) -> None:
        operation = self.called.pop(0)
        if operation.kind == "publish":
            effects = self.subject.published(operation, {"successful": [], "failed": []})
        elif good:
            effects = self.subject.subscribed(operation)
        else:
            effects = self.subject.subscribe_failed(operation, unauthorized("no"))
        frames = self.take(effects)
        assert len(frames) == (0 if self.closed else 1)

    @rule(seconds=st.floats(0, 60))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        frames = self.take(self.subject.tick(self.now))
        assert self.closed or self.now < LIFETIME
        due = not self.closed and self.alive_at is not None and self.now >= self.alive_at
        assert frames == ([{"type": "ka"}] if due else [])
        if due:
            self.alive_at = self.now + KEEP_ALIVE

    @rule()
    def drop(self) -> None:
        self.subject.drop_subscriptions(list(self.subscribed))
        self.subscribed.clear()

    @invariant()
    def agrees_with_the_model(self) -> None:
        assert dict(self.subject.subscriptions) == self.subscribed
        assert len(self.subscribed) <= limits.SUBSCRIPTIONS_PER_CONNECTION
        assert self.subject.closed == self.closed

    @invariant()
    def answers_every_operation_exactly_once(self) -> None:
        assert min(self.unanswered.values(), default=0) >= 0
        under_way = Counter((operation.kind, operation.id) for operation in [*self.waiting, *self.called])
        if not self.closed and self.alive_at is not None:
            assert +self.unanswered == under_way

    @invariant()
    def publishes_no_faster_than_allowed(self) -> None:
        for first, at in enumerate(self.published_at):
            count = sum(at <= other <= at + 1 for other in self.published_at[first:])
            assert count <= 2 * RATE


TestProtocol = ProtocolMachine.TestCase
TestProtocol.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
