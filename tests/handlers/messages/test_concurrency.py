"""Concurrent requests in any order: gap-free numbers, exact rate limits, idempotent tempIds, complete recovery."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract import tables
from contract.limits import SEND_RATE, RateLimit
from handlers.adapters.dynamodb.rate_limits import DynamoRateCounter
from handlers.core.shared.retry import attempts
from handlers.core.shared.timestamps import from_iso
from tests.harness.emulator import AwsResources
from tests.harness.fakes import FakeClock
from tests.harness.functions import FunctionHarness
from tests.harness.http import Response
from tests.harness.seeds import block, numbers, seed_conversation, unblock, undelivered, user_ids

EXAMPLES = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def send(harness: FunctionHarness, sender: str, conversation: str, temp_id: str) -> Response:
    """Send once."""
    return harness.send(sender, conversation, temp_id, tempId=temp_id)


def check_sequence(aws: AwsResources, conversation: str, count: int) -> list[dict[str, Any]]:
    """Check that so many messages are stored, and that their numbers and those of placeholders have no gap.

    A number that lost against another send with the same tempId has a placeholder.

    Returns:
        The messages, without placeholders.
    """
    stored = [row for row in aws.scan(tables.MESSAGES) if row["conversationId"] == conversation]
    stored.sort(key=lambda row: row["seq"])
    assert [row["seq"] for row in stored] == list(range(1, len(stored) + 1))
    stamps = [from_iso(row["timestamp"]) for row in stored]
    assert stamps == sorted(set(stamps))
    messages = [row for row in stored if not row.get("voided")]
    assert len(messages) == count
    state = numbers(aws, conversation)
    assert state["latestSeq"] == len(stored)
    assert state["lastMessageAt"] == messages[-1]["timestamp"]
    assert "lastMessage" not in state or state["lastMessage"]["messageId"] == messages[-1]["messageId"]
    return messages


def test_concurrent_sends_get_gap_free_sequence_numbers(aws: AwsResources) -> None:
    """Promise P1."""
    members = user_ids(12)
    conversation = seed_conversation(aws, members)
    processes = [FunctionHarness(aws, clock=FakeClock()) for _ in members]
    with ThreadPoolExecutor(len(members)) as pool:
        jobs = [
            pool.submit(send, process, member, conversation, f"{member}-{number}")
            for number in range(4)
            for process, member in zip(processes, members, strict=True)
        ]
        answers = [job.result() for job in jobs]
    assert {answer.status for answer in answers} == {200}
    stored = check_sequence(aws, conversation, 48)
    assert len({row["tempId"] for row in stored}) == 48
    received = [event for process in processes for event in process.publisher.events(members[0])]
    assert sorted(event["data"]["seq"] for event in received) == list(range(1, 49))
    assert undelivered(aws) == []


def test_concurrent_sends_with_one_temp_id_are_stored_and_published_once(aws: AwsResources) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(aws, [ana, ben])
    processes = [FunctionHarness(aws, clock=FakeClock()) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda each: send(each, ana, conversation, "once"), processes))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body["messageId"] for answer in answers}) == 1
    assert sorted(answer.body["duplicate"] for answer in answers) == [False] + [True] * 7
    check_sequence(aws, conversation, 1)
    assert sum(len(each.publisher.events(ben)) for each in processes) == 1


def test_rate_limit_of_sends_is_exact_under_concurrency(aws: AwsResources) -> None:
    ana, ben = user_ids(2)
    clock = FakeClock(SEND_RATE.window(1_790_000_000) * 1000)
    conversations = [seed_conversation(aws, [ana, ben]) for _ in range(8)]
    processes = [FunctionHarness(aws, clock=FakeClock(clock.now(), pauses_take_time=False)) for _ in conversations]
    with ThreadPoolExecutor(8) as pool:
        jobs = [
            pool.submit(send, process, ana, conversation, f"{number}")
            for number in range(SEND_RATE.count // 8 + 2)
            for process, conversation in zip(processes, conversations, strict=True)
        ]
        statuses = [job.result().status for job in jobs]
    assert statuses.count(200) == SEND_RATE.count
    assert statuses.count(429) == len(statuses) - SEND_RATE.count
    assert len([row for row in aws.scan(tables.MESSAGES) if not row.get("voided")]) == SEND_RATE.count


def test_rate_counter_is_exact_under_concurrency_and_restarts_in_each_window(aws: AwsResources) -> None:
    counter = DynamoRateCounter(aws.dynamodb, aws.table(tables.RATE_LIMITS))
    rate = RateLimit("test", 7, 10)
    for now in (100_000, 110_000):
        with ThreadPoolExecutor(8) as pool:
            taken = list(pool.map(lambda _, now=now: counter.count("ana", rate, now), range(20)))
        assert taken.count(True) == 7
    assert counter.count("ben", rate, 110_000) is True


def test_pauses_between_attempts_are_random_growing_and_bounded() -> None:
    class PauseRecorder(FakeClock):
        pauses: list[float]

        def __init__(self) -> None:
            super().__init__()
            self.pauses = []

        def pause(self, seconds: float) -> None:
            self.pauses.append(seconds)

    clock = PauseRecorder()
    assert list(attempts(clock, 10)) == list(range(10))
    assert len(clock.pauses) == 9
    assert all(0 <= pause <= 0.4 for pause in clock.pauses)
    assert all(pause <= 0.01 * 2 ** (number + 1) for number, pause in enumerate(clock.pauses))


Step = tuple[str, int, int, int]
SENDS = st.lists(
    st.tuples(st.sampled_from(["send", "block", "unblock"]), st.integers(0, 1), st.integers(0, 4), st.integers(0, 1)),
    min_size=1,
    max_size=15,
)


@EXAMPLES
@given(steps=SENDS, jumps=st.lists(st.integers(-5_000, 5_000), min_size=15, max_size=15))
def test_sends_repeats_and_blocks_in_any_order_keep_the_message_rules(
    aws: AwsResources, steps: list[Step], jumps: list[int]
) -> None:
    """Two processes with caches and clocks of their own; tempIds are repeated; blocks are set and lifted."""
    pair = user_ids(2)
    conversation = seed_conversation(aws, pair)
    processes = [FunctionHarness(aws, clock=FakeClock()) for _ in range(2)]
    accepted: dict[tuple[str, str], dict[str, Any]] = {}
    hidden: dict[str, set[str]] = {user: set() for user in pair}
    blocking: set[str] = set()
    for (action, who, temp, process), jump in zip(steps, jumps, strict=False):
        user, other = pair[who], pair[1 - who]
        if action == "block":
            block(aws, conversation, user)
            blocking.add(user)
        elif action == "unblock":
            unblock(aws, conversation, user)
            blocking.discard(user)
        else:
            processes[process].advance(jump / 1000)
            answer = processes[process].send(user, conversation, f"text {temp}", tempId=f"t{temp}")
            first = accepted.get((user, f"t{temp}"))
            if first is not None:
                assert (answer.status, answer.body["message"], answer.body["duplicate"]) == (200, first, True)
            elif user in blocking:
                assert answer.status == 403
            else:
                assert (answer.status, answer.body["duplicate"]) == (200, False)
                accepted[user, f"t{temp}"] = message = answer.body["message"]
                if other in blocking:
                    hidden[other].add(message["messageId"])
    if accepted:
        check_sequence(aws, conversation, len(accepted))
    for user in pair:
        expected = {each["messageId"] for each in accepted.values()} - hidden[user]
        history = processes[0].history(user, conversation, afterSeq=0).body["messages"]
        assert {each["messageId"] for each in history} == expected
        received = [event["data"]["messageId"] for each in processes for event in each.publisher.events(user)]
        assert sorted(received) == sorted(expected)


CHANGES = st.lists(st.sampled_from(["send", "send", "edit", "delete", "recover"]), min_size=1, max_size=15)


@EXAMPLES
@given(actions=CHANGES, seed=st.integers(0, 1000))
def test_client_that_recovers_at_any_time_has_the_state_of_the_server(
    aws: AwsResources, actions: list[str], seed: int
) -> None:
    chance = random.Random(seed)
    ana, ben = user_ids(2)
    conversation = seed_conversation(aws, [ana, ben])
    harness = FunctionHarness(aws)
    sent: list[dict[str, Any]] = []
    shown: dict[str, dict[str, Any]] = {}
    seq = change = 0
    for action in [*actions, "recover"]:
        if action == "send":
            sent.append(harness.send(ana, conversation, f"text {len(sent)}").body["message"])
        elif action == "recover":
            answer = harness.history(ben, conversation, afterSeq=seq, afterChange=change).body
            assert answer["reload"] is False
            shown |= {each["messageId"]: each for each in (*answer["messages"], *answer["changed"])}
            seq, change = answer["latestSeq"], answer["latestChange"]
        elif sent:
            message = chance.choice(sent)
            status = (harness.edit(ana, message, action) if action == "edit" else harness.delete(ana, message)).status
            assert status in ((200, 409) if action == "edit" else (200,))
    now = harness.history(ben, conversation, limit=100).body
    assert sorted(shown.values(), key=lambda each: -each["seq"]) == now["messages"]
    assert (seq, change) == (now["latestSeq"], now["latestChange"])


@pytest.mark.parametrize("members", [2, 5])
def test_every_participant_receives_every_message_and_can_order_them_by_sequence_number(
    aws: AwsResources, members: int
) -> None:
    people = user_ids(members)
    conversation = seed_conversation(aws, people)
    harness = FunctionHarness(aws)
    with ThreadPoolExecutor(members) as pool:
        list(pool.map(lambda each: send(harness, each, conversation, each), people))
    for person in people:
        received = [event["data"]["seq"] for event in harness.publisher.events(person)]
        assert sorted(received) == list(range(1, members + 1))
