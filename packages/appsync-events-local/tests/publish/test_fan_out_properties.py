"""Fan-out to several connections under any sequence of subscribes, unsubscribes and publishes."""

import asyncio
import json
from typing import Any

from appsync_events_local.protocol.channels import parse_channel, parse_subscription
from appsync_events_local.publish.broker import Broker, Flusher, SendBuffer, Subscription
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from service_harness.channel_matching import covers_by_text
from service_harness.frames import frames

CONNECTIONS = 4
SEGMENTS = st.sampled_from(["a", "b", "A"])
PUBLISHED = st.lists(SEGMENTS, min_size=1, max_size=5).map("/".join)
SUBSCRIBED = PUBLISHED | st.lists(SEGMENTS, min_size=1, max_size=4).map(lambda parts: "/".join([*parts, "*"]))
EVENTS = st.lists(st.text(max_size=5).map(json.dumps), min_size=1, max_size=5)


class Receiver:
    """A connection's transport, and a model of its subscriptions and expected frames."""

    def __init__(self, flusher: Flusher) -> None:
        self.written = bytearray()
        self.outbox = SendBuffer(self, flusher, 1 << 20, "a receiver")
        self.subscribed: dict[str, str] = {}
        self.expected: list[dict[str, Any]] = []

    def write(self, data: bytes) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        raise AssertionError("disconnected without a reason")


class FanOutMachine(RuleBasedStateMachine):
    """Compares the frames of each receiver with those that an independent text comparison expects."""

    @initialize()
    def open(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.broker = Broker()
        flusher = Flusher()
        self.receivers = [Receiver(flusher) for _ in range(CONNECTIONS)]

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.loop.close()

    @rule(number=st.integers(0, CONNECTIONS - 1), id=st.sampled_from(["s", "t", "longer-id"]), channel=SUBSCRIBED)
    def subscribe(self, number: int, id: str, channel: str) -> None:
        receiver = self.receivers[number]
        if id not in receiver.subscribed:
            receiver.subscribed[id] = channel
            self.broker.add(Subscription(receiver, id, parse_subscription(channel), receiver.outbox))

    @rule(number=st.integers(0, CONNECTIONS - 1), id=st.sampled_from(["s", "t", "longer-id", "never"]))
    def unsubscribe(self, number: int, id: str) -> None:
        self.broker.remove(self.receivers[number], id)
        self.receivers[number].subscribed.pop(id, None)

    @rule(channel=PUBLISHED, events=EVENTS)
    def publish(self, channel: str, events: list[str]) -> None:
        async def broadcast() -> int:
            return self.broker.broadcast(parse_channel(channel), events)

        deliveries = 0
        for receiver in self.receivers:
            for id, subscribed in receiver.subscribed.items():
                if covers_by_text(subscribed, channel):
                    receiver.expected += [{"type": "data", "id": id, "event": event} for event in events]
                    deliveries += len(events)
        assert self.loop.run_until_complete(broadcast()) == deliveries

    @precondition(lambda self: any(receiver.expected for receiver in self.receivers))
    @rule()
    def read(self) -> None:
        for receiver in self.receivers:
            receiver.outbox.flush()
            seen = [json.loads(frame) for frame in frames(bytes(receiver.written))]
            for id in {frame["id"] for frame in [*seen, *receiver.expected]}:
                own = [frame for frame in receiver.expected if frame["id"] == id]
                assert [frame for frame in seen if frame["id"] == id] == own, "each subscription, in order"
            receiver.written.clear()
            receiver.expected.clear()


TestFanOut = FanOutMachine.TestCase
TestFanOut.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
