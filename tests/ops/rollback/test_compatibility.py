"""Whether older functions can work with what newer ones have stored."""

from __future__ import annotations

import copy
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract import stored
from ops import cdk
from ops.errors import CommandError
from ops.rollback.compatibility import missing_resources, stored_reasons, unknown_events
from ops.rollback.contracts import Stored, stored_by
from ops.rollback.pending import removed_queues, undelivered
from tests.ops.recorded_cloudformation import client, recorded
from tests.stacks.synthesis import templates

OUTBOX = "PantherKolab-Outbox-staging"


def shapes(**edits: Any) -> dict[str, Any]:
    """Return the shapes of this revision with other attributes of the table Users, or further events."""
    found = copy.deepcopy(stored.shapes())
    found["tables"]["Users"]["attributes"].update(edits.get("users", {}))
    found["events"].update(edits.get("events", {}))
    return found


def revision(name: str, version: int | None, since: int | None, **edits: Any) -> Stored:
    found = shapes(**edits)
    return Stored(name, version, since, stored.digest(found), found["tables"], found["events"])


def test_older_revision_of_the_same_shapes_can_read_everything() -> None:
    assert list(stored_reasons(revision("v2", 1, 1), revision("v1", None, None))) == []


def test_newer_data_that_older_functions_can_read_allows_going_back() -> None:
    newer = revision("v2", 2, 1, users={"nickname?": "S"})
    assert list(stored_reasons(newer, revision("v1", 1, 1))) == []


def test_newer_data_that_older_functions_cannot_read_forbids_going_back_and_names_what_they_do_not_know() -> None:
    newer = revision("v2", 3, 2, users={"nickname": "S"}, events={"USER_MOVED": {}})
    (reason,) = stored_reasons(newer, revision("v1", 1, 1))
    assert reason == (
        "The data has version 3, which functions of version 2 and later can read; v1 has version 1. It does not know: "
        "Users.nickname, event USER_MOVED."
    )


def test_other_shapes_under_the_same_version_forbid_going_back() -> None:
    newer = revision("v2", 1, 1, users={"nickname?": "S"})
    (reason,) = stored_reasons(newer, revision("v1", 1, 1))
    assert "one of them changed a shape without a new version" in reason


def test_revision_without_a_version_and_with_other_shapes_forbids_going_back() -> None:
    (reason,) = stored_reasons(revision("v2", 1, 1, users={"nickname?": "S"}), revision("v0", None, None))
    assert reason.startswith("v0 declares no data version, and the stored shapes differ (Users.nickname)")


def test_lost_index_and_time_to_live_are_named() -> None:
    newer, older = revision("v2", 2, 2), revision("v1", 1, 1)
    tables = copy.deepcopy(older.tables)
    tables["Calls"]["indexes"] = {}
    tables["Outbox"]["ttl"] = ""
    (reason,) = stored_reasons(newer, replace(older, tables=tables, digest="other"))
    assert reason.endswith("It does not know: Calls.ByDue, the time to live of Outbox.")


def test_contract_of_a_revision_is_read_from_git() -> None:
    found = stored_by("HEAD")
    assert found.tables.keys() == stored.shapes()["tables"].keys()
    assert len(found.digest) == len(stored.digest())
    with pytest.raises(CommandError, match="The contract of v0-nowhere cannot be read"):
        stored_by("v0-nowhere")


def test_contract_without_a_data_version_can_be_described(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        author = ["-c", "user.name=Test", "-c", "user.email=test@example.edu", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(tmp_path), *author, *arguments], check=True, timeout=60)

    subprocess.run(["cp", "-r", str(cdk.ROOT / "contract"), str(tmp_path)], check=True, timeout=60)
    (tmp_path / "contract" / "stored.py").unlink()
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "before versions")
    found = stored_by("HEAD", tmp_path)
    assert (found.version, found.digest) == (None, stored.digest())


def event(kind: str) -> dict[str, Any]:
    return {"event": {"S": json.dumps({"type": kind, "data": {}})}}


