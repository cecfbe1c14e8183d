"""The call tables through the adapter: a step is stored whole or not at all, and says what stood in its way."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contract import channels, limits, tables
from contract.limits import RateLimit
from handlers.adapters.dynamodb.calls.items import call_item, call_state
from handlers.adapters.dynamodb.calls.store import CallTables, DynamoCalls
from handlers.adapters.dynamodb.codec import from_item, to_item
from handlers.core.calls.ports import CallWrite, CallWriteStatus
from handlers.core.calls.state import CallState, Participant
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.shared.errors import OutcomeUnknownError, UnavailableError
from tests.harness import faults
from tests.harness.emulator import AwsResources
from tests.harness.faults import FaultInjector, FaultyClient
from tests.harness.permissions import PermissionCheckedClient
from tests.harness.seeds import user_ids

NOW = 1_790_000_000_000
RATE = RateLimit("call", 2, 60)


def store(aws: AwsResources, calls: FaultInjector | None = None, function: str = "calls") -> DynamoCalls:
    """Return the adapter, limited to what a function's role allows."""
    names = aws.variables
    tables = CallTables(
        calls=names["CALLS_TABLE"],
        call_locks=names["CALL_LOCKS_TABLE"],
        outbox=names["OUTBOX_TABLE"],
        user_calls=names["USER_CALLS_TABLE"],
        rate_limits=names["RATE_LIMITS_TABLE"],
    )
    return DynamoCalls(
        FaultyClient(PermissionCheckedClient(aws.dynamodb, function, aws.environment), calls or FaultInjector()), tables
    )


def ringing(caller: str, *called: str, created_at: int = NOW, **fields: Any) -> CallState:
    """Return a call that rings."""
    participants = {caller: Participant(status="JOINED", name="Caller", joined_at=created_at)}
    participants |= {user_id: Participant(status="RINGING", name="Called") for user_id in called}
    state = CallState(
        session_id=str(uuid.uuid4()),
        version=1,
        status="RINGING",
        call_type="DIRECT",
        media_type="AUDIO",
        initiated_by=caller,
        owner_id=caller,
        participants=participants,
        created_at=created_at,
        rings_until=created_at + 45_000,
        due_at=created_at + 55_000,
    )
    return replace(state, **fields)


def beginning(state: CallState, **fields: Any) -> CallWrite:
    """Return the first step of a call: everybody's lock and list."""
    everybody = tuple(state.participants)
    step = CallWrite(before=None, after=state, takes=dict.fromkeys(everybody), listed=everybody, now=NOW)
    return replace(step, **fields)


def record(*recipients: str) -> OutboxRecord:
    """Return an event on its way."""
    return OutboxRecord(
        event_id=str(uuid.uuid4()),
        namespace=channels.USERS.name,
        event="{}",
        recipients=recipients,
        created_at=NOW,
        due_at=NOW + 60_000,
    )


def nothing_stored(aws: AwsResources) -> bool:
    """Return whether every table that a step writes is empty."""
    written = (tables.CALLS, tables.CALL_LOCKS, tables.USER_CALLS, tables.OUTBOX, tables.RATE_LIMITS)
    return not any(aws.scan(table) for table in written)


def test_a_call_its_locks_lists_and_events_are_stored_together(aws: AwsResources) -> None:
    ana, ben = user_ids(2)
    state, event = ringing(ana, ben), record(ben)
    calls = store(aws)
    assert calls.commit(beginning(state, outbox=(event,), counted=(ana, RATE))).verdict is CallWriteStatus.COMMITTED
    assert calls.read(state.session_id) == state
    assert {row["userId"]: row["sessionId"] for row in aws.scan(tables.CALL_LOCKS)} == dict.fromkeys(
        (ana, ben), state.session_id
    )
    assert calls.locks([ana, ben, ben, "nobody"]) == dict.fromkeys((ana, ben), state.session_id)
    assert calls.page(ben, None, 10) == [(f"2026-09-21T14:13:20.000Z#{state.session_id}", state.session_id)]
    assert [row["eventId"] for row in aws.scan(tables.OUTBOX)] == [event.event_id]
    assert [row["count"] for row in aws.scan(tables.RATE_LIMITS)] == [1]


