"""Restoring: copies aside, comparison, conditional copy back, and the repetition of erasures.

The emulator takes RestoreTableToPointInTime but copies the present items, so the past is an on-demand backup here.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contract import tables
from handlers.adapters.dynamodb.codec import to_item
from ops.data.erase.erasure import Erasure
from ops.data.erase.person import FORMER
from ops.data.erasures import ErasureList
from ops.data.restore.admission import Sources
from ops.data.restore.aside import Aside, DynamoRestores, parse_moment, stamp_of
from ops.data.restore.copy_back import Copy
from ops.data.restore.job_files import Audit, Progress
from ops.data.restore.rules import COPIED, RULES
from ops.data.table_access import TableAccess
from ops.errors import CommandError
from tests.harness.faults import FaultInjector, FaultyClient, ProcessKilledError
from tests.ops.data.campus import Campus, fast_pace

MOMENT = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
"""The time in the names of the copies; after every backup of the tests."""
TIME = MOMENT.isoformat()
STAMP = stamp_of(MOMENT)


class Past:
    """An environment with conversations, and a backup of its tables."""

    def __init__(self, campus: Campus, work: Path) -> None:
        self.campus, self.work = campus, work
        functions = campus.functions
        self.ada, self.grace = campus.sign_up("Ada", "Lovelace"), campus.sign_up("Grace", "Hopper")
        self.group = functions.group(self.ada, self.grace)
        self.direct = functions.direct(self.ada, self.grace)
        for conversation in (self.group, self.direct):
            self.sent = [functions.send_ok(self.ada, conversation, text)["message"] for text in ("one", "two")]
        self.back_up()

    def back_up(self) -> None:
        """Take an on-demand backup of every table."""
        for table in tables.TABLES:
            self.campus.aws.dynamodb.create_backup(TableName=self.campus.aws.table(table), BackupName="past")

    def aside(self) -> None:
        """Restore the backups aside."""
        Aside(self.campus.live, MOMENT, fast_pace(), sleep=lambda seconds: None).run(from_backups=True)

    def run(self, step: str, *arguments: str) -> int:
        """Run a step of the restore with its confirmation."""
        return self.campus.command("restore", step, "--time", TIME, "--work", str(self.work), *arguments, answer=STAMP)

    def copy(self, client: Any = None) -> Copy:
        """Return the copy back, as the command makes it."""
        live = TableAccess(client=client or self.campus.aws.dynamodb, environment=self.campus.aws.environment)
        sources = Sources(live=live, restored=live.restored(STAMP), erasures=ErasureList(live))
        job = {"environment": live.environment, "time": STAMP}
        return Copy(sources, fast_pace(), Progress(self.work / "progress.json", job), Audit(self.work / "audit.jsonl"))

    def lose(self, table: tables.Table, **key: Any) -> None:
        """Delete an item by accident."""
        self.campus.live.delete(table, key)

    def lose_all(self, *lost: tables.Table) -> None:
        """Empty tables by accident."""
        for table in lost:
            for item in self.campus.aws.scan(table):
                keys = [key.name for key in (table.partition, table.sort) if key]
                self.campus.live.delete(table, {name: item[name] for name in keys})

    def written(self) -> list[dict[str, Any]]:
        """Return the lines of the audit."""
        return [json.loads(line) for line in (self.work / "audit.jsonl").read_text(encoding="utf-8").splitlines()]

    def contents(self, conversation: str) -> list[tuple[int, str | None]]:
        """Return number and content of every message that Grace reads."""
        page = self.campus.functions.call_ok(self.grace, "getHistory", conversationId=conversation)
        return sorted((each["seq"], each["content"]) for each in page["messages"])


@pytest.fixture
def past(campus: Campus, tmp_path: Path) -> Past:
    """A backup, and the present."""
    return Past(campus, tmp_path / "work")


def test_every_table_has_a_rule_and_temporary_tables_are_left_out() -> None:
    assert {rule.table.entity for rule in RULES} == {table.entity for table in tables.TABLES}
    left_out = {rule.table.entity for rule in RULES if rule.left_out}
    assert left_out == {"CallLocks", "Idempotency", "Outbox", "RateLimits"}
    assert {rule.table.entity for rule in RULES} - left_out == {rule.table.entity for rule in COPIED}


def test_lost_messages_come_back_and_newer_ones_stay(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    functions = past.campus.functions
    functions.edit(past.ada, past.sent[1], "two, edited")
    functions.send_ok(past.grace, past.direct, "three")
    past.lose(tables.MESSAGES, conversationId=past.direct, timestamp=past.sent[0]["timestamp"])
    past.aside()
    before = past.campus.everything()
    assert past.run("compare", "--json") == 1
    found = {each["table"]: each["counts"] for each in json.loads(capsys.readouterr().out)["tables"]}
    assert found["Messages"] == {"same": 2, "missing": 1, "to copy": 1, "newer": 1}
    assert found["Users"] == {"same": 2}
    assert past.campus.everything() == before
    assert past.run("copy-back", "--apply") == 0
    assert past.contents(past.direct) == [(1, "one"), (2, "two, edited"), (3, "three")]
    assert [(each["table"], each["action"]) for each in past.written()] == [("Messages", "put")]
    assert "content" not in (past.work / "audit.jsonl").read_text(encoding="utf-8")
    assert past.run("compare") == 0


@pytest.mark.parametrize("kind", ["direct", "group"])
def test_no_sequence_number_is_used_twice_after_a_lost_conversation_comes_back(past: Past, kind: str) -> None:
    conversation = past.direct if kind == "direct" else past.group
    past.campus.functions.send_ok(past.grace, conversation, "three")
    past.lose(tables.CONVERSATIONS, conversationId=conversation)
    past.lose(tables.CONVERSATION_COUNTERS, conversationId=conversation)
    past.aside()
    assert past.run("copy-back", "--apply") == 0
    sent = past.campus.functions.send_ok(past.ada, conversation, "four")
    assert sent["message"]["seq"] == 4
    assert past.contents(conversation) == [(1, "one"), (2, "two"), (3, "three"), (4, "four")]


def test_numbers_whose_messages_are_in_no_backup_get_placeholders(past: Past) -> None:
    functions = past.campus.functions
    for conversation in (past.direct, past.group):
        lost = functions.send_ok(past.grace, conversation, "three")["message"]
        functions.send_ok(past.grace, conversation, "four")
        past.lose(tables.MESSAGES, conversationId=conversation, timestamp=lost["timestamp"])
    assert past.run("fill-gaps") == 1
    assert past.run("fill-gaps", "--apply") == 0
    assert past.run("fill-gaps") == 0
    for conversation in (past.direct, past.group):
        assert past.contents(conversation) == [(1, "one"), (2, "two"), (4, "four")]
        stored = [item for item in past.campus.aws.scan(tables.MESSAGES) if item["conversationId"] == conversation]
        assert [item["seq"] for item in stored if item.get("voided")] == [3]
        stored.sort(key=lambda item: str(item["timestamp"]))
        assert [item["seq"] for item in stored] == [1, 2, 3, 4]
        assert functions.send_ok(past.ada, conversation, "five")["message"]["seq"] == 5


def test_counters_that_went_back_are_raised_and_others_never_lowered(past: Past) -> None:
    functions = past.campus.functions
    functions.delete(past.ada, past.sent[0])
    live = past.campus.live
    key = {"conversationId": past.direct}
    live.update(tables.CONVERSATIONS, key, "SET latestSeq = :zero", "attribute_exists(conversationId)", zero=0)
    past.aside()
    assert past.run("copy-back", "--apply") == 0
    conversation = past.campus.aws.item(tables.CONVERSATIONS, conversationId=past.direct)
    assert conversation is not None
    assert (conversation["latestSeq"], conversation["latestChange"]) == (2, 1)
    assert past.written()[0]["action"] == "raise latestSeq"


def test_member_who_left_after_the_backup_does_not_come_back(past: Past) -> None:
    before = past.campus.aws.item(tables.CONVERSATION_COUNTERS, conversationId=past.group)
    past.campus.functions.call_ok(past.grace, "leaveGroup", conversationId=past.group)
    past.lose(tables.CONVERSATIONS, conversationId=past.group)
    past.lose(tables.CONVERSATION_COUNTERS, conversationId=past.group)
    past.aside()
    assert past.run("copy-back", "--apply") == 0
    conversation = past.campus.aws.item(tables.CONVERSATIONS, conversationId=past.group)
    assert conversation is not None
    assert conversation["participants"] == [past.ada]
    assert past.campus.aws.item(tables.CONVERSATION_MEMBERS, userId=past.grace, conversationId=past.group) is None
    after = past.campus.aws.item(tables.CONVERSATION_COUNTERS, conversationId=past.group)
    assert before is not None
    assert after is not None
    assert after["channelEpoch"] != before["channelEpoch"]
    assert past.campus.functions.history(past.grace, past.group).status == 403


def test_ended_block_does_not_come_back_and_a_lost_one_does(past: Past) -> None:
    functions = past.campus.functions
    alan = past.campus.sign_up("Alan", "Turing")
    for blocker in (past.ada, past.grace):
        functions.call_ok(blocker, "blockUser", userId=past.grace if blocker == past.ada else alan)
    past.back_up()
    functions.call_ok(past.ada, "unblockUser", userId=past.grace)
    past.lose(tables.BLOCKS, userId=past.grace, blockedUserId=alan)
    past.aside()
    assert past.run("copy-back", "--apply") == 0
    assert functions.call_ok(past.ada, "listBlocks")["userIds"] == []
    assert functions.call_ok(past.grace, "listBlocks")["userIds"] == [alan]


def test_expired_changes_and_calls_in_progress_stay_out(past: Past) -> None:
    live = past.campus.live
    stored = {"conversationId": past.group, "change": 7, "kind": "VOID", "expiresAt": 1}
    call = {"sessionId": "s", "participants": {}, "version": 1, "status": "RINGING", "initiatedBy": past.ada}
    live.put(tables.MESSAGE_CHANGES, to_item(stored), "attribute_not_exists(conversationId)")
    live.put(tables.CALLS, to_item(call), "attribute_not_exists(sessionId)")
    past.back_up()
    past.lose_all(tables.MESSAGE_CHANGES, tables.CALLS)
    past.aside()
    assert past.run("copy-back", "--apply") == 0
    assert past.campus.aws.scan(tables.MESSAGE_CHANGES) == []
    assert past.campus.aws.scan(tables.CALLS) == []


@pytest.mark.parametrize("at", [4, 12, 25])
def test_copy_that_was_ended_half_way_continues(past: Past, at: int) -> None:
    past.aside()
    past.lose_all(tables.USERS, tables.CONVERSATIONS, tables.CONVERSATION_COUNTERS, tables.MESSAGES)

    def kill(make: Any) -> Any:
        make()
        raise ProcessKilledError

    faults = FaultInjector(at, kill)
    with pytest.raises(ProcessKilledError):
        past.copy(FaultyClient(past.campus.aws.dynamodb, faults)).run()
    results = {each.table: each.counts for each in past.copy().run()}
    assert results["Messages"]["copied"] == 4
    for conversation in (past.direct, past.group):
        assert past.contents(conversation) == [(1, "one"), (2, "two")]
    assert past.run("compare") == 0
    names = [(each["table"], str(each["key"])) for each in past.written()]
    assert len(names) == len(set(names))


def test_erased_person_stays_erased_after_everything_was_lost(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    Erasure(past.ada, past.campus.live, past.campus.accounts).run(fast_pace())
    past.lose_all(*(table for table in tables.TABLES if table is not tables.ERASURES))
    past.aside()
    assert past.run("copy-back", "--apply") == 0
    capsys.readouterr()
    past.campus.command("replay", "--json")
    count = str(len(json.loads(capsys.readouterr().out)["returned"]))
    assert past.campus.command("replay", "--apply", answer=count) == 0
    stored = past.campus.everything()
    assert "Lovelace" not in stored
    assert "'one'" not in stored
    assert past.contents(past.direct) == [(1, None), (2, None)]


def test_replay_erases_again_what_a_whole_restored_table_brought_back(
    past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = {table: past.campus.aws.scan(table) for table in (tables.USERS, tables.MESSAGES, tables.USER_SEARCH)}
    Erasure(past.ada, past.campus.live, past.campus.accounts).run(fast_pace())
    for table, items in kept.items():
        for item in items:
            past.campus.aws.put(table, item)
    assert "Lovelace" in past.campus.everything()
    assert past.campus.command("replay") == 1
    assert past.ada in capsys.readouterr().out
    assert past.campus.command("replay", "--apply", answer="1") == 0
    assert "Lovelace" not in past.campus.everything()
    profile = past.campus.aws.item(tables.USERS, userId=past.ada)
    assert profile is not None
    assert profile["fullName"] == FORMER
    assert past.contents(past.direct) == [(1, None), (2, None)]
    assert past.campus.command("replay") == 0


def test_copies_are_restored_compared_in_their_settings_and_deleted(
    past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    name = past.campus.aws.table(tables.OUTBOX)
    past.campus.aws.dynamodb.update_time_to_live(
        TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expiresAt"}
    )
    assert past.run("aside") == 1
    assert f"{name}-restored-{STAMP}  absent" in capsys.readouterr().out
    assert past.run("aside", "--apply", "--from-backups") == 0
    assert f"{name}-restored-{STAMP} lacks: time to live, stream" in capsys.readouterr().out
    assert past.run("discard", "--apply") == 0
    assert past.run("aside") == 1
    assert past.campus.aws.scan(tables.USERS)


def test_restore_to_a_point_in_time_requests_what_the_documentation_says() -> None:
    requests: list[dict[str, Any]] = []

    class Client:
        def restore_table_to_point_in_time(self, **request: Any) -> None:
            requests.append(request)

    DynamoRestores(Client()).to_point_in_time("Live", "Copy", MOMENT)
    assert requests == [{"SourceTableName": "Live", "TargetTableName": "Copy", "RestoreDateTime": MOMENT}]


def test_moment_needs_a_time_zone_and_a_backup_before_it(past: Past) -> None:
    with pytest.raises(CommandError, match="has no time zone"):
        parse_moment("2026-11-29T08:30:00")
    with pytest.raises(CommandError, match="is no time such as"):
        parse_moment("yesterday")
    early = Aside(past.campus.live, datetime(2020, 1, 1, tzinfo=UTC), fast_pace())
    with pytest.raises(CommandError, match="has no backup from before 2020-01-01"):
        early.run(from_backups=True)


def test_progress_of_another_restore_is_refused(tmp_path: Path) -> None:
    Progress(tmp_path / "progress.json", {"time": "one"}).save("Users", None, {})
    with pytest.raises(CommandError, match="belongs to another restore"):
        Progress(tmp_path / "progress.json", {"time": "two"})
