"""Profiles: the own one, other people's public part, and what changes tell whom."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from contract import limits, tables
from handlers.core.users.profile_rules import Account
from tests.harness.handlers.cloud import World
from tests.harness.handlers.people import Town


@pytest.fixture
def town(world: World) -> Town:
    return Town(world)


def _known(town: Town, **fields: Any) -> Account:
    known = {
        "user_id": str(uuid.uuid4()),
        "email": "Grace.Hopper@Example.org",
        "email_verified": True,
        "given_name": "Grace",
        "family_name": "Hopper",
        **fields,
    }
    account = Account(**known)
    town.accounts.accounts[f"token-{account.user_id}"] = account
    return account


def test_the_first_look_at_the_own_profile_makes_it_from_cognitos_answer(town: Town) -> None:
    account = _known(town)
    first = town.done(account.user_id, "getMe", token=f"token-{account.user_id}")["user"]
    assert (first["fullName"], first["email"], first["emailVerified"]) == (
        "Grace Hopper",
        "grace.hopper@example.org",
        True,
    )
    assert (first["major"], first["year"], first["interests"]) == (None, None, [])
    assert town.done(account.user_id, "getMe", token="")["user"] == first
    assert town.accounts.asked == 1
    stored = town.item(tables.USERS, userId=account.user_id)
    assert stored is not None
    assert not {"major", "year"} & set(stored)


def test_parallel_first_looks_make_one_profile(town: Town) -> None:
    account = _known(town)
    with ThreadPoolExecutor(5) as pool:
        answers = list(
            pool.map(lambda _: town.done(account.user_id, "getMe", token=f"token-{account.user_id}"), range(5))
        )
    assert all(answer == answers[0] for answer in answers)
    assert len(town.scan(tables.USERS)) == 1


@pytest.mark.parametrize(
    ("fields", "first", "full"),
    [
        ({"given_name": ""}, "grace.hopper", "grace.hopper Hopper"),
        ({"family_name": " "}, "Grace", "Grace"),
        ({"given_name": "x" * 300}, "x" * limits.NAME_CHARACTERS, "x" * limits.NAME_CHARACTERS + " Hopper"),
    ],
)
def test_incomplete_accounts_get_a_sensible_name(town: Town, fields: dict[str, str], first: str, full: str) -> None:
    account = _known(town, **fields)
    made = town.done(account.user_id, "getMe", token=f"token-{account.user_id}")["user"]
    assert (made["firstName"], made["fullName"]) == (first, full)


def test_an_account_without_an_address_has_no_null_in_an_index(town: Town) -> None:
    account = _known(town, email="")
    made = town.done(account.user_id, "getMe", token=f"token-{account.user_id}")["user"]
    assert made["email"] == ""
    assert "email" not in (town.item(tables.USERS, userId=account.user_id) or {})
    assert town.done(account.user_id, "updateMe", {"bio": "hello"})["user"]["email"] == ""


def test_a_token_that_cognito_refuses_or_of_somebody_else_makes_no_profile(town: Town) -> None:
    account = _known(town)
    assert town.call(account.user_id, "getMe", token="expired").status == 401
    assert town.call(str(uuid.uuid4()), "getMe", token=f"token-{account.user_id}").status == 401
    assert town.scan(tables.USERS) == []


def test_a_change_recomputes_the_full_name_and_tells_oneself_and_everybody_one_talks_to(town: Town) -> None:
    ada, bob, cat, eve = (town.user(name, "Example") for name in ("Ada", "Bob", "Cat", "Eve"))
    town.direct(ada, bob)
    town.group(cat, ada)
    town.direct(bob, eve)
    town.forget()
    answer = town.done(ada, "updateMe", {"firstName": " Augusta ", "major": "Mathematics", "year": "Senior"})["user"]
    assert (answer["fullName"], answer["major"], answer["year"]) == ("Augusta Example", "Mathematics", "Senior")
    assert answer["updatedAt"] > answer["createdAt"]
    for user in (ada, bob, cat):
        (event,) = town.heard(user, namespace="users")
        assert event["type"] == "USER_UPDATED"
        assert event["data"]["user"]["fullName"] == "Augusta Example"
        assert "email" not in event["data"]["user"]
    assert town.heard(eve, namespace="users") == []
    found = town.world.dynamodb.query(
        TableName=town.table(tables.USERS),
        IndexName="MajorIndex",
        KeyConditionExpression="major = :major",
        ExpressionAttributeValues={":major": {"S": "Mathematics"}},
    )["Items"]
    assert [item["userId"]["S"] for item in found] == [ada]


def test_null_clears_and_what_is_absent_stays(town: Town) -> None:
    ada = town.user()
    town.done(ada, "updateMe", {"major": "Mathematics", "year": "Senior", "bio": "x", "interests": ["chess"]})
    answer = town.done(ada, "updateMe", {"major": None, "year": None, "bio": ""})["user"]
    assert (answer["major"], answer["year"], answer["bio"], answer["interests"]) == (None, None, None, ["chess"])
    stored = town.item(tables.USERS, userId=ada)
    assert stored is not None
    assert not {"major", "year", "bio"} & set(stored)


def test_a_change_that_changes_nothing_tells_nobody(town: Town) -> None:
    ada = town.user("Ada", "Lovelace")
    before = town.done(ada, "getMe")["user"]
    for body in ({}, {"firstName": "Ada"}, {"bio": None}):
        assert town.done(ada, "updateMe", body)["user"] == before
    assert town.publisher.published == []


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
def test_a_wrong_field_is_named(town: Town, body: dict[str, Any], field: str) -> None:
    answer = town.call(town.user(), "updateMe", body)
    assert (answer.status, answer.body["error"]["field"]) == (400, field)


def test_somebody_without_a_profile_cannot_change_it(town: Town) -> None:
    assert town.call("nobody", "updateMe", {"bio": "x"}).status == 404


def test_changes_at_once_lose_none(town: Town) -> None:
    ada = town.user()
    bodies: list[dict[str, Any]] = [{"bio": "b"}, {"major": "m"}, {"interests": ["i"]}, {"lastName": "L"}]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda body: town.call(ada, "updateMe", body), bodies))
    assert [answer.status for answer in answers] == [200] * 4
    now = town.done(ada, "getMe")["user"]
    assert (now["bio"], now["major"], now["interests"], now["lastName"]) == ("b", "m", ["i"], "L")
    assert len({event["timestamp"] for event in town.heard(ada, namespace="users")}) == 4


def test_many_acquaintances_are_told_in_slices_of_several_records(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RECORD_RECIPIENTS_MAX", 4)
    town = Town(world, fanout_limit=3)
    people = town.users(10)
    town.group(people[0], *people[1:])
    town.deliver_everything()
    town.forget()
    town.done(people[0], "updateMe", {"bio": "x"})
    assert len(town.scan(tables.OUTBOX)) == 2
    town.deliver_everything()
    assert all(len(town.heard(user, namespace="users")) == 1 for user in people)


def test_other_people_see_the_public_part_only(town: Town) -> None:
    ada, bob = town.users(2)
    answer = town.done(ada, "getUser", userId=bob)
    assert (answer["isOwnProfile"], answer["isBlocked"]) == (False, False)
    assert not {"email", "emailVerified", "createdAt", "updatedAt"} & set(answer["user"])
    own = town.done(ada, "getUser", userId=ada)
    assert own["isOwnProfile"] is True
    assert "email" not in own["user"]
    assert town.call(ada, "getUser", userId="nobody").status == 404


def test_profiles_of_the_old_application_can_be_read_and_changed(town: Town) -> None:
    town.world.dynamodb.put_item(
        TableName=town.table(tables.USERS),
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
    shown = town.done("old-user", "getMe")["user"]
    assert (shown["fullName"], shown["year"], shown["major"]) == ("old timer", None, "Undeclared")
    changed = town.done("old-user", "updateMe", {"lastName": "Timer"})["user"]
    assert changed["fullName"] == "old Timer"
    assert [each["userId"] for each in town.done(town.user(), "searchUsers", q="timer")["users"]] == ["old-user"]