def test_a_step_on_what_is_no_longer_so_stores_nothing_and_says_moved(aws: AwsResources) -> None:
    ana, ben = user_ids(2)
    state = ringing(ana, ben)
    calls = store(aws)
    calls.commit(beginning(state))
    active = replace(state, version=2, status="ACTIVE")
    cancelled = replace(state, version=2, status="CANCELLED")
    assert calls.commit(CallWrite(before=state, after=active, now=NOW)).verdict is CallWriteStatus.COMMITTED
    late = CallWrite(before=state, after=cancelled, frees=frozenset({ana, ben}), outbox=(record(ben),), now=NOW)
    assert calls.commit(late).verdict is CallWriteStatus.CONFLICT
    assert calls.commit(CallWrite(before=state, after=cancelled, now=NOW)).verdict is CallWriteStatus.CONFLICT
    assert calls.commit(beginning(state)).verdict is CallWriteStatus.CONFLICT
    assert calls.read(state.session_id) == active
    assert len(aws.scan(tables.CALL_LOCKS)) == 2
    assert aws.scan(tables.OUTBOX) == []


def test_a_lock_in_the_way_is_named_with_its_call_and_nothing_is_stored(aws: AwsResources) -> None:
    ana, ben, eve = user_ids(3)
    first, second = ringing(ana, ben), ringing(eve, ben)
    calls = store(aws)
    calls.commit(beginning(first))
    outcome = calls.commit(beginning(second, counted=(eve, RATE)))
    assert (outcome.verdict, outcome.locked) == (CallWriteStatus.LOCKED, {ben: first.session_id})
    assert calls.read(second.session_id) is None
    assert calls.page(eve, None, 10) == []
    assert aws.scan(tables.RATE_LIMITS) == []


def test_a_lock_is_taken_over_from_the_named_call_only(aws: AwsResources) -> None:
    ana, ben, eve = user_ids(3)
    first, second = ringing(ana, ben), ringing(eve, ben)
    calls = store(aws)
    calls.commit(beginning(first))
    wrong = beginning(second, takes={eve: None, ben: str(uuid.uuid4())})
    assert calls.commit(wrong).verdict is CallWriteStatus.LOCKED
    right = beginning(second, takes={eve: None, ben: first.session_id})
    assert calls.commit(right).verdict is CallWriteStatus.COMMITTED
    assert aws.item(tables.CALL_LOCKS, userId=ben) == {"userId": ben, "sessionId": second.session_id}
    again = CallWrite(before=second, after=replace(second, version=2), takes={ben: None}, now=NOW)
    assert calls.commit(again).verdict is CallWriteStatus.COMMITTED


def test_only_an_own_lock_is_freed_and_one_that_is_gone_is_fine(aws: AwsResources) -> None:
    ana, ben, eve = user_ids(3)
    first, second = ringing(ana, ben), ringing(eve, ben)
    calls = store(aws)
    calls.commit(beginning(first))
    calls.commit(beginning(second, takes={eve: None, ben: first.session_id}))
    over = replace(first, version=2, status="CANCELLED", due_at=None)
    both = CallWrite(before=first, after=over, frees=frozenset({ana, ben}), now=NOW)
    outcome = calls.commit(both)
    assert (outcome.verdict, outcome.locked) == (CallWriteStatus.LOCKED, {ben: second.session_id})
    mine = replace(both, frees=frozenset({ana, user_ids(1)[0]}))
    assert calls.commit(mine).verdict is CallWriteStatus.COMMITTED
    assert {row["userId"] for row in aws.scan(tables.CALL_LOCKS)} == {ben, eve}


def test_a_limit_that_is_used_up_stores_nothing(aws: AwsResources) -> None:
    (ana,) = user_ids(1)
    calls = store(aws)
    for expected in (CallWriteStatus.COMMITTED, CallWriteStatus.COMMITTED, CallWriteStatus.EXHAUSTED):
        state = ringing(ana)
        outcome = calls.commit(CallWrite(before=None, after=state, counted=(ana, RATE), now=NOW))
        assert outcome.verdict is expected
    assert calls.read(state.session_id) is None


