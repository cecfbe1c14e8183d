"""Erasing one person: nothing of the person stays, and what belongs to others works as before."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from contract import tables
from handlers.core.shared.errors import UnavailableError
from ops.data.erase.erasure import Erasure
from ops.data.erase.person import FORMER
from ops.data.erasures import ErasureList, subject
from ops.data.table_access import TableAccess
from tests.harness.call_functions import CallFunctions
from tests.harness.chime import running_chime
from tests.harness.faults import FaultInjector, FaultyClient, ProcessKilledError
from tests.ops.data.campus import Campus, fast_pace

SECRET = "xylophone"
"""A word that only the erased person writes."""


class Scene:
    """Ada, who is erased, in a group and in a direct conversation with Grace."""

    def __init__(self, campus: Campus) -> None:
        self.campus = campus
        functions = campus.functions
        self.ada, self.grace = campus.sign_up("Ada", "Lovelace"), campus.sign_up("Grace", "Hopper")
        self.alan = campus.sign_up("Alan", "Turing")
        self.group = functions.group(self.ada, self.grace, self.alan)
        self.left = functions.group(self.grace, self.ada)
        self.direct = functions.direct(self.ada, self.grace)
        for conversation in (self.group, self.left, self.direct):
            functions.send_ok(self.grace, conversation, "hello")
            functions.send_ok(self.ada, conversation, f"{SECRET} 1")
            functions.send_ok(self.grace, conversation, "and you")
            functions.send(self.ada, conversation, f"{SECRET} 2", tempId=f"{SECRET}-{conversation[:8]}")
        functions.call_ok(self.ada, "leaveGroup", conversationId=self.left)
        functions.call_ok(self.ada, "blockUser", userId=self.alan)

    def erase(self) -> list[tuple[str, int]]:
        """Erase Ada."""
        return self.erasure().run(fast_pace())

    def erasure(self, client: Any = None) -> Erasure:
        """Return the erasure of Ada."""
        live = TableAccess(client=client or self.campus.aws.dynamodb, environment=self.campus.aws.environment)
        return Erasure(self.ada, live, self.campus.accounts)

    def assert_erased(self) -> None:
        """Check that nothing that Ada wrote or was called is left."""
        stored = self.campus.everything()
        assert SECRET not in stored
        assert "Lovelace" not in stored
        assert "lovelace" not in stored

    def assert_gapless(self, conversation: str) -> None:
        """Check that Grace reads every number, and that no reservation is left."""
        page = self.campus.functions.call_ok(self.grace, "getHistory", conversationId=conversation)
        numbers = sorted(message["seq"] for message in page["messages"])
        assert numbers == list(range(1, page["latestSeq"] + 1))
        tombstones = [each for each in page["messages"] if each["senderId"] == self.ada]
        assert [(each["deleted"], each["content"]) for each in tombstones] == [(True, None), (True, None)]


@pytest.fixture
def scene(campus: Campus) -> Scene:
    """Ada among others."""
    return Scene(campus)


def test_dry_run_counts_and_writes_nothing(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    before = scene.campus.everything()
    assert scene.campus.command("erase", "--user", scene.ada, "--json") == 1
    plan = json.loads(capsys.readouterr().out)["steps"]
    assert plan["messages made tombstones"] == 6
    assert plan["groups left"] == 1
    assert plan["account deleted"] == 1
    assert scene.campus.everything() == before
    assert scene.campus.aws.scan(tables.ERASURES) == []


def test_erasure_needs_the_typed_user_id(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    before = scene.campus.everything()
    assert scene.campus.command("erase", "--user", scene.ada, "--apply", answer="yes") == 2
    assert "Not confirmed" in capsys.readouterr().err
    assert scene.campus.everything() == before


def test_unknown_user_id_is_an_error_and_is_not_listed(campus: Campus, capsys: pytest.CaptureFixture[str]) -> None:
    assert campus.command("erase", "--user", "unknown", "--apply", answer="unknown") == 2
    assert "Nothing is stored about the user unknown" in capsys.readouterr().err
    assert campus.aws.scan(tables.ERASURES) == []


def test_nothing_of_the_person_is_left_and_the_history_has_no_gap(scene: Scene) -> None:
    assert scene.campus.command("erase", "--user", scene.ada, "--apply", answer=scene.ada) == 0
    scene.assert_erased()
    for conversation in (scene.group, scene.left, scene.direct):
        scene.assert_gapless(conversation)
    profile = scene.campus.aws.item(tables.USERS, userId=scene.ada)
    assert profile is not None
    assert (profile["fullName"], profile["emailVerified"]) == (FORMER, False)
    assert "email" not in profile
    assert "disabledAt" in profile
    assert (
        scene.campus.cognito.list_users(UserPoolId=scene.campus.pool_id, Filter=f'sub = "{scene.ada}"')["Users"] == []
    )
    found = scene.campus.functions.call_ok(scene.grace, "searchUsers", q="ada")
    assert found["users"] == []


def test_clients_learn_of_each_erased_message_by_its_change_number(scene: Scene) -> None:
    known = scene.campus.functions.call_ok(scene.grace, "getHistory", conversationId=scene.group)["latestChange"]
    scene.erase()
    page = scene.campus.functions.call_ok(scene.grace, "getHistory", conversationId=scene.group)
    assert page["latestChange"] == known + 2
    events = [json.loads(item["event"]) for item in scene.campus.aws.scan(tables.OUTBOX) if "event" in item]
    deleted = [each["data"] for each in events if each["type"] == "MESSAGE_DELETED"]
    assert len(deleted) == 6
    assert sorted(each["change"] for each in deleted if each["conversationId"] == scene.group) == [known + 1, known + 2]


def test_groups_go_on_with_a_new_channel_and_admin(scene: Scene) -> None:
    epoch = scene.campus.aws.item(tables.CONVERSATION_COUNTERS, conversationId=scene.group)
    scene.erase()
    conversation = scene.campus.functions.assert_consistent(scene.group)
    assert conversation["participants"] == [scene.grace, scene.alan]
    assert conversation["admins"] == [scene.grace]
    after = scene.campus.aws.item(tables.CONVERSATION_COUNTERS, conversationId=scene.group)
    assert epoch is not None
    assert after is not None
    assert after["channelEpoch"] != epoch["channelEpoch"]
    scene.campus.functions.send_ok(scene.grace, scene.group, "still here")


def test_direct_conversation_stays_for_the_other_participant(scene: Scene) -> None:
    scene.erase()
    listed = scene.campus.functions.call_ok(scene.grace, "listConversations")["conversations"]
    shown = {each["conversationId"]: each for each in listed}
    assert shown[scene.direct]["participantNames"][scene.ada] == FORMER
    assert shown[scene.direct]["lastMessage"]["deleted"] is True
    sent = scene.campus.functions.send_ok(scene.grace, scene.direct, "goodbye")
    assert sent["message"]["seq"] == 5


def test_repeated_erasure_finds_nothing(scene: Scene) -> None:
    scene.erase()
    assert sum(count for _, count in scene.erasure().plan()) == 0
    before = scene.campus.everything()
    assert sum(count for _, count in scene.erase()) == 0
    assert scene.campus.everything() == before


def test_list_of_erasures_holds_a_hash_and_dates_only(scene: Scene) -> None:
    scene.erase()
    (item,) = scene.campus.aws.scan(tables.ERASURES)
    assert set(item) == {"subject", "requestedAt", "completedAt"}
    assert item["subject"] == subject(scene.ada) != scene.ada
    assert scene.ada in ErasureList(scene.campus.live)
    assert scene.grace not in ErasureList(scene.campus.live)


def kill_before(make: Callable[[], Any]) -> Any:
    """End the process before a request."""
    raise ProcessKilledError


def kill_after(make: Callable[[], Any]) -> Any:
    """End the process after a request."""
    make()
    raise ProcessKilledError


@pytest.mark.parametrize(
    ("at", "fault"), [(9, kill_after), (17, kill_before), (19, kill_after), (31, kill_after), (60, kill_after)]
)
def test_erasure_that_was_ended_half_way_is_completed_by_the_next_run(
    scene: Scene, fault: Callable[..., Any], at: int
) -> None:
    faults = FaultInjector(at, fault)
    with pytest.raises(ProcessKilledError):
        scene.erasure(FaultyClient(scene.campus.aws.dynamodb, faults)).run(fast_pace())
    assert faults.triggered
    scene.campus.functions.advance(60)
    scene.erase()
    scene.assert_erased()
    for conversation in (scene.group, scene.left, scene.direct):
        scene.assert_gapless(conversation)
    assert sum(count for _, count in scene.erasure().plan()) == 0


def test_person_leaves_the_call_in_progress_and_call_records_lose_the_name(campus: Campus) -> None:
    with running_chime() as chime:
        calls = CallFunctions(campus.aws, chime)
        ada, grace = campus.sign_up("Ada", "Lovelace"), campus.sign_up("Grace", "Hopper")
        session = calls.ring(ada, grace)
        calls.act("accept", grace, session)
        assert calls.get(grace, session).body["call"]["status"] == "ACTIVE"
        Erasure(ada, campus.live, campus.accounts).run(fast_pace())
        call = campus.aws.item(tables.CALLS, sessionId=session)
        assert call is not None
        assert call["status"] == "ENDED"
        assert call["participants"][ada]["name"] == FORMER
        assert "Lovelace" not in campus.everything()
        assert "Hopper" in str(call)
        calls.sweep_calls(after_seconds=300)
        assert calls.get(grace, session).status == 200


def test_service_that_fails_ends_the_command_with_a_sentence(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(self: Erasure, pace: object) -> None:
        raise UnavailableError("the counter could not be read just now; try again")

    monkeypatch.setattr(Erasure, "run", fail)
    assert scene.campus.command("erase", "--user", scene.ada, "--apply", answer=scene.ada) == 2
    assert "run the command again to continue" in capsys.readouterr().err
