"""Questions about Amazon Chime SDK Meetings: permissions, repeated tokens, join tokens."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

from botocore.exceptions import ClientError

from ops.verify.deployment import Deployment
from ops.verify.question import CannotAskError, Observation, PossibleAnswer, Question
from ops.verify.temporary import deleted_after, temporary_name

_SERVICE: Final = "chime-sdk-meetings"
_PERMISSION_MINUTES: Final = 2
_PERMISSION_SECONDS: Final = 5
_POLICY: Final = "Meetings"
_DENIED: Final = ("AccessDeniedException", "AccessDenied", "ForbiddenException", "UnauthorizedClientException")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+=*")
_URL_SAFE: Final = re.compile(r"[A-Za-z0-9_-]+")
_MEETINGS: Final = "arn:aws:chime:*:{account}:meeting/*"


def error_code(error: ClientError) -> str:
    """Return the code of an error of AWS."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _meeting(client: Any, region: str, token: str, external_id: str | None = None) -> dict[str, Any]:
    response = client.create_meeting(
        ClientRequestToken=token, ExternalMeetingId=external_id or token, MediaRegion=region
    )
    meeting: dict[str, Any] = response["Meeting"]
    return meeting


def _media_region(deployment: Deployment) -> str:
    return deployment.environment.calls.media_region or deployment.region


@contextmanager
def _created_meeting(deployment: Deployment) -> Iterator[tuple[Any, str, dict[str, Any]]]:
    """Create a meeting, and yield the client, its token and the meeting."""
    client, token = deployment.make_client(_SERVICE), str(uuid.uuid4())
    meeting = _meeting(client, _media_region(deployment), token)
    with deleted_after("The meeting", lambda: client.delete_meeting(MeetingId=meeting["MeetingId"])):
        yield client, token, meeting


def _ask_meeting_resource(deployment: Deployment) -> Observation:
    """Try CreateMeeting under a role whose only permission is on meeting/*; the role without it must be refused."""
    iam, role = deployment.make_client("iam"), temporary_name("meeting")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": deployment.account}}
    with deleted_after(f"The role {role}", lambda: _delete_role(iam, role)):
        created = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(_document(trust)))
        keys = _role_keys(deployment, created["Role"]["Arn"])
        client = deployment.make_client_as(_SERVICE, keys)
        if _refusal(deployment, client) is None:
            raise CannotAskError("CreateMeeting succeeded under a role without permissions, so that nothing is checked")
        refusal = _refusal_with(deployment, iam, role, _MEETINGS.format(account=deployment.account), client)
        if refusal is None:
            return Observation("meeting", f"allowed by {_MEETINGS.format(account='<account>')}")
        if (denied := _refusal_with(deployment, iam, role, "*", client)) is not None:
            raise CannotAskError(f'CreateMeeting was refused under a role that allows it on "*": {denied}')
        return Observation("star", _without_account(refusal, deployment))


def _refusal_with(deployment: Deployment, iam: Any, role: str, resource: str, client: Any) -> str | None:
    """Allow CreateMeeting on a resource; return the last refusal, or None as soon as a meeting is created."""
    statement = {"Effect": "Allow", "Action": "chime:CreateMeeting", "Resource": resource}
    iam.put_role_policy(RoleName=role, PolicyName=_POLICY, PolicyDocument=json.dumps(_document(statement)))
    refusals: list[str] = []

    def allowed() -> bool:
        refusal = _refusal(deployment, client)
        refusals.append(refusal or "")
        return refusal is None

    # IAM applies a changed policy after some seconds.
    if deployment.wait_until(allowed, minutes=_PERMISSION_MINUTES, every=_PERMISSION_SECONDS):
        return None
    return refusals[-1]


def _refusal(deployment: Deployment, client: Any) -> str | None:
    """Return why CreateMeeting was refused, or None; delete the meeting as the operator."""
    try:
        meeting = _meeting(client, _media_region(deployment), str(uuid.uuid4()))
    except ClientError as error:
        if error_code(error) in _DENIED:
            return str(error)
        raise
    operator = deployment.make_client(_SERVICE)
    with deleted_after("The meeting", lambda: operator.delete_meeting(MeetingId=meeting["MeetingId"])):
        return None