def test_what_stands_in_the_way_first_is_the_call_then_a_lock_then_the_limit(aws: AwsResources) -> None:
    ana, ben, eve = user_ids(3)
    calls = store(aws)
    for _ in range(RATE.count):
        calls.commit(CallWrite(before=None, after=ringing(eve), counted=(eve, RATE), now=NOW))
    first, second = ringing(ana, ben), ringing(eve, ben)
    calls.commit(beginning(first))
    assert calls.commit(beginning(second, counted=(eve, RATE))).verdict is CallWriteStatus.LOCKED
    moved = replace(first, session_id=first.session_id, initiated_by=eve)
    assert calls.commit(beginning(moved, counted=(eve, RATE))).verdict is CallWriteStatus.CONFLICT


def test_of_two_who_call_each_other_at_once_one_wins(aws: AwsResources) -> None:
    for _ in range(5):
        ana, ben = user_ids(2)
        steps = [beginning(ringing(ana, ben)), beginning(ringing(ben, ana))]
        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(store(aws).commit, steps))
        verdicts = [outcome.verdict for outcome in outcomes]
        assert verdicts.count(CallWriteStatus.COMMITTED) == 1
        assert verdicts.count(CallWriteStatus.LOCKED) + verdicts.count(CallWriteStatus.CONFLICT) == 1
        winner = steps[verdicts.index(CallWriteStatus.COMMITTED)].after.session_id
        held = {aws.item(tables.CALL_LOCKS, userId=user_id)["sessionId"] for user_id in (ana, ben)}  # type: ignore[index]
        assert held == {winner}


def test_of_many_steps_at_once_one_wins(aws: AwsResources) -> None:
    ana, ben = user_ids(2)
    state = ringing(ana, ben)
    calls = store(aws)
    calls.commit(beginning(state))
    steps = [
        CallWrite(before=state, after=replace(state, version=2, ended_by=str(number)), now=NOW) for number in range(12)
    ]
    with ThreadPoolExecutor(12) as pool:
        verdicts = [outcome.verdict for outcome in pool.map(calls.commit, steps)]
    assert verdicts.count(CallWriteStatus.COMMITTED) == 1
    assert verdicts.count(CallWriteStatus.CONFLICT) == 11
    after = calls.read(state.session_id)
    assert after is not None
    assert after.ended_by == str(verdicts.index(CallWriteStatus.COMMITTED))


def test_the_largest_call_fits_one_transaction(aws: AwsResources) -> None:
    everybody = user_ids(limits.CALL_PARTICIPANTS_MAX)
    state = ringing(*everybody)
    step = beginning(state, outbox=(record(*everybody), record(everybody[0])), counted=(everybody[0], RATE))
    calls = store(aws)
    assert calls.commit(step).verdict is CallWriteStatus.COMMITTED
    read = calls.read(state.session_id)
    assert read is not None
    assert list(read.participants) == everybody


def test_a_list_goes_from_the_newest_call_backwards(aws: AwsResources) -> None:
    ana, ben = user_ids(2)
    calls = store(aws)
    made = [ringing(ana, ben, created_at=NOW + number * 1000) for number in range(5)]
    for state in made:
        calls.commit(beginning(state, takes={}))
    newest = [state.session_id for state in reversed(made)]
    page = calls.page(ana, None, 3)
    assert [session_id for _, session_id in page] == newest[:3]
    rest = calls.page(ana, page[-1][0], 3)
    assert [session_id for _, session_id in rest] == newest[3:]
    found = calls.read_many([*newest, "nothing", newest[0]])
    assert {session_id: found[session_id] for session_id in newest} == {state.session_id: state for state in made}
    assert len(found) == 5


def test_the_sweep_sees_what_is_due_oldest_first_until_it_is_taken_off_its_list(aws: AwsResources) -> None:
    ana, ben = user_ids(2)
    made = [ringing(ana, ben, due_at=NOW + number * 1000) for number in (3, 1, 2)]
    for state in [*made, ringing(ana, ben, due_at=None)]:
        store(aws).commit(beginning(state, takes={}))
    sweep = store(aws, function="call_sweep")
    due = list(sweep.due(NOW + 2500))
    assert due == [(made[1].session_id, NOW + 1000), (made[2].session_id, NOW + 2000)]
    assert sweep.reschedule(made[1].session_id, NOW + 1000, NOW + 9000) is True
    assert sweep.reschedule(made[1].session_id, NOW + 1000, NOW + 9999) is False
    assert sweep.reschedule(made[2].session_id, NOW + 2000, None) is True
    assert list(sweep.due(NOW + 2500)) == []
    assert sweep.read(made[1].session_id) == replace(made[1], due_at=NOW + 9000)
    assert sweep.read(made[2].session_id) == replace(made[2], due_at=None)


