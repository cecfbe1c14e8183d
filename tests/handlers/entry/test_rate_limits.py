"""Rate limits by the cost of a request and by its victim: per user, and per pair of users."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contract import limits, tables
from contract.limits import RateLimit
from contract.routes import ROUTES
from handlers.core.shared.rates import uses
from tests.harness.call_functions import CallFunctions
from tests.harness.chime import ChimeServer, running_chime
from tests.harness.emulator import AwsResources
from tests.harness.faults import throttled
from tests.harness.functions import FunctionHarness
from tests.harness.http import Response


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    """The functions on this test's tables."""
    return FunctionHarness(aws)


@pytest.fixture(scope="module")
def chime() -> Iterator[ChimeServer]:
    """One Chime server for all tests of this module."""
    with running_chime() as running:
        yield running


def assert_limited(answer: Response, rate: RateLimit) -> None:
    """Check that a rate limit refused a request."""
    assert (answer.status, answer.body["error"]["code"]) == (429, "TOO_MANY_REQUESTS")
    assert 1 <= int(answer.headers["retry-after"]) <= rate.seconds


def use_up(harness: FunctionHarness, user_id: str, rate: RateLimit, left: int = 0) -> None:
    """Use up a user's limit of the present window, except for some uses."""
    window = rate.window(harness.clock.now() / 1000)
    item = {"id": f"{user_id}#{rate.action}#{window}", "count": rate.count - left, "expiresAt": window + 86_400}
    harness.aws.put(tables.RATE_LIMITS, item)


def test_edits_and_deletions_share_a_limit(harness: FunctionHarness) -> None:
    ana, ben = harness.users(2)
    message = harness.send_ok(ana, harness.direct(ana, ben))["message"]
    statuses = [harness.edit(ana, message, f"text {number}").status for number in range(limits.CHANGE_RATE.count)]
    assert set(statuses) == {200}
    published = len(harness.publisher.published)
    assert_limited(harness.edit(ana, message, "one more"), limits.CHANGE_RATE)
    assert_limited(harness.delete(ana, message), limits.CHANGE_RATE)
    assert len(harness.publisher.published) == published
    harness.advance(limits.CHANGE_RATE.seconds)
    assert harness.delete(ana, message).status == 200


def test_changes_of_groups_share_a_limit(harness: FunctionHarness) -> None:
    ana, ben = harness.users(2)
    group = harness.group(ana, ben)
    use_up(harness, ana, limits.GROUP_RATE, left=1)
    assert harness.call(ana, "updateGroup", {"name": "Go"}, conversationId=group).status == 200
    for operation, body, path in (
        ("updateGroup", {"name": "Chess"}, {}),
        ("addMembers", {"userIds": [ben]}, {}),
        ("removeMember", None, {"userId": ben}),
        ("setRole", {"role": "ADMIN"}, {"userId": ben}),
        ("leaveGroup", None, {}),
    ):
        assert_limited(harness.call(ana, operation, body, conversationId=group, **path), limits.GROUP_RATE)
    assert_limited(harness.call(ana, "createGroup", {"name": "New", "memberIds": [ben]}), limits.GROUP_RATE)
    assert harness.call(ben, "leaveGroup", conversationId=group).status == 200


def test_opened_direct_conversations_are_limited(harness: FunctionHarness) -> None:
    ana, ben, eva = harness.users(3)
    use_up(harness, ana, limits.OPEN_RATE, left=1)
    assert harness.call(ana, "openDirect", {"userId": ben}).status == 201
    assert_limited(harness.call(ana, "openDirect", {"userId": eva}), limits.OPEN_RATE)
    assert harness.call(eva, "openDirect", {"userId": ana}).status == 201


def test_profile_changes_and_blocks_are_limited(harness: FunctionHarness) -> None:
    ana, ben = harness.users(2)
    for number in range(limits.PROFILE_RATE.count):
        assert harness.call(ana, "updateMe", {"bio": f"text {number}"}).status == 200
    assert_limited(harness.call(ana, "updateMe", {"bio": "one more"}), limits.PROFILE_RATE)
    use_up(harness, ana, limits.BLOCK_RATE, left=1)
    assert harness.call(ana, "blockUser", userId=ben).status == 200
    assert_limited(harness.call(ana, "unblockUser", userId=ben), limits.BLOCK_RATE)


def test_one_user_can_add_another_to_few_groups_and_others_still_can(harness: FunctionHarness) -> None:
    eve, ben, ana = harness.users(3)
    for _ in range(limits.INVITATION_RATE.count):
        harness.group(eve, ben)
    refused = harness.call(eve, "createGroup", {"name": "One more", "memberIds": [ben]})
    assert (refused.status, refused.body["error"]["message"]) == (409, f"the user {ben} cannot be added at present")
    group = harness.group(eve, ana)
    assert harness.call(eve, "addMembers", {"userIds": [ben]}, conversationId=group).status == 409
    harness.group(ana, ben)
    harness.advance(limits.INVITATION_RATE.seconds)
    assert harness.call(eve, "addMembers", {"userIds": [ben]}, conversationId=group).status == 200