def _role_keys(deployment: Deployment, arn: str) -> tuple[str, str, str]:
    sts = deployment.make_client("sts")

    def assume() -> Any:
        try:
            return sts.assume_role(RoleArn=arn, RoleSessionName="verify")["Credentials"]
        except ClientError as error:
            if error_code(error) == "AccessDenied":  # a new role can be assumed after some seconds
                return None
            raise

    keys = deployment.wait_until(assume, minutes=1, every=_PERMISSION_SECONDS)
    if keys is None:
        raise CannotAskError("the temporary role could not be assumed: the operator needs sts:AssumeRole")
    return keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]


def _delete_role(iam: Any, role: str) -> None:
    steps: tuple[Callable[[], Any], ...] = (
        lambda: iam.delete_role_policy(RoleName=role, PolicyName=_POLICY),
        lambda: iam.delete_role(RoleName=role),
    )
    for delete in steps:
        try:
            delete()
        except ClientError as error:
            if error_code(error) != "NoSuchEntity":
                raise


def _document(statement: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [statement]}


def _without_account(text: str, deployment: Deployment) -> str:
    return text.replace(deployment.account, "<account>")


def _ask_simultaneous(deployment: Deployment) -> Observation:
    client, token = deployment.make_client(_SERVICE), str(uuid.uuid4())
    ids: set[str] = set()

    def create(_: int) -> str:
        try:
            meeting = _meeting(client, _media_region(deployment), token)
        except ClientError as error:
            return error_code(error)
        ids.add(meeting["MeetingId"])
        return "created"

    with deleted_after("The meetings", lambda: [client.delete_meeting(MeetingId=each) for each in sorted(ids)]):
        with ThreadPoolExecutor(4) as threads:
            results = list(threads.map(create, range(8)))
        seen = f"{results.count('created')} of 8 created, {len(ids)} meetings, errors: " + (
            ", ".join(sorted(set(results) - {"created"})) or "none"
        )
        if len(ids) > 1:
            return Observation("several", seen)
        others = set(results) - {"created", "ConflictException"}
        if others:
            return Observation("other", seen)
        return Observation("conflict" if "ConflictException" in results else "same", seen)


def _ask_other_properties(deployment: Deployment) -> Observation:
    with _created_meeting(deployment) as (client, token, meeting):
        try:
            again = _meeting(client, _media_region(deployment), token, external_id=f"{token}-other")
        except ClientError as error:
            code = error_code(error)
            return Observation("conflict" if code == "ConflictException" else "other", code)
        if again["MeetingId"] == meeting["MeetingId"]:
            return Observation("same", f"the first meeting, ExternalMeetingId {_kind(again, token)}")
        client.delete_meeting(MeetingId=again["MeetingId"])
        return Observation("new", "another meeting")


def _kind(meeting: dict[str, Any], token: str) -> str:
    return "unchanged" if meeting.get("ExternalMeetingId") == token else "changed"


def _ask_used_token(deployment: Deployment) -> Observation:
    client, token = deployment.make_client(_SERVICE), str(uuid.uuid4())
    first = _meeting(client, _media_region(deployment), token)
    client.delete_meeting(MeetingId=first["MeetingId"])
    try:
        again = _meeting(client, _media_region(deployment), token)
    except ClientError as error:
        return Observation("refused", error_code(error))
    with deleted_after("The meeting", lambda: client.delete_meeting(MeetingId=again["MeetingId"])):
        if again["MeetingId"] == first["MeetingId"]:
            return Observation("same", "the id of the deleted meeting")
        return Observation("new", "a meeting with another id")


def _ask_join_token(deployment: Deployment) -> Observation:
    with _created_meeting(deployment) as (client, _, meeting):
        tokens = [
            str(
                client.create_attendee(MeetingId=meeting["MeetingId"], ExternalUserId=f"user-{n}")["Attendee"][
                    "JoinToken"
                ]
            )
            for n in range(4)
        ]
        special = sorted({each for token in tokens for each in token if not each.isalnum()})
        seen = f"{min(map(len, tokens))} to {max(map(len, tokens))} characters, with {' '.join(special) or 'no others'}"
        for key, form in (("base64", _BASE64), ("url-safe", _URL_SAFE)):
            if all(form.fullmatch(token) for token in tokens):
                return Observation(key, seen)
        return Observation("other", seen)


