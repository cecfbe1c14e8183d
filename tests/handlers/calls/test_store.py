"""The DynamoDB store of calls: a write is stored whole or not at all, and reports the failed condition."""

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
from handlers.adapters.dynamodb.calls.store import CallTables, DynamoCallStore
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


def store(aws: AwsResources, calls: FaultInjector | None = None, function: str = "calls") -> DynamoCallStore:
    """Return the adapter, limited to what a function's role allows."""
    names = aws.variables
    tables = CallTables(
        calls=names["CALLS_TABLE"],
        call_locks=names["CALL_LOCKS_TABLE"],
        outbox=names["OUTBOX_TABLE"],
        user_calls=names["USER_CALLS_TABLE"],
        rate_limits=names["RATE_LIMITS_TABLE"],
    )
    return DynamoCallStore(
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


def first_write(state: CallState, **fields: Any) -> CallWrite:
    """Return the first write of a call, with the locks and lists of all participants."""
    members = tuple(state.participants)
    write = CallWrite(before=None, after=state, take_locks=dict.fromkeys(members), listed_for=members, now=NOW)
    return replace(write, **fields)


def record(*recipients: str) -> OutboxRecord:
    """Return an outbox record."""
    return OutboxRecord(
        event_id=str(uuid.uuid4()),
        namespace=channels.USERS.name,
        event="{}",
        recipients=recipients,
        created_at=NOW,
        due_at=NOW + 60_000,
    )


def nothing_stored(aws: AwsResources) -> bool:
    """Return whether every table that a write changes is empty."""
    written = (tables.CALLS, tables.CALL_LOCKS, tables.USER_CALLS, tables.OUTBOX, tables.RATE_LIMITS)
    return not any(aws.scan(table) for table in written)


def test_call_locks_lists_and_events_are_stored_in_one_write(aws: AwsResources) -> None:
    ana, ben = user_ids(2)
    state, event = ringing(ana, ben), record(ben)
    calls = store(aws)
    assert calls.commit(first_write(state, outbox=(event,), rate_limit=(ana, RATE))).status is CallWriteStatus.COMMITTED
    assert calls.read(state.session_id) == state
    assert {row["userId"]: row["sessionId"] for row in aws.scan(tables.CALL_LOCKS)} == dict.fromkeys(
        (ana, ben), state.session_id
    )
    assert calls.locks([ana, ben, ben, "unknown"]) == dict.fromkeys((ana, ben), state.session_id)
    assert calls.page(ben, None, 10) == [(f"2026-09-21T14:13:20.000Z#{state.session_id}", state.session_id)]
    assert [row["eventId"] for row in aws.scan(tables.OUTBOX)] == [event.event_id]
    assert [row["count"] for row in aws.scan(tables.RATE_LIMITS)] == [1]


def test_write_on_an_outdated_version_stores_nothing_and_is_a_conflict(aws: AwsResources) -> None:
    ana, ben = user_ids(2)
    state = ringing(ana, ben)
    calls = store(aws)
    calls.commit(first_write(state))
    active = replace(state, version=2, status="ACTIVE")
    cancelled = replace(state, version=2, status="CANCELLED")
    assert calls.commit(CallWrite(before=state, after=active, now=NOW)).status is CallWriteStatus.COMMITTED
    late = CallWrite(before=state, after=cancelled, free_locks=frozenset({ana, ben}), outbox=(record(ben),), now=NOW)
    assert calls.commit(late).status is CallWriteStatus.CONFLICT
    assert calls.commit(CallWrite(before=state, after=cancelled, now=NOW)).status is CallWriteStatus.CONFLICT
    assert calls.commit(first_write(state)).status is CallWriteStatus.CONFLICT
    assert calls.read(state.session_id) == active
    assert len(aws.scan(tables.CALL_LOCKS)) == 2
    assert aws.scan(tables.OUTBOX) == []


def test_write_with_a_foreign_lock_stores_nothing_and_returns_its_session(aws: AwsResources) -> None:
    ana, ben, eve = user_ids(3)
    first, second = ringing(ana, ben), ringing(eve, ben)
    calls = store(aws)
    calls.commit(first_write(first))
    result = calls.commit(first_write(second, rate_limit=(eve, RATE)))
    assert (result.status, result.locked) == (CallWriteStatus.LOCKED, {ben: first.session_id})
    assert calls.read(second.session_id) is None
    assert calls.page(eve, None, 10) == []
    assert aws.scan(tables.RATE_LIMITS) == []


def test_lock_is_taken_over_from_the_named_session_only(aws: AwsResources) -> None:
    ana, ben, eve = user_ids(3)
    first, second = ringing(ana, ben), ringing(eve, ben)
    calls = store(aws)
    calls.commit(first_write(first))
    wrong = first_write(second, take_locks={eve: None, ben: str(uuid.uuid4())})
    assert calls.commit(wrong).status is CallWriteStatus.LOCKED
    right = first_write(second, take_locks={eve: None, ben: first.session_id})
    assert calls.commit(right).status is CallWriteStatus.COMMITTED
    assert aws.item(tables.CALL_LOCKS, userId=ben) == {"userId": ben, "sessionId": second.session_id}
    again = CallWrite(before=second, after=replace(second, version=2), take_locks={ben: None}, now=NOW)
    assert calls.commit(again).status is CallWriteStatus.COMMITTED


def test_only_own_locks_are_freed_and_missing_locks_are_ignored(aws: AwsResources) -> None:
    ana, ben, eve = user_ids(3)
    first, second = ringing(ana, ben), ringing(eve, ben)
    calls = store(aws)
    calls.commit(first_write(first))
    calls.commit(first_write(second, take_locks={eve: None, ben: first.session_id}))
    over = replace(first, version=2, status="CANCELLED", due_at=None)
    both = CallWrite(before=first, after=over, free_locks=frozenset({ana, ben}), now=NOW)
    result = calls.commit(both)
    assert (result.status, result.locked) == (CallWriteStatus.LOCKED, {ben: second.session_id})
    own = replace(both, free_locks=frozenset({ana, user_ids(1)[0]}))
    assert calls.commit(own).status is CallWriteStatus.COMMITTED
    assert {row["userId"] for row in aws.scan(tables.CALL_LOCKS)} == {ben, eve}


def test_write_above_the_rate_limit_stores_nothing(aws: AwsResources) -> None:
    (ana,) = user_ids(1)
    calls = store(aws)
    for expected in (CallWriteStatus.COMMITTED, CallWriteStatus.COMMITTED, CallWriteStatus.EXHAUSTED):
        state = ringing(ana)
        result = calls.commit(CallWrite(before=None, after=state, rate_limit=(ana, RATE), now=NOW))
        assert result.status is expected
    assert calls.read(state.session_id) is None


def test_conflict_takes_precedence_over_locked_over_exhausted(aws: AwsResources) -> None:
    ana, ben, eve = user_ids(3)
    calls = store(aws)
    for _ in range(RATE.count):
        calls.commit(CallWrite(before=None, after=ringing(eve), rate_limit=(eve, RATE), now=NOW))
    first, second = ringing(ana, ben), ringing(eve, ben)
    calls.commit(first_write(first))
    assert calls.commit(first_write(second, rate_limit=(eve, RATE))).status is CallWriteStatus.LOCKED
    moved = replace(first, session_id=first.session_id, initiated_by=eve)
    assert calls.commit(first_write(moved, rate_limit=(eve, RATE))).status is CallWriteStatus.CONFLICT


def test_one_of_two_concurrent_calls_between_the_same_users_is_stored(aws: AwsResources) -> None:
    for _ in range(5):
        ana, ben = user_ids(2)
        writes = [first_write(ringing(ana, ben)), first_write(ringing(ben, ana))]
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(store(aws).commit, writes))
        statuses = [result.status for result in results]
        assert statuses.count(CallWriteStatus.COMMITTED) == 1
        assert statuses.count(CallWriteStatus.LOCKED) + statuses.count(CallWriteStatus.CONFLICT) == 1
        winner = writes[statuses.index(CallWriteStatus.COMMITTED)].after.session_id
        held = {aws.item(tables.CALL_LOCKS, userId=user_id)["sessionId"] for user_id in (ana, ben)}  # type: ignore[index]
        assert held == {winner}