@pytest.mark.parametrize("fault", [faults.throttled, faults.service_error, faults.request_lost, faults.response_lost])
def test_an_answer_that_is_lost_once_is_asked_for_again_and_the_step_happens_once(
    aws: AwsResources, fault: faults.Fault
) -> None:
    ana, ben = user_ids(2)
    state, injector = ringing(ana, ben), FaultInjector()
    injector.arm(1, fault)
    calls = store(aws, injector)
    step = beginning(state, counted=(ana, RATE))
    if fault is faults.throttled:
        with pytest.raises(UnavailableError):
            calls.commit(step)
        assert nothing_stored(aws)
    else:
        assert calls.commit(step).verdict is CallWriteStatus.COMMITTED
        assert [row["count"] for row in aws.scan(tables.RATE_LIMITS)] == [1]


def test_a_step_that_nobody_answers_is_unknown_and_a_read_that_fails_is_unavailable(aws: AwsResources) -> None:
    class Deaf:
        def __getattr__(self, name: str) -> Any:
            return lambda **parameters: faults.request_lost(lambda: None)

    names = aws.variables
    calls = DynamoCalls(
        Deaf(),
        CallTables(calls=names["CALLS_TABLE"], call_locks=names["CALL_LOCKS_TABLE"], outbox=names["OUTBOX_TABLE"]),
    )
    ana, ben = user_ids(2)
    state = ringing(ana, ben)
    with pytest.raises(OutcomeUnknownError):
        calls.commit(CallWrite(before=None, after=state, now=NOW))
    with pytest.raises(OutcomeUnknownError):
        calls.reschedule(state.session_id, NOW, None)
    for read in (
        lambda: calls.read(state.session_id),
        lambda: calls.read_many([state.session_id]),
        lambda: calls.page(ana, None, 1),
        lambda: list(calls.due(NOW)),
    ):
        with pytest.raises(UnavailableError):
            read()


TIMES = st.integers(0, 4_000_000_000_000)
MAYBE = st.one_of(st.none(), TIMES)
TEXT = st.text(min_size=1, max_size=10)
PARTICIPANTS = st.dictionaries(
    TEXT,
    st.builds(
        Participant,
        status=st.sampled_from(["RINGING", "JOINED", "LEFT", "REJECTED", "MISSED"]),
        name=TEXT,
        rung=st.booleans(),
        joined_at=MAYBE,
        left_at=MAYBE,
        device_id=st.one_of(st.none(), TEXT),
        attendee_id=st.one_of(st.none(), TEXT),
    ),
    min_size=1,
    max_size=5,
)
STATES = st.builds(
    CallState,
    session_id=TEXT,
    version=st.integers(1, 1000),
    status=st.sampled_from(["RINGING", "ACTIVE", "ENDED", "MISSED", "REJECTED", "CANCELLED"]),
    call_type=st.sampled_from(["DIRECT", "GROUP"]),
    media_type=st.sampled_from(["AUDIO", "VIDEO"]),
    initiated_by=TEXT,
    owner_id=TEXT,
    participants=PARTICIPANTS,
    created_at=TIMES,
    rings_until=TIMES,
    conversation_id=st.one_of(st.none(), TEXT),
    hidden_from=st.frozensets(TEXT, max_size=3),
    started_at=MAYBE,
    ended_at=MAYBE,
    ended_by=st.one_of(st.none(), TEXT),
    end_reason=st.one_of(st.none(), st.sampled_from(["ENDED", "LEFT", "MISSED"])),
    meeting_id=st.one_of(st.none(), TEXT),
    meeting=st.one_of(st.none(), TEXT),
    asked_at=MAYBE,
    due_at=MAYBE,
)


@settings(max_examples=50, deadline=None)
@given(state=STATES)
def test_every_call_reads_as_it_was_stored_its_participants_in_their_order(state: CallState) -> None:
    item = from_item(dict(sorted(to_item(call_item(state)).items(), reverse=True)))
    item["participants"] = dict(sorted(item["participants"].items()))
    read = call_state(item)
    assert read == state
    assert list(read.participants) == list(state.participants)