_MEETING: Final = "a meeting without attendees"

QUESTIONS: Final = (
    Question(
        id="chime-meeting-resource",
        text="Does IAM check chime:CreateMeeting against `meeting/*`?",
        how="CreateMeeting under a temporary role without permission, then with permission on `meeting/*`, then on `*`",
        source="the service authorization reference lists no resource for CreateMeeting; logs of errors show this one",
        answers=(
            PossibleAnswer("meeting", "yes", "calls can be connected with the permissions of `stacks/policy/arns.py`"),
            PossibleAnswer(
                "star",
                "no, only `*` allows it",
                "calls cannot be connected: allow CreateMeeting on `*` in a statement of its own (`allow_meetings` in "
                "`stacks/policy/statements.py`), and let `local/emulator/permissions/needs.py` decide so",
            ),
        ),
        ask=_ask_meeting_resource,
        creates=f"an IAM role, {_MEETING}",
        minutes=1,
    ),
    Question(
        id="chime-simultaneous-token",
        text="What do simultaneous CreateMeeting requests with one token get?",
        how="eight CreateMeeting requests with one token, four at a time",
        source="the API reference says ConflictException, but not how long requests count as simultaneous",
        answers=(
            PossibleAnswer(
                "conflict", "one meeting, the others ConflictException", "`handlers/adapters/chime` repeats after it"
            ),
            PossibleAnswer(
                "same",
                "the same meeting each time",
                "none: the retry after ConflictException is not needed, but harmless",
            ),
            PossibleAnswer(
                "several",
                "several meetings",
                "participants of one call can be in different meetings: announce the meeting by a lock in "
                "`handlers/core/calls/meeting_access.py`",
            ),
            PossibleAnswer(
                "other",
                "another error",
                "add the code to `_SIMULTANEOUS` in `handlers/adapters/chime`, and to `local/emulator/chime`",
            ),
        ),
        ask=_ask_simultaneous,
        creates=_MEETING,
    ),
    Question(
        id="chime-other-properties",
        text="What does CreateMeeting answer to a used token with other properties?",
        how="CreateMeeting twice with one token and two values of ExternalMeetingId",
        source="the API reference does not say",
        answers=(
            PossibleAnswer("conflict", "ConflictException", "as in `local/emulator/chime/meetings.py`"),
            PossibleAnswer("same", "the first meeting", "correct `local/emulator/chime/meetings.py`"),
            PossibleAnswer("new", "another meeting", "correct `local/emulator/chime/meetings.py`"),
            PossibleAnswer("other", "another error", "correct `local/emulator/chime/meetings.py`"),
        ),
        ask=_ask_other_properties,
        creates=_MEETING,
    ),
    Question(
        id="chime-used-token",
        text="Does the token of a deleted meeting make a new meeting?",
        how="CreateMeeting, DeleteMeeting, CreateMeeting with the same token",
        source="the API reference does not say",
        answers=(
            PossibleAnswer(
                "new",
                "yes",
                "the clean-up of a call whose meeting is gone makes and deletes another one "
                "(`handlers/core/calls/meeting_cleanup.py`)",
            ),
            PossibleAnswer(
                "same",
                "no, the deleted meeting is returned",
                "correct `local/emulator/chime/meetings.py`; a call whose meeting ended cannot be joined again",
            ),
            PossibleAnswer(
                "refused",
                "no, it is refused",
                "correct `local/emulator/chime/meetings.py`, and treat the code as a deleted "
                "meeting in `handlers/adapters/chime`",
            ),
        ),
        ask=_ask_used_token,
        creates=_MEETING,
    ),
    Question(
        id="chime-join-token",
        text="Which characters has a join token?",
        how="CreateAttendee four times",
        source="the API reference gives only the length; browsers pass the token as a WebSocket subprotocol",
        answers=(
            PossibleAnswer("base64", "letters, digits, +, / and =", "as in `local/emulator/chime/meeting.py`"),
            PossibleAnswer(
                "url-safe", "letters, digits, - and _", "use its alphabet in `local/emulator/chime/meeting.py`"
            ),
            PossibleAnswer("other", "others too", "use its alphabet in `local/emulator/chime/meeting.py`"),
        ),
        ask=_ask_join_token,
        creates="a meeting with four attendees who do not join",
    ),
)
