"""Each possible answer about Chime, from recorded responses."""

from __future__ import annotations

from typing import Any

import pytest

from ops.verify.asking import ask
from ops.verify.catalogue import selected
from ops.verify.question import Answer, State
from tests.ops.verify.recorded import ACCOUNT, RecordedAws

CHIME = "chime-sdk-meetings"
DENIED = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/x is not authorized on arn:aws:chime:us-east-1:{ACCOUNT}:*"


def answered(recorded: RecordedAws, id: str) -> Answer:
    (question,) = selected([id])
    return ask(question, recorded.deployment())


def meeting(id: str = "m1", external: str = "e1") -> dict[str, Any]:
    return {"Meeting": {"MeetingId": id, "ExternalMeetingId": external}}


def prepare_role(recorded: RecordedAws) -> None:
    recorded.answers("sts", "get_caller_identity", {"Account": ACCOUNT})
    role = {
        "Path": "/",
        "RoleName": "r",
        "RoleId": "AROA0000000000000000",
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/r",
        "CreateDate": "2026-11-01T00:00:00Z",
    }
    recorded.answers("iam", "create_role", {"Role": role})
    recorded.refuses("sts", "assume_role", "AccessDenied")  # a new role is not assumable at once
    keys = {
        "AccessKeyId": "ASIA000000000000",
        "SecretAccessKey": "s",
        "SessionToken": "t",
        "Expiration": "2026-11-01T01:00:00Z",
    }
    recorded.answers("sts", "assume_role", {"Credentials": keys})


def delete_role(recorded: RecordedAws) -> None:
    recorded.answers("iam", "delete_role_policy")
    recorded.answers("iam", "delete_role")


def test_permission_on_meetings_is_enough(recorded: RecordedAws) -> None:
    prepare_role(recorded)
    recorded.refuses(CHIME, "create_meeting", "AccessDeniedException", DENIED)
    recorded.answers("iam", "put_role_policy")
    recorded.refuses(CHIME, "create_meeting", "AccessDeniedException", DENIED)  # not yet applied
    recorded.answers(CHIME, "create_meeting", meeting())
    recorded.answers(CHIME, "delete_meeting")
    delete_role(recorded)
    answer = answered(recorded, "chime-meeting-resource")
    assert answer.state is State.AS_ASSUMED
    assert ACCOUNT not in answer.seen


def test_permission_on_everything_is_needed(recorded: RecordedAws) -> None:
    prepare_role(recorded)
    recorded.refuses(CHIME, "create_meeting", "AccessDeniedException", DENIED)
    recorded.answers("iam", "put_role_policy")
    for _ in range(25):
        recorded.refuses(CHIME, "create_meeting", "AccessDeniedException", DENIED)
    recorded.answers("iam", "put_role_policy")
    recorded.answers(CHIME, "create_meeting", meeting())
    recorded.answers(CHIME, "delete_meeting")
    delete_role(recorded)
    answer = answered(recorded, "chime-meeting-resource")
    assert answer.state is State.DIFFERS
    assert answer.given is not None
    assert "stacks/policy/statements.py" in answer.given.consequence
    assert ACCOUNT not in answer.seen


def test_a_target_that_checks_nothing_gives_no_answer(recorded: RecordedAws) -> None:
    prepare_role(recorded)
    recorded.answers(CHIME, "create_meeting", meeting())
    recorded.answers(CHIME, "delete_meeting")
    recorded.refuses("iam", "delete_role_policy", "NoSuchEntity")
    recorded.answers("iam", "delete_role")
    answer = answered(recorded, "chime-meeting-resource")
    assert answer.state is State.NOT_ASKED
    assert "nothing is checked" in answer.seen


@pytest.mark.parametrize(
    ("ids", "codes", "key"),
    [
        (["m1"], ["ConflictException"] * 7, "conflict"),
        (["m1"] * 8, [], "same"),
        (["m1"] * 7 + ["m2"], [], "several"),
        (["m1"], ["ThrottlingException"] * 7, "other"),
    ],
)
def test_simultaneous_requests(recorded: RecordedAws, ids: list[str], codes: list[str], key: str) -> None:
    for id in ids:
        recorded.answers(CHIME, "create_meeting", meeting(id))
    for code in codes:
        recorded.refuses(CHIME, "create_meeting", code)
    for id in sorted(set(ids)):
        recorded.answers(CHIME, "delete_meeting", MeetingId=id)
    answer = answered(recorded, "chime-simultaneous-token")
    assert answer.given == answer.question.answer(key)


@pytest.mark.parametrize(
    ("second", "key"),
    [("ConflictException", "conflict"), ("BadRequestException", "other"), ("m1", "same"), ("m2", "new")],
)
def test_used_token_with_other_properties(recorded: RecordedAws, second: str, key: str) -> None:
    recorded.answers(CHIME, "create_meeting", meeting("m1"))
    if second.endswith("Exception"):
        recorded.refuses(CHIME, "create_meeting", second)
    else:
        recorded.answers(CHIME, "create_meeting", meeting(second))
    for id in ("m2", "m1") if second == "m2" else ("m1",):
        recorded.answers(CHIME, "delete_meeting", MeetingId=id)
    answer = answered(recorded, "chime-other-properties")
    assert answer.given == answer.question.answer(key)


@pytest.mark.parametrize(("second", "key"), [("m2", "new"), ("m1", "same"), ("ConflictException", "refused")])
def test_token_of_a_deleted_meeting(recorded: RecordedAws, second: str, key: str) -> None:
    recorded.answers(CHIME, "create_meeting", meeting("m1"))
    recorded.answers(CHIME, "delete_meeting", MeetingId="m1")
    if second.endswith("Exception"):
        recorded.refuses(CHIME, "create_meeting", second)
    else:
        recorded.answers(CHIME, "create_meeting", meeting(second))
        recorded.answers(CHIME, "delete_meeting", MeetingId=second)
    answer = answered(recorded, "chime-used-token")
    assert answer.given == answer.question.answer(key)


@pytest.mark.parametrize(("token", "key"), [("Az09/+==", "base64"), ("Az09_-", "url-safe"), ("Az09.", "other")])
def test_characters_of_a_join_token(recorded: RecordedAws, token: str, key: str) -> None:
    recorded.answers(CHIME, "create_meeting", meeting())
    for number in range(4):
        attendee = {"ExternalUserId": f"user-{number}", "AttendeeId": f"a{number}", "JoinToken": token}
        recorded.answers(CHIME, "create_attendee", {"Attendee": attendee})
    recorded.answers(CHIME, "delete_meeting")
    answer = answered(recorded, "chime-join-token")
    assert answer.given == answer.question.answer(key)


def test_missing_permission_of_the_operator_is_a_reason(recorded: RecordedAws) -> None:
    recorded.refuses(CHIME, "create_meeting", "AccessDeniedException", "not authorized")
    answer = answered(recorded, "chime-join-token")
    assert answer.state is State.NOT_ASKED
    assert "AccessDeniedException" in answer.seen