def test_additions_of_a_user_who_has_blocked_the_caller_are_limited_like_any_other(harness: FunctionHarness) -> None:
    eve, ben, ana = harness.users(3)
    harness.call_ok(ben, "blockUser", userId=eve)
    harness.publisher.clear()
    refusals = []
    for user in (ben, ana):
        group = harness.group(eve, user)
        use_up(harness, f"{eve}#{user}", limits.INVITATION_RATE)
        other = harness.group(eve, harness.user())
        for refused in (
            harness.call(eve, "createGroup", {"name": "Two", "memberIds": [user]}),
            harness.call(eve, "addMembers", {"userIds": [user]}, conversationId=other),
        ):
            refusals.append((refused.status, refused.body["error"]["message"].replace(user, "")))
        assert (user in harness.members(group)) == (user == ana)
    assert refusals[:2] == refusals[2:]
    assert refusals[0][0] == 409
    assert harness.publisher.received(ben) == []


def test_requests_for_calls_are_limited_also_where_the_called_user_is_busy(
    aws: AwsResources, chime: ChimeServer
) -> None:
    functions = CallFunctions(aws, chime)
    ana, ben, eve = functions.add_users("Ana", "Ben", "Eve")
    functions.act("accept", ben, functions.ring(ana, ben))
    answers = [functions.initiate(eve, recipientId=ben).status for _ in range(limits.CALL_TARGET_RATE.count)]
    assert set(answers) == {409}
    assert_limited(functions.initiate(eve, recipientId=ben), limits.CALL_TARGET_RATE)
    others = functions.add_users(*(f"User{number}" for number in range(limits.CALL_ATTEMPT_RATE.count)))
    answers = [functions.initiate(ana, recipientId=other).status for other in others]
    assert answers[0] == 409
    assert answers[-1] == 429


def used(harness: FunctionHarness, user_id: str, rate: RateLimit) -> int:
    """Return how many uses of the present window are counted."""
    window = rate.window(harness.clock.now() / 1000)
    item = harness.aws.item(tables.RATE_LIMITS, id=f"{user_id}#{rate.action}#{window}")
    return 0 if item is None else int(item["count"])


def test_requests_in_a_large_group_count_by_their_recipients(
    harness: FunctionHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A use of a group of 1,000 publishes 1,000 times; a limit by requests alone would allow 30,000 in ten seconds."""
    assert [uses(recipients) for recipients in (2, 50, 299, 300, 1_000)] == [1, 1, 1, 2, 4]
    monkeypatch.setattr(limits, "RECIPIENTS_PER_USE", 2)
    ana, *others = harness.users(4)
    group = harness.group(ana, *others)
    assert used(harness, ana, limits.GROUP_RATE) == 3
    message = harness.send_ok(ana, group)["message"]
    assert used(harness, ana, limits.SEND_RATE) == 3
    assert harness.edit(ana, message, "changed").status == 200
    assert used(harness, ana, limits.CHANGE_RATE) == 3
    assert harness.call(ana, "updateGroup", {"name": "Go"}, conversationId=group).status == 200
    assert used(harness, ana, limits.GROUP_RATE) == 6
    use_up(harness, ana, limits.CHANGE_RATE, left=2)
    published = len(harness.publisher.published)
    assert_limited(harness.edit(ana, message, "again"), limits.CHANGE_RATE)
    assert_limited(harness.delete(ana, message), limits.CHANGE_RATE)
    assert len(harness.publisher.published) == published


def test_members_of_a_crowd_of_1000_who_write_once_a_second_are_not_limited() -> None:
    sends = limits.SEND_RATE.seconds + 1
    assert sends * uses(limits.GROUP_MEMBERS_MAX) <= limits.SEND_RATE.count


def test_repeated_send_counts_no_recipients(harness: FunctionHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RECIPIENTS_PER_USE", 2)
    ana, *others = harness.users(4)
    group = harness.group(ana, *others)
    for _ in range(3):
        assert harness.send(ana, group, tempId="same").status == 200
    assert used(harness, ana, limits.SEND_RATE) == 3 + 1 + 1


def test_uses_that_cannot_be_counted_afterwards_do_not_fail_the_request(
    harness: FunctionHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RECIPIENTS_PER_USE", 2)
    ana, *others = harness.users(4)
    group = harness.group(ana, *others)
    harness.send_ok(ana, group)
    harness.faults.calls.clear()
    harness.send_ok(ana, group)
    harness.faults.arm(len(harness.faults.calls), throttled)
    assert harness.send(ana, group).status == 200
    assert harness.faults.triggered


def test_every_route_that_publishes_to_others_has_a_rate_limit() -> None:
    """Except those whose number a limited route bounds: each call and each message is answered a few times."""
    unlimited = {route.operation for route in ROUTES if route.method != "GET" and route.rate is None}
    assert unlimited == {"acceptCall", "rejectCall", "cancelCall", "leaveCall", "endCall"}