def test_one_of_many_concurrent_writes_is_stored(aws: AwsResources) -> None:
    ana, ben = user_ids(2)
    state = ringing(ana, ben)
    calls = store(aws)
    calls.commit(first_write(state))
    writes = [
        CallWrite(before=state, after=replace(state, version=2, ended_by=str(number)), now=NOW) for number in range(12)
    ]
    with ThreadPoolExecutor(12) as pool:
        statuses = [result.status for result in pool.map(calls.commit, writes)]
    assert statuses.count(CallWriteStatus.COMMITTED) == 1
    assert statuses.count(CallWriteStatus.CONFLICT) == 11
    after = calls.read(state.session_id)
    assert after is not None
    assert after.ended_by == str(statuses.index(CallWriteStatus.COMMITTED))


def test_largest_call_fits_into_one_transaction(aws: AwsResources) -> None:
    members = user_ids(limits.CALL_PARTICIPANTS_MAX)
    state = ringing(*members)
    write = first_write(state, outbox=(record(*members), record(members[0])), rate_limit=(members[0], RATE))
    calls = store(aws)
    assert calls.commit(write).status is CallWriteStatus.COMMITTED
    read = calls.read(state.session_id)
    assert read is not None
    assert list(read.participants) == members


def test_page_returns_calls_from_the_newest_backwards(aws: AwsResources) -> None:
    ana, ben = user_ids(2)
    calls = store(aws)
    made = [ringing(ana, ben, created_at=NOW + number * 1000) for number in range(5)]
    for state in made:
        calls.commit(first_write(state, take_locks={}))
    newest = [state.session_id for state in reversed(made)]
    page = calls.page(ana, None, 3)
    assert [session_id for _, session_id in page] == newest[:3]
    rest = calls.page(ana, page[-1][0], 3)
    assert [session_id for _, session_id in rest] == newest[3:]
    found = calls.read_many([*newest, "unknown", newest[0]])
    assert {session_id: found[session_id] for session_id in newest} == {state.session_id: state for state in made}
    assert len(found) == 5


