"""What the look-ups of messages, calls and users report, in order, and how they are printed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from contract import tables
from ops.explain import call, command, user
from ops.explain.log_lines import LogReader
from ops.explain.story import Story
from stacks.naming import Names
from tests.harness.call_functions import CallFunctions
from tests.harness.chime import ChimeServer, running_chime
from tests.harness.log_lines import LogLines
from tests.ops.explain.campus import Campus
from tests.ops.support.recorded import AuditLines


def texts(story: Story) -> str:
    """Return all sentences of a story."""
    return "\n".join(step.text for step in story.steps)


def in_order(shown: str, parts: list[str]) -> bool:
    """Return whether a text contains all parts, each after the one before it."""
    place = 0
    for part in parts:
        place = shown.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return True


def run(campus: Campus, *arguments: str, audit: AuditLines | None = None) -> int:
    """Run the command on the test's environment."""
    campus.aws.emulator.let_reads_catch_up()
    environment = ["--env", campus.aws.environment]
    return command.main(
        [*arguments, *environment],
        sources=lambda environment: campus.sources(),
        audit=None if audit is None else audit.of,
    )


def test_a_message_is_explained_from_the_request_to_the_last_publish(campus: Campus) -> None:
    ana, ben = campus.users(2)
    group = campus.group(ben, ana)
    campus.unreachable(ana)
    sent = campus.send_id(ben, group)
    campus.unreachable()
    campus.advance(6)
    campus.relay(*(each["eventId"] for each in campus.aws.scan(tables.OUTBOX)))
    campus.ship("relay")
    campus.advance(1)
    campus.deliver()
    campus.ship("deliver")
    story = campus.explain(sent)
    shown = texts(story)
    order = [
        f"with number 1, from {ben}, in the group {group}",
        f"The publish failed for {ana}.",
        "requested sendMessage, and got status 200",
        "The relay queued the delivery of MESSAGE_SENT.",
        "MESSAGE_SENT was published to 1 recipients.",
        "of the delivery task succeeded.",
        "There is no delivery record any more",
    ]
    assert in_order(shown, order), shown
    assert {each.user_id: each.code for each in story.recipients} == {ana: "published", ben: "sender"}
    sweep = Names(campus.aws.environment).function_log_group("sweep")
    assert [sweep in each for each in story.unread] == [True], "the sweep of this test has written no line"


def test_logs_that_cannot_be_read_are_named(campus: Campus) -> None:
    ana, ben = campus.users(2)
    conversation = campus.direct(ben, ana)
    sent = campus.send_ok(ben, conversation)["message"]["messageId"]
    story = campus.explain(sent, ana)
    assert story.answer is not None
    assert story.answer.code == "published"
    assert "the logs do not show when" in story.answer.text
    group = Names(campus.aws.environment).function_log_group("messages")
    assert any(group in each for each in story.unread)


def test_content_is_printed_only_with_the_flag_a_reason_and_an_audit_line(
    campus: Campus, capsys: pytest.CaptureFixture[str]
) -> None:
    audit = AuditLines(campus.aws)
    ana, ben = campus.users(2)
    sent = campus.send_id(ben, campus.direct(ben, ana), "the secret plan")
    assert run(campus, "message", sent) == 0
    assert "secret" not in capsys.readouterr().out
    with pytest.raises(SystemExit):
        run(campus, "message", sent, "--content", audit=audit)
    capsys.readouterr()
    assert run(campus, "message", sent, "--content", "--reason", "reported as abuse", audit=audit) == 0
    assert "the secret plan" in capsys.readouterr().out
    (line,) = audit.lines()
    assert (line["action"], line["subject"], line["reason"]) == ("read-content", sent, "reported as abuse")
    assert "secret" not in json.dumps(line)


def test_content_is_not_printed_where_the_audit_line_cannot_be_written(
    campus: Campus, capsys: pytest.CaptureFixture[str]
) -> None:
    ana, ben = campus.users(2)
    sent = campus.send_id(ben, campus.direct(ben, ana), "the secret plan")
    audit = AuditLines(campus.aws, deployed=False)
    assert run(campus, "message", sent, "--content", "--reason", "abuse", audit=audit) == 2
    assert "secret" not in capsys.readouterr().out


def test_json_has_the_answer_and_exit_codes_report_what_was_found(
    campus: Campus, capsys: pytest.CaptureFixture[str]
) -> None:
    ana, ben = campus.users(2)
    sent = campus.send_id(ben, campus.direct(ben, ana))
    assert run(campus, "message", sent, "--for", ana, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["answer"]["userId"], document["answer"]["code"]) == (ana, "published")
    assert {"at", "text", "source"} == set(document["steps"][0])
    assert run(campus, "message", "nothing") == 1
    assert run(campus, "call", "nothing") == 1
    assert run(campus, "user", "nothing") == 1


