"""The commands of the cut-over, on the tables that both servers have written."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from contract import tables
from contract.limits import CONVERSATION_ID_CHARACTERS
from handlers.adapters.system import SystemClock
from handlers.core.shared.timestamps import to_iso
from ops.cutover import backfill
from ops.cutover.__main__ import Services, main
from ops.cutover.share import bucket, uses_new_client
from ops.errors import CommandError
from tests.harness.bridge import BridgeFunction, OldApplication
from tests.harness.emulator import AwsResources
from tests.harness.functions import FunctionHarness
from tests.ops.cutover.old_side import ROOT


class Sides:
    """Both sides' writes, without a Socket.IO server."""

    def __init__(self, aws: AwsResources) -> None:
        self.aws = aws
        self.functions = FunctionHarness(aws, clock=SystemClock())
        self.old = OldApplication(aws)
        self.bridge = BridgeFunction(aws)
        self.ada, self.grace = self.functions.users(2)
        self.conversation = self.old.conversation(self.ada, self.grace)
        self.invocations: list[dict[str, Any]] = []

    def write_old(self, content: str, milliseconds_ago: int = 0) -> None:
        """Store a message of the old server."""
        at = to_iso(SystemClock().now() - milliseconds_ago)
        self.old.send(self.ada, self.conversation, content, at)

    def invoke(self, request: dict[str, Any]) -> dict[str, int]:
        """Invoke the bridge function."""
        self.invocations.append(request)
        return self.bridge.handle(request, None)

    def run(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
        """Run a command; return its exit code and output."""
        services = Services(self.aws.dynamodb, self.aws.sqs, self.invoke)
        code = main([*arguments, "--env", self.aws.environment, "--rate", "10000"], lambda name: services)
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    def json(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
        """Run a command with `--json`."""
        code, text = self.run(capsys, *arguments, "--json")
        return code, json.loads(text)


@pytest.fixture
def sides(aws: AwsResources) -> Sides:
    return Sides(aws)


def test_check_names_everything_that_would_not_migrate(sides: Sides, capsys: pytest.CaptureFixture[str]) -> None:
    sides.write_old("before")
    sides.old.conversation(sides.ada, sides.grace)
    sides.old.conversation(sides.ada, "unknown", kind="GROUP")
    too_long = sides.old.conversation(sides.ada, sides.grace, "unknown", conversation_id="x" * 81, kind="GROUP")
    assert len(too_long) == CONVERSATION_ID_CHARACTERS + 1
    sides.old.send(sides.ada, "ghost", "orphan", to_iso(SystemClock().now()))
    left = {"conversationId": sides.conversation, "timestamp": "0b1d3d4e-5c55-4f0c-9d0f-6f1a2c3b4d5e", "deleted": True}
    sides.aws.put(tables.MESSAGES, left)
    (first,) = [each for each in sides.aws.scan(tables.MESSAGES) if each.get("content") == "before"]
    sides.aws.put(tables.MESSAGES, {**first, "timestamp": "2025-11-20T11:00:00.000Z"})
    code, found = sides.json(capsys, "check")
    assert code == 1
    assert {each["problem"]: each["ids"] for each in found} == {
        "conversation id that no request accepts": [too_long],
        "conversation without type or participants": ["ghost"],
        "participant without a profile": ["unknown"],
        "pair of users with several direct conversations": [" + ".join(sorted([sides.ada, sides.grace]))],
        "item of Messages that is no message": [f"{sides.conversation} {left['timestamp']}"],
        "conversation of messages that does not exist": ["ghost"],
        "message id that two items have": [first["messageId"]],
        "conversation of the old application without memberships": next(
            each["ids"] for each in found if each["by_backfill"]
        ),
    }


def test_check_finds_nothing_after_backfill(sides: Sides, capsys: pytest.CaptureFixture[str]) -> None:
    sides.write_old("before")
    assert sides.run(capsys, "check")[0] == 1
    assert sides.run(capsys, "check", "--before-backfill")[0] == 0
    assert sides.run(capsys, "backfill", "--apply")[0] == 0
    assert sides.run(capsys, "check") == (0, "Everything migrates.\n")


def test_backfill_stores_nothing_without_apply(sides: Sides, capsys: pytest.CaptureFixture[str]) -> None:
    sides.write_old("before")
    assert sides.json(capsys, "backfill") == (0, {"conversations": 1, "messages": 0})
    assert sides.invocations == []


def test_backfill_numbers_what_was_written_while_the_bridge_was_off_and_nothing_older(
    sides: Sides, capsys: pytest.CaptureFixture[str]
) -> None:
    sides.write_old("old", 60_000)
    sides.functions.send_ok(sides.grace, sides.conversation, "numbered")
    sides.functions.clock.pause(0.01)
    for number in range(backfill.BATCH + 5):
        sides.write_old(f"waiting {number}", -number)
    sides.functions.clock.pause(0.05)
    assert sides.json(capsys, "backfill") == (0, {"conversations": 1, "messages": 25})
    code, done = sides.json(capsys, "backfill", "--apply")
    assert (code, done) == (0, {"adopted": 1, "numbered": 25})
    assert [len(each.get("messages", ())) for each in sides.invocations] == [0, 20, 5]
    page = sides.functions.history(sides.grace, sides.conversation, limit=100).body["messages"]
    assert [each["content"] for each in reversed(page)] == ["old", "numbered", *(f"waiting {n}" for n in range(25))]
    assert [each["seq"] for each in reversed(page)] == [None, *range(1, 27)]
    assert sides.json(capsys, "backfill", "--apply") == (0, {})


def test_backfill_that_was_interrupted_continues_with_the_rest(
    sides: Sides, capsys: pytest.CaptureFixture[str]
) -> None:
    sides.functions.send_ok(sides.grace, sides.conversation, "numbered")
    for number in range(25):
        sides.write_old(f"waiting {number}", -number)
    whole, sides.invoke = sides.invoke, _failing_at(sides.invoke, 3)  # type: ignore[method-assign]
    code, text = sides.run(capsys, "backfill", "--apply")
    assert (code, "the function died" in text) == (2, True)
    sides.invoke = whole  # type: ignore[method-assign]
    assert sides.json(capsys, "backfill") == (0, {"conversations": 0, "messages": 5})
    assert sides.run(capsys, "backfill", "--apply")[0] == 0
    sides.bridge.run()
    assert [each["message"]["content"] for each in sides.bridge.queued()] == ["numbered"]
    assert sides.run(capsys, "verify") == (0, "Both sides are equal.\n")


def _failing_at(invoke: Any, call: int) -> Any:
    calls: list[int] = []

    def failing(request: dict[str, Any]) -> dict[str, int]:
        calls.append(1)
        if len(calls) == call:
            raise CommandError("the function died")
        result: dict[str, int] = invoke(request)
        return result

    return failing


def test_status_shows_the_share_of_each_side_and_what_waits(sides: Sides, capsys: pytest.CaptureFixture[str]) -> None:
    sides.write_old("one")
    sides.bridge.run()
    for content in ("two", "three"):
        sides.functions.send_ok(sides.grace, sides.conversation, content)
    sides.write_old("waiting", -50)
    code, figures = sides.json(capsys, "status", "--percent", "100")
    assert code == 1
    assert {name: figures[name] for name in ("old", "new", "new_percent", "without_number", "queued")} == {
        "old": 2,
        "new": 2,
        "new_percent": 50.0,
        "without_number": 1,
        "queued": 0,
    }
    assert (figures["users"], figures["users_new"]) == (2, 2)
    sides.bridge.run()
    assert sides.json(capsys, "status")[1]["queued"] == 2
    sides.bridge.queued()
    code, text = sides.run(capsys, "status")
    assert code == 0
    assert text.startswith("messages: 2 by the old server, 2 by the backend: 50.0 % by the backend\n")


def test_verify_names_gaps_repeats_and_what_was_not_forwarded(sides: Sides, capsys: pytest.CaptureFixture[str]) -> None:
    for content in ("one", "two", "three"):
        sides.functions.send_ok(sides.grace, sides.conversation, content)
    sides.bridge.run()
    assert "3 messages" in sides.run(capsys, "verify")[1]
    sides.bridge.queued()
    assert sides.run(capsys, "verify")[0] == 0
    sides.functions.send_ok(sides.grace, sides.conversation, "four")
    code, text = sides.run(capsys, "verify")
    assert (code, "not wholly forwarded" in text) == (1, True)
    sides.bridge.run()
    sides.bridge.queued()
    items = sorted(sides.aws.scan(tables.MESSAGES), key=lambda each: each["timestamp"])
    key = {name: {"S": items[1][name]} for name in ("conversationId", "timestamp")}
    sides.aws.dynamodb.delete_item(TableName=sides.aws.table(tables.MESSAGES), Key=key)
    code, text = sides.run(capsys, "verify")
    assert (code, "gap" in text) == (1, True)


def test_status_without_bridge_says_so(aws: AwsResources, capsys: pytest.CaptureFixture[str]) -> None:
    services = Services(aws.dynamodb, aws.sqs, lambda request: {})
    assert main(["status", "--env", aws.environment], lambda name: services) == 0
    assert "no bridge" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--rate", "0"], ["--percent", "101"], ["--hours", "0"]])
def test_values_out_of_range_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["status", "--env", "dev", *arguments])
    assert stopped.value.code == 2
    assert "--rate must be at least 1" in capsys.readouterr().err


def test_share_is_the_same_function_in_python_and_in_the_browser_and_only_grows() -> None:
    ids = [f"6f9619ff-8b86-4d01-b42d-{number:012d}" for number in range(300)] + ["", "é", "日本"]
    program = (
        'import { bucket, usesNewClient } from "./ops/cutover/old_server/share.mjs";'
        f"const ids = {json.dumps(ids)};"
        "console.log(JSON.stringify(ids.map((id) => [bucket(id), [0, 0.5, 25, 100].map((p) => usesNewClient(id, p))])))"
    )
    node = str(ROOT / ".venv" / "bin" / "node")
    done = subprocess.run([node, "--input-type=module", "-e", program], cwd=ROOT, capture_output=True, check=True)
    expected = [[bucket(each), [uses_new_client(each, percent) for percent in (0, 0.5, 25, 100)]] for each in ids]
    assert json.loads(done.stdout) == expected
    shares = [sum(uses_new_client(each, percent) for each in ids[:300]) for percent in (0, 25, 50, 100)]
    assert (shares[0], shares[3]) == (0, 300)
    assert 45 <= shares[1] <= 105
    assert 120 <= shares[2] <= 180
