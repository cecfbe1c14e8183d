"""Faults that only show when a client signs in, connects, publishes or requests; and what the operator asks about."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest

from local.testing import LocalCloud
from ops.deployed.target import Target
from ops.doctor.__main__ import examine
from ops.doctor.check import Outcome
from ops.doctor.examination import Question
from ops.doctor.report import Report, as_text
from ops.doctor.user import PREFIX
from stacks import outputs
from tests.ops.doctor.conftest import fresh, reported

LIVE = ("D211", "D602", "D603", "D604", "D611", "D612", "D613", "D614", "D711", "D810", "D811", "D812", "D813")


def look(target: Target, *only: str, question: Question | None = None) -> Report:
    return examine(fresh(target), question or Question(), only or LIVE)


@pytest.fixture(autouse=True)
def without_faults(session_cloud: LocalCloud) -> Iterator[None]:
    """Every fault is switched off before and after each test."""
    session_cloud.faults.clear()
    yield
    session_cloud.faults.clear()


def users_of(target: Target) -> list[str]:
    found = target.client("cognito-idp").list_users(UserPoolId=target.output(outputs.USER_POOL_ID))["Users"]
    emails = [each["Value"] for user in found for each in user["Attributes"] if each["Name"] == "email"]
    return [email for email in emails if email.startswith(PREFIX)]


def test_healthy_environment_passes_and_the_temporary_user_is_deleted(target: Target) -> None:
    report = look(target)
    assert [result.check.id for result in report.results if result.outcome is not Outcome.OK] == [], as_text(
        report, verbose=True
    )
    assert users_of(target) == []


def test_read_only_creates_no_user(target: Target) -> None:
    report = look(target, question=Question(with_user=False))
    not_tried = {result.check.id for result in report.of(Outcome.NOT_TRIED)}
    assert not_tried == {"D612", "D613", "D614", "D711", "D812", "D813"}


def test_stopped_events_service_is_named(session_cloud: LocalCloud, target: Target) -> None:
    session_cloud.kill9("events")
    try:  # without those that read the Event API, to which the emulator responds with 500 while it is stopped
        report = look(target, "D211", "D611", "D711", "D810", "D811", "D812", "D813")
    finally:
        session_cloud.restart("events")
    assert reported(report) == {"D611"}, as_text(report)
    assert "no WebSocket connection to" in as_text(report)
    assert users_of(target) == []


def test_refused_subscriptions_are_named(session_cloud: LocalCloud, target: Target) -> None:
    session_cloud.faults.set_events({"match": {"operation": "subscribe"}, "effect": "error"})
    report = look(target)
    assert reported(report) == {"D612"}, as_text(report)
    assert "a subscription to the user's own channel /chats" in as_text(report)


def test_dropped_events_are_named(session_cloud: LocalCloud, target: Target) -> None:
    session_cloud.faults.set_events({"match": {"operation": "deliver"}, "effect": "drop"})
    report = look(target)
    assert reported(report) == {"D614"}, as_text(report)


def test_slow_delivery_is_a_warning(session_cloud: LocalCloud, target: Target) -> None:
    """An event that takes more than 500 ms (G:2152)."""
    session_cloud.faults.set_events({"match": {"operation": "deliver"}, "effect": "delay", "delayMs": 900})
    report = look(target)
    assert reported(report) == {"D614"}, as_text(report)
    assert report.of(Outcome.FAILED) == []
    assert "from publish to receipt" in as_text(report)


def test_refused_publish_is_named(session_cloud: LocalCloud, target: Target) -> None:
    session_cloud.faults.set_events({"match": {"operation": "publish"}, "effect": "error", "status": 403})
    report = look(target)
    assert reported(report) == {"D614"}, as_text(report)
    assert "could not be published" in " ".join(as_text(report).split())


def test_failing_function_is_named(session_cloud: LocalCloud, target: Target) -> None:
    function = target.names.of("conversations")
    session_cloud.faults.set_aws(
        {"service": "dynamodb", "function": function, "effect": "error", "status": 400, "code": "AccessDeniedException"}
    )
    report = look(target)
    assert reported(report) == {"D812"}, as_text(report)


def test_failing_chime_is_named(session_cloud: LocalCloud, target: Target) -> None:
    session_cloud.faults.set_aws({"service": "chime", "effect": "error"})
    report = look(target, "D1")
    assert reported(report) == {"D107"}, as_text(report)


def test_sign_in_that_a_flow_forbids_is_named_by_the_flow_only(target: Target) -> None:
    cognito = target.client("cognito-idp")
    address = {"UserPoolId": target.output(outputs.USER_POOL_ID), "ClientId": target.output(outputs.CLIENT_ID)}
    flows = cognito.describe_user_pool_client(**address)["UserPoolClient"]["ExplicitAuthFlows"]
    cognito.update_user_pool_client(**address, ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"])
    try:
        report = look(target, "D7")
    finally:
        cognito.update_user_pool_client(**address, ExplicitAuthFlows=flows)
    assert reported(report) == {"D702"}, as_text(report)


@pytest.fixture(scope="module")
def tokens(session_cloud: LocalCloud, target: Target) -> dict[str, str]:
    """The tokens of a demo user."""
    user = session_cloud.users[0]
    answer = target.client("cognito-idp").admin_initiate_auth(
        UserPoolId=target.output(outputs.USER_POOL_ID),
        ClientId=target.output(outputs.CLIENT_ID),
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": user.email, "PASSWORD": user.password},
    )["AuthenticationResult"]
    return {"access": answer["AccessToken"], "id": answer["IdToken"]}


def altered(token: str, **claims: object) -> str:
    """Return a token with other claims, and the signature of the original."""
    header, payload, signature = token.split(".")
    decoded = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    encoded = base64.urlsafe_b64encode(json.dumps({**decoded, **claims}).encode()).decode().rstrip("=")
    return f"{header}.{encoded}.{signature}"


def test_valid_access_token_passes(target: Target, tokens: dict[str, str]) -> None:
    report = look(target, "D705", question=Question(token=tokens["access"]))
    assert reported(report) == set(), as_text(report)


@pytest.mark.parametrize(
    ("kind", "claims", "named"),
    [
        ("id", {}, "it is a token for id; the services accept access tokens only"),
        ("access", {"exp": 1_700_000_000}, "it expired"),
        ("access", {"iat": 4_000_000_000}, "in the future: the clock here or at its issuer is wrong"),
        ("access", {"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other"}, "not by the user pool"),
        ("access", {"client_id": "another"}, "it is for the app client another"),
        ("access", {"sub": "another"}, "its signature is not the user pool's"),
    ],
)
def test_refused_token_is_explained(
    target: Target, tokens: dict[str, str], kind: str, claims: dict[str, object], named: str
) -> None:
    token = altered(tokens[kind], **claims) if claims else tokens[kind]
    report = look(target, "D705", question=Question(token=token))
    assert reported(report) == {"D705"}, as_text(report)
    text = " ".join(as_text(report).split())
    assert named in text
    assert token.split(".")[1] not in text


def test_text_that_is_no_token_is_explained(target: Target) -> None:
    report = look(target, "D705", question=Question(token="session-4711"))
    assert "it is not a JWT" in as_text(report)


@pytest.mark.parametrize(
    ("channel", "named"),
    [
        ("/Chats/6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "channels are case-sensitive: chats"),
        ("/chats/6F9619FF-8B86-4D01-B42D-00CF4FC964FF", "has capital letters"),
        ("chats/6f9619ff", "must begin with /"),
        ("/chats/*", "without wildcard"),
        ("/chats/6f9619ff/messages", "has 2 segments after the namespace"),
        ("/typing/6f9619ff", "there is no namespace 'typing'"),
    ],
)
def test_wrong_channel_is_explained(target: Target, channel: str, named: str) -> None:
    report = look(target, "D607", question=Question(channel=channel))
    assert reported(report) == {"D607"}
    assert named in " ".join(as_text(report).split())


def test_right_channel_passes(target: Target) -> None:
    channel = "/chats/6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
    assert reported(look(target, "D607", question=Question(channel=channel))) == set()


def test_origin_that_is_not_allowed_is_named(target: Target) -> None:
    report = look(target, "D807", question=Question(origin="https://app.example.edu/"))
    assert reported(report) == {"D807"}
    assert "an origin has no path" in " ".join(as_text(report).split())