@pytest.mark.parametrize(
    "arguments",
    [("user", "u", "--for", "v"), ("call", "c", "--content", "--reason", "r"), ("message", "m", "--hours", "0")],
)
def test_wrong_arguments_are_named(campus: Campus, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        run(campus, *arguments)
    assert any(each in capsys.readouterr().err for each in ("--for", "--content", "--hours"))


def test_a_user_is_explained_with_blocks_memberships_and_rates_and_without_names(campus: Campus) -> None:
    ana, ben = campus.user("Ana", "Silva"), campus.user("Ben", "Okafor")
    group = campus.group(ana, ben)
    campus.call_ok(ana, "blockUser", userId=ben)
    campus.send_ok(ana, group)
    shown = texts(user.explain(campus.sources(), ana))
    assert f"The user blocked {ben}." in shown
    assert f"ADMIN of the group {group}, read up to number 1" in shown
    assert "1 of 50 uses of send" in shown
    assert "The user is in no call." in shown
    assert "The account is not disabled." in shown
    assert not [word for word in ("Ana", "Silva", "example.org") if word in shown]
    campus.disable(ana)
    assert "The account was disabled" in texts(user.explain(campus.sources(), ana))


@pytest.fixture(scope="module")
def chime() -> Iterator[ChimeServer]:
    """One Chime server for the tests of calls."""
    with running_chime() as running:
        yield running


def test_a_call_is_explained_with_its_transitions_devices_meeting_and_end(
    campus: Campus, chime: ChimeServer, lines: LogLines
) -> None:
    functions = CallFunctions(campus.aws, chime, clock=campus.clock)  # type: ignore[arg-type]  # a fake clock
    ana, ben, cleo = functions.add_users("Ana", "Ben", "Cleo")
    session_id = functions.ring(ben, ana)
    assert functions.act("accept", ana, session_id, deviceId="phone").status == 200
    campus.ship("calls")
    sources = campus.sources(meetings=chime.client())
    live = texts(call.explain(sources, session_id))
    assert "It is ACTIVE" in live
    assert "exists." in live
    assert f"{ana} holds the lock of this call." in live
    campus.advance(61)
    assert functions.act("end", ben, session_id).status == 200
    campus.ship("calls")
    story = call.explain(campus.sources(meetings=chime.client()), session_id, user_id=cleo)
    shown = texts(story)
    order = [f"{ben} placed a direct", "The transition initiate", "The transition answer", f"{ben} ended it for all"]
    assert in_order(shown, order), shown
    assert "on device phone" in shown
    assert "has ended" in shown
    assert story.answer is not None
    assert story.answer.code == "not_called"


@pytest.mark.parametrize(("case", "code"), [("blocked", "blocked_caller"), ("busy", "busy"), ("missed", "missed")])
def test_why_a_call_did_not_reach_a_user(campus: Campus, chime: ChimeServer, case: str, code: str) -> None:
    functions = CallFunctions(campus.aws, chime, clock=campus.clock)  # type: ignore[arg-type]  # a fake clock
    ana, ben, cleo, dora = campus.users(4)
    if case == "blocked":
        campus.call_ok(ana, "blockUser", userId=ben)
    group = campus.group(ben, cleo, ana) if case == "busy" else None
    if group is not None:
        functions.ring(ana, dora)
        answer = functions.initiate(ben, conversationId=group)
        assert answer.status == 200, answer
        session_id = str(answer.body["sessionId"])
    else:
        session_id = functions.ring(ben, ana)
    if case == "missed":
        functions.time_out(session_id)
    story = call.explain(campus.sources(meetings=chime.client()), session_id, user_id=ana)
    assert story.answer is not None
    assert story.answer.code == code


def test_an_unknown_call_is_not_found(campus: Campus) -> None:
    story = call.explain(campus.sources(), "nothing", user_id="ana")
    assert (story.found, story.answer and story.answer.code) == (False, "unknown_call")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"message":"request","status":200}', "request"),
        ('[INFO]\t2026-11-30T10:15:04Z\tid\t{"message":"request"}', "request"),
        ('{"timestamp":"…","level":"INFO","message":"{\\"message\\":\\"request\\",\\"status\\":200}"}', "request"),
        ('{"message":"plain text of a library"}', "plain text of a library"),
        ("START RequestId: 1 Version: $LATEST", None),
        ('{"message":"{broken"}', None),
    ],
)
def test_log_lines_are_read_in_every_form_in_which_the_runtime_may_write_them(text: str, expected: str | None) -> None:
    class OneLine:
        def filter_log_events(self, **request: object) -> dict[str, object]:
            return {"events": [{"timestamp": 1, "message": text}]}

    found = LogReader(OneLine(), "dev").find(("messages",), ("id",), 0, 2)
    assert [line.fields["message"] for line in found] == ([] if expected is None else [expected])