def test_undelivered_events_that_older_functions_do_not_know_forbid_going_back() -> None:
    unknown = unknown_events(revision("v2", 1, 1, events={"USER_MOVED": {}}), revision("v1", 1, 1))
    assert unknown == {"USER_MOVED"}
    keys = [{"eventId": {"S": str(number)}} for number in range(3)]
    page = {"Items": keys, "Count": 3, "ScannedCount": 3}
    batch = {OUTBOX: {"Keys": keys, "ProjectionExpression": "event"}}
    rest = {OUTBOX: {"Keys": keys[2:], "ProjectionExpression": "event"}}
    first = {"Responses": {OUTBOX: [event("USER_MOVED"), event("MESSAGE_SENT")]}, "UnprocessedKeys": rest}
    responses = [
        ("scan", page, {"TableName": OUTBOX, "IndexName": "ByDue"}),
        ("batch_get_item", first, {"RequestItems": batch}),
        ("batch_get_item", {"Responses": {OUTBOX: [event("USER_MOVED")]}}, {"RequestItems": rest}),
    ]
    with recorded(*responses, service="dynamodb") as dynamodb:
        (reason,) = undelivered("staging", unknown, lambda service: dynamodb)
    assert reason.startswith("2 events of the type USER_MOVED are not delivered yet")


def test_known_types_ask_nothing() -> None:
    assert list(undelivered("staging", frozenset(), lambda service: client("dynamodb"))) == []


@pytest.mark.parametrize(("counts", "refused"), [(("0", "0", "0"), False), (("2", "0", "1"), True)])
def test_queue_with_messages_that_the_older_revision_does_not_have_forbids_going_back(
    counts: tuple[str, str, str], refused: bool
) -> None:
    deployed = {"PantherKolab-Routes-staging": templates("staging")["Routes"]}
    older = copy.deepcopy(deployed)
    resources = older["PantherKolab-Routes-staging"]["Resources"]
    removed = next(name for name, each in resources.items() if each["Type"] == "AWS::SQS::Queue")
    name = resources.pop(removed)["Properties"]["QueueName"]
    kinds = ("", "NotVisible", "Delayed")
    attributes = {f"ApproximateNumberOfMessages{kind}": count for kind, count in zip(kinds, counts, strict=True)}
    responses = [
        ("get_queue_url", {"QueueUrl": "https://sqs/q"}, {"QueueName": name}),
        ("get_queue_attributes", {"Attributes": attributes}),
    ]
    with recorded(*responses, service="sqs") as sqs:
        reasons = list(removed_queues(deployed, older, lambda service: sqs))
    assert [name in each and "its 3 messages" in each for each in reasons] == ([True] if refused else [])


def deployed_and_older() -> tuple[dict[str, Any], dict[str, Any]]:
    deployed = {f"PantherKolab-{name}-staging": copy.deepcopy(each) for name, each in templates("staging").items()}
    older = {name: copy.deepcopy(deployed[name]) for name in GOING}
    return deployed, older


GOING = ("PantherKolab-Routes-staging", "PantherKolab-Events-staging")


def test_environment_of_the_same_templates_has_everything_that_older_code_needs() -> None:
    deployed, older = deployed_and_older()
    assert list(missing_resources(deployed, older, GOING)) == []


def test_table_and_export_that_are_no_longer_deployed_forbid_going_back() -> None:
    deployed, older = deployed_and_older()
    resources = deployed["PantherKolab-Data-staging"]["Resources"]
    del resources[next(name for name in resources if name.startswith("CallLocks"))]
    del deployed["PantherKolab-Identity-staging"]["Outputs"]
    reasons = list(missing_resources(deployed, older, GOING))
    assert any("uses the table PantherKolab-CallLocks-staging (CALL_LOCKS_TABLE)" in each for each in reasons)
    assert any("imports PantherKolab-Identity-staging:" in each for each in reasons)


def test_index_that_is_no_longer_deployed_forbids_going_back() -> None:
    deployed, older = deployed_and_older()
    resources = deployed["PantherKolab-Data-staging"]["Resources"]
    (calls,) = [
        each for each in resources.values() if each["Properties"].get("TableName") == "PantherKolab-Calls-staging"
    ]
    calls["Properties"]["GlobalSecondaryIndexes"] = []
    reasons = list(missing_resources(deployed, older, GOING))
    assert reasons == [
        "PantherKolab-Routes-staging of the older revision queries the index ByDue of PantherKolab-Calls-staging, "
        "which is no longer deployed."
    ]