def test_due_returns_calls_oldest_first_until_they_are_rescheduled(aws: AwsResources) -> None:
    ana, ben = user_ids(2)
    made = [ringing(ana, ben, due_at=NOW + number * 1000) for number in (3, 1, 2)]
    for state in [*made, ringing(ana, ben, due_at=None)]:
        store(aws).commit(first_write(state, take_locks={}))
    sweep = store(aws, function="call_sweep")
    aws.emulator.let_reads_catch_up()
    due = list(sweep.due(NOW + 2500))
    assert due == [(made[1].session_id, NOW + 1000), (made[2].session_id, NOW + 2000)]
    assert sweep.reschedule(made[1].session_id, NOW + 1000, NOW + 9000) is True
    assert sweep.reschedule(made[1].session_id, NOW + 1000, NOW + 9999) is False
    assert sweep.reschedule(made[2].session_id, NOW + 2000, None) is True
    aws.emulator.let_reads_catch_up()
    assert list(sweep.due(NOW + 2500)) == []
    assert sweep.read(made[1].session_id) == replace(made[1], due_at=NOW + 9000)
    assert sweep.read(made[2].session_id) == replace(made[2], due_at=None)


@pytest.mark.parametrize("fault", [faults.throttled, faults.service_error, faults.request_lost, faults.response_lost])
def test_write_whose_response_was_lost_is_retried_and_happens_once(aws: AwsResources, fault: faults.Fault) -> None:
    ana, ben = user_ids(2)
    state, injector = ringing(ana, ben), FaultInjector()
    injector.arm(1, fault)
    calls = store(aws, injector)
    write = first_write(state, rate_limit=(ana, RATE))
    if fault is faults.throttled:
        with pytest.raises(UnavailableError):
            calls.commit(write)
        assert nothing_stored(aws)
    else:
        assert calls.commit(write).status is CallWriteStatus.COMMITTED
        assert [row["count"] for row in aws.scan(tables.RATE_LIMITS)] == [1]


def test_unanswered_write_has_unknown_outcome_and_failed_read_is_unavailable(aws: AwsResources) -> None:
    class Unanswering:
        def __getattr__(self, name: str) -> Any:
            return lambda **parameters: faults.request_lost(lambda: None)

    names = aws.variables
    calls = DynamoCallStore(
        Unanswering(),
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
    meeting_announced_at=MAYBE,
    due_at=MAYBE,
)


@settings(max_examples=50, deadline=None)
@given(state=STATES)
def test_stored_call_reads_back_equal_with_participants_in_order(state: CallState) -> None:
    item = from_item(dict(sorted(to_item(call_item(state)).items(), reverse=True)))
    item["participants"] = dict(sorted(item["participants"].items()))
    read = call_state(item)
    assert read == state
    assert list(read.participants) == list(state.participants)
