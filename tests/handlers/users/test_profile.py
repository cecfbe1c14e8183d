"""Profiles: the own profile, public profiles, and the events of a change."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from contract import limits, tables
from handlers.adapters.system import SystemClock
from handlers.core.users.profile_rules import Account
from tests.harness.emulator import AwsResources
from tests.harness.functions import FunctionHarness


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    return FunctionHarness(aws, clock=SystemClock())


def _account(harness: FunctionHarness, **fields: Any) -> Account:
    values = {
        "user_id": str(uuid.uuid4()),
        "email": "Grace.Hopper@Example.org",
        "email_verified": True,
        "given_name": "Grace",
        "family_name": "Hopper",
        **fields,
    }
    account = Account(**values)
    harness.identities.accounts[f"token-{account.user_id}"] = account
    return account


def test_first_get_me_creates_the_profile_from_the_cognito_account(harness: FunctionHarness) -> None:
    account = _account(harness)
    first = harness.call_ok(account.user_id, "getMe", token=f"token-{account.user_id}")["user"]
    assert (first["fullName"], first["email"], first["emailVerified"]) == (
        "Grace Hopper",
        "grace.hopper@example.org",
        True,
    )
    assert (first["major"], first["year"], first["interests"]) == (None, None, [])
    assert harness.call_ok(account.user_id, "getMe", token="")["user"] == first
    assert harness.identities.requests == 1
    stored = harness.aws.item(tables.USERS, userId=account.user_id)
    assert stored is not None
    assert not {"major", "year"} & set(stored)


def test_concurrent_first_get_me_requests_create_one_profile(harness: FunctionHarness) -> None:
    account = _account(harness)
    with ThreadPoolExecutor(5) as pool:
        responses = list(
            pool.map(lambda _: harness.call_ok(account.user_id, "getMe", token=f"token-{account.user_id}"), range(5))
        )
    assert all(response == responses[0] for response in responses)
    assert len(harness.aws.scan(tables.USERS)) == 1


@pytest.mark.parametrize(
    ("fields", "first", "full"),
    [
        ({"given_name": ""}, "grace.hopper", "grace.hopper Hopper"),
        ({"family_name": " "}, "Grace", "Grace"),
        ({"given_name": "x" * 300}, "x" * limits.NAME_CHARACTERS, "x" * limits.NAME_CHARACTERS + " Hopper"),
    ],
)
def test_profile_of_an_incomplete_account_has_a_usable_name(
    harness: FunctionHarness, fields: dict[str, str], first: str, full: str
) -> None:
    account = _account(harness, **fields)
    made = harness.call_ok(account.user_id, "getMe", token=f"token-{account.user_id}")["user"]
    assert (made["firstName"], made["fullName"]) == (first, full)


def test_profile_without_email_stores_no_null_index_key(harness: FunctionHarness) -> None:
    account = _account(harness, email="")
    made = harness.call_ok(account.user_id, "getMe", token=f"token-{account.user_id}")["user"]
    assert made["email"] == ""
    assert "email" not in (harness.aws.item(tables.USERS, userId=account.user_id) or {})
    assert harness.call_ok(account.user_id, "updateMe", {"bio": "hello"})["user"]["email"] == ""


def test_refused_token_or_token_of_another_user_creates_no_profile(harness: FunctionHarness) -> None:
    account = _account(harness)
    assert harness.call(account.user_id, "getMe", token="expired").status == 401
    assert harness.call(str(uuid.uuid4()), "getMe", token=f"token-{account.user_id}").status == 401
    assert harness.aws.scan(tables.USERS) == []


def test_profile_change_sets_full_name_and_is_published_to_the_user_and_all_contacts(
    harness: FunctionHarness,
) -> None:
    ada, bob, cat, eve = (harness.user(name, "Example") for name in ("Ada", "Bob", "Cat", "Eve"))
    harness.direct(ada, bob)
    harness.group(cat, ada)
    harness.direct(bob, eve)
    harness.publisher.clear()
    response = harness.call_ok(ada, "updateMe", {"firstName": " Augusta ", "major": "Mathematics", "year": "Senior"})[
        "user"
    ]
    assert (response["fullName"], response["major"], response["year"]) == ("Augusta Example", "Mathematics", "Senior")
    assert response["updatedAt"] > response["createdAt"]
    for user in (ada, bob, cat):
        (event,) = harness.publisher.received(user, namespace="users")
        assert event["type"] == "USER_UPDATED"
        assert event["data"]["user"]["fullName"] == "Augusta Example"
        assert "email" not in event["data"]["user"]
    assert harness.publisher.received(eve, namespace="users") == []
    found = harness.aws.dynamodb.query(
        TableName=harness.aws.table(tables.USERS),
        IndexName="MajorIndex",
        KeyConditionExpression="major = :major",
        ExpressionAttributeValues={":major": {"S": "Mathematics"}},
    )["Items"]
    assert [item["userId"]["S"] for item in found] == [ada]


def test_null_clears_a_field_and_an_absent_field_is_not_changed(harness: FunctionHarness) -> None:
    ada = harness.user()
    harness.call_ok(ada, "updateMe", {"major": "Mathematics", "year": "Senior", "bio": "x", "interests": ["chess"]})
    response = harness.call_ok(ada, "updateMe", {"major": None, "year": None, "bio": ""})["user"]
    assert (response["major"], response["year"], response["bio"], response["interests"]) == (
        None,
        None,
        None,
        ["chess"],
    )
    stored = harness.aws.item(tables.USERS, userId=ada)
    assert stored is not None
    assert not {"major", "year", "bio"} & set(stored)


def test_profile_request_without_effect_publishes_nothing(harness: FunctionHarness) -> None:
    ada = harness.user("Ada", "Lovelace")
    before = harness.call_ok(ada, "getMe")["user"]
    for body in ({}, {"firstName": "Ada"}, {"bio": None}):
        assert harness.call_ok(ada, "updateMe", body)["user"] == before
    assert harness.publisher.published == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"firstName": "  "}, "firstName"),
        ({"firstName": None}, "firstName"),
        ({"email": "new@example.org"}, "email"),
        ({"emailVerified": True}, "emailVerified"),
        ({"year": "Wizard"}, "year"),
        ({"portfolioUrl": "javascript:alert(1)"}, "portfolioUrl"),
        ({"interests": ["x"] * (limits.INTERESTS_MAX + 1)}, "interests"),
    ],
)
def test_error_names_the_wrong_field(harness: FunctionHarness, body: dict[str, Any], field: str) -> None:
    response = harness.call(harness.user(), "updateMe", body)
    assert (response.status, response.body["error"]["field"]) == (400, field)


def test_user_without_a_profile_cannot_change_it(harness: FunctionHarness) -> None:
    assert harness.call("unknown-user", "updateMe", {"bio": "x"}).status == 404


def test_concurrent_profile_changes_are_all_applied(harness: FunctionHarness) -> None:
    ada = harness.user()
    bodies: list[dict[str, Any]] = [{"bio": "b"}, {"major": "m"}, {"interests": ["i"]}, {"lastName": "L"}]
    with ThreadPoolExecutor(4) as pool:
        responses = list(pool.map(lambda body: harness.call(ada, "updateMe", body), bodies))
    assert [response.status for response in responses] == [200] * 4
    now = harness.call_ok(ada, "getMe")["user"]
    assert (now["bio"], now["major"], now["interests"], now["lastName"]) == ("b", "m", ["i"], "L")
    assert len({event["timestamp"] for event in harness.publisher.received(ada, namespace="users")}) == 4


def test_profile_change_is_published_to_a_bounded_number_of_contacts_the_closest_first(
    aws: AwsResources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a bound, one change was published to up to 50,000 users."""
    assert limits.PROFILE_RECIPIENTS_MAX == 200
    monkeypatch.setattr(limits, "PROFILE_RECIPIENTS_MAX", 5)
    harness = FunctionHarness(aws, clock=SystemClock(), fanout_limit=3)
    ada, bob, *others = harness.users(10)
    small, large = others[:2], others
    for group in (large, small):
        harness.group(ada, *group)
    harness.direct(ada, bob)
    harness.deliver_outbox()
    harness.publisher.clear()
    harness.call_ok(ada, "updateMe", {"bio": "x"})
    (record,) = harness.aws.scan(tables.OUTBOX)
    assert len(record["recipients"]) == 6
    harness.deliver_outbox()
    received = [user for user in (bob, *others) if harness.publisher.received(user, namespace="users")]
    assert len(received) == 5
    assert {bob, *small} <= set(received)
    assert len(harness.publisher.received(ada, namespace="users")) == 1
    assert harness.call_ok(others[-1], "getUser", userId=ada)["user"]["bio"] == "x"


