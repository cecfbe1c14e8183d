"""Members and admins: the invariants hold after every sequence of changes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.models import Conversation, Role
from handlers.adapters.system import SystemClock
from handlers.core.conversations import membership
from handlers.core.shared.errors import ChatError, ConflictError, ForbiddenError, NotFoundError
from tests.harness.emulator import AwsResources
from tests.harness.functions import FunctionHarness

_NOW = "2026-01-01T00:00:00.000Z"
_USERS = [f"user-{number}" for number in range(6)]

_user_ids = st.sampled_from(_USERS)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(_user_ids, min_size=1, max_size=3)),
        st.tuples(st.just("remove"), _user_ids),
        st.tuples(st.just("ADMIN"), _user_ids),
        st.tuples(st.just("MEMBER"), _user_ids),
    ),
    max_size=25,
)


def _group(creator: str = "user-0", *others: str) -> Conversation:
    return Conversation(
        conversationId="c",
        type="GROUP",
        participants=[creator, *others],
        admins=[creator],
        createdBy=creator,
        createdAt=_NOW,
        updatedAt=_NOW,
        version=1,
    )


def _step(group: Conversation, step: tuple[str, str | list[str]]) -> Conversation:
    match step:
        case ("add", list(user_ids)):
            added = membership.non_members(group, user_ids)
            return membership.with_members(group, added, _NOW) if added else group
        case ("remove", str(user_id)):
            return membership.without_member(group, user_id, _NOW)
        case (("ADMIN" | "MEMBER") as role, str(user_id)):
            wanted: Role = "ADMIN" if role == "ADMIN" else "MEMBER"
            return membership.with_role(group, user_id, wanted, _NOW)
    raise AssertionError(step)


@given(_steps)
def test_every_sequence_of_changes_keeps_the_invariants_of_members_and_admins(
    steps: list[tuple[str, str | list[str]]],
) -> None:
    group = _group()
    for step in steps:
        before = group
        untouched = (list(before.participants), list(before.admins), before.version)
        try:
            group = _step(before, step)
        except NotFoundError:
            assert step[1] not in before.participants
        except ConflictError:
            assert step == ("MEMBER", before.admins[0])
            assert len(before.admins) == 1
        assert (before.participants, before.admins, before.version) == untouched
        assert len(set(group.participants)) == len(group.participants)
        assert set(group.admins) <= set(group.participants)
        assert bool(group.admins) == bool(group.participants)
        assert group.version - before.version == int(group is not before)
        stayed = [user for user in before.participants if user in group.participants]
        assert group.participants[: len(stayed)] == stayed


@given(_steps)
def test_changed_roles_are_exactly_the_roles_that_a_change_set(steps: list[tuple[str, str | list[str]]]) -> None:
    group = _group("user-0", "user-1")
    roles = {"user-0": "ADMIN", "user-1": "MEMBER"}
    for step in steps:
        before = group
        try:
            group = _step(before, step)
        except ChatError:
            continue
        roles = {user: role for user, role in roles.items() if user in group.participants}
        for user in membership.non_members(before, group.participants):
            roles[user] = "ADMIN" if user in group.admins else "MEMBER"
        roles |= membership.changed_roles(before, group)
        assert roles == {user: "ADMIN" if user in group.admins else "MEMBER" for user in group.participants}


def test_only_admins_may_change_a_group() -> None:
    group = _group("user-0", "user-1")
    membership.require_group_admin(group, "user-0")
    for user_id in ("user-1", "user-2"):
        with pytest.raises(ForbiddenError):
            membership.require_group_admin(group, user_id)


def _call(
    harness: FunctionHarness, group: str, caller: str, step: tuple[str, str | list[str]], ids: dict[str, str]
) -> int:
    match step:
        case ("add", list(users)):
            body = {"userIds": [ids[user] for user in users]}
            return harness.call(caller, "addMembers", body, conversationId=group).status
        case ("remove", str(user)) if ids[user] == caller:
            return harness.call(caller, "leaveGroup", conversationId=group).status
        case ("remove", str(user)):
            return harness.call(caller, "removeMember", conversationId=group, userId=ids[user]).status
        case (role, str(user)):
            return harness.call(caller, "setRole", {"role": role}, conversationId=group, userId=ids[user]).status
    raise AssertionError(step)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(_user_ids, st.one_of(_steps.filter(bool).map(lambda steps: steps[0]))), min_size=4, max_size=16)
)
def test_concurrent_changes_leave_conversation_memberships_and_member_count_consistent(
    aws: AwsResources, changes: list[tuple[str, tuple[str, str | list[str]]]]
) -> None:
    harness = FunctionHarness(aws, clock=SystemClock())
    ids = dict(zip(_USERS, harness.users(len(_USERS)), strict=True))
    group = harness.group(ids["user-0"], ids["user-1"], ids["user-2"])
    harness.call_ok(ids["user-0"], "setRole", {"role": "ADMIN"}, conversationId=group, userId=ids["user-1"])
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda each: _call(harness, group, ids[each[0]], each[1], ids), changes))
    assert set(statuses) <= {200, 403, 404, 409}
    harness.assert_consistent(group)
    events = [event for event in harness.publisher.received(ids["user-0"]) if "conversation" in event["data"]]
    versions = [event["data"]["conversation"]["version"] for event in events]
    assert len(set(versions)) == len(versions)