def test_get_user_returns_only_the_public_profile(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    response = harness.call_ok(ada, "getUser", userId=bob)
    assert (response["isOwnProfile"], response["isBlocked"]) == (False, False)
    assert not {"email", "emailVerified", "createdAt", "updatedAt"} & set(response["user"])
    own = harness.call_ok(ada, "getUser", userId=ada)
    assert own["isOwnProfile"] is True
    assert "email" not in own["user"]
    assert harness.call(ada, "getUser", userId="unknown-user").status == 404


def test_profiles_of_the_old_application_can_be_read_and_changed(harness: FunctionHarness) -> None:
    harness.aws.dynamodb.put_item(
        TableName=harness.aws.table(tables.USERS),
        Item={
            "userId": {"S": "old-user"},
            "email": {"S": "Old@Example.org"},
            "firstName": {"S": "old"},
            "lastName": {"S": "timer"},
            "major": {"S": "Undeclared"},
            "year": {"S": "Fifth"},
            "bio": {"NULL": True},
        },
    )
    shown = harness.call_ok("old-user", "getMe")["user"]
    assert (shown["fullName"], shown["year"], shown["major"]) == ("old timer", None, "Undeclared")
    changed = harness.call_ok("old-user", "updateMe", {"lastName": "Timer"})["user"]
    assert changed["fullName"] == "old Timer"
    assert [each["userId"] for each in harness.call_ok(harness.user(), "searchUsers", q="timer")["users"]] == [
        "old-user"
    ]
