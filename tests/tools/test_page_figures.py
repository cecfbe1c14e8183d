"""Figures in the pages: each limit equals the constant in the code, and no limit stands without a check."""

from __future__ import annotations

import os
import re
from typing import Any, Final

import pytest
import yaml
from appsync_events_local.limits import CONNECTION_LIFETIME_SECONDS

from contract import canary, limits
from contract.canary import OBJECTIVE_DAYS, OBJECTIVE_PERCENT
from handlers.adapters.aws_clients import ATTEMPTS
from handlers.adapters.dynamodb.messages.member_keys import MEMBER_KEYS_MAX
from handlers.core.messages.message_writer import SHOWN_PARTICIPANTS_MAX
from local.emulator.chime import meeting, meetings
from local.emulator.workers import turns
from local.processes.ports import DEFAULT_BASE_PORT
from ops.change_report.render.as_markdown import COMMENT_LIMIT
from ops.costs.ledger import operations
from ops.deploy.alarms import WATCH_MINUTES
from stacks.config.load import environment_names, load
from tests.repository.test_layers import ALLOWED
from tools.generate.requirements import ROOT

ARCHITECTURE: Final = "docs/explanation/architecture.md"
CALLS: Final = "docs/explanation/calls.md"
DECISIONS: Final = "docs/explanation/decisions.md"
LOCAL_CLOUD: Final = "docs/reference/local-cloud.md"
FIRST_HOUR: Final = "docs/tutorial/first-hour.md"
USE_LOCAL_CLOUD: Final = "docs/how-to/use-the-local-cloud.md"
DEPLOY: Final = "docs/how-to/deploy.md"
ALARM: Final = "docs/how-to/answer-an-alarm.md"
DISABLE: Final = "docs/how-to/disable-an-account.md"
READ_BY_ALL: Final = operations()["message to a group of 50, read by all within seconds"]
RESOURCES: Final[dict[str, dict[str, Any]]] = {
    name: resource
    for stack in ("Routes", "Operations")
    for name, resource in yaml.safe_load((ROOT / f"tests/snapshots/prod/{stack}.yaml").read_text())["Resources"].items()
}
RING_TIMEOUT: Final = load("prod").calls.ring_timeout_seconds
FANOUT_LIMITS: Final = {load(name).delivery.fanout_limit for name in environment_names()}


CANARY_MINUTES: Final = load("prod", variables={}).canary.minutes
WORDS: Final = dict(enumerate(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]))


def _properties(name_field: str, name: str) -> dict[str, Any]:
    found = [each["Properties"] for each in RESOURCES.values() if each["Properties"].get(name_field) == name]
    assert len(found) == 1, name
    return dict(found[0])


def timeout(function: str) -> int:
    return int(_properties("FunctionName", f"PantherKolab-{function}-prod")["Timeout"])


def receives(queue: str) -> int:
    return int(_properties("QueueName", f"PantherKolab-{queue}-prod")["RedrivePolicy"]["maxReceiveCount"])


def hidden_seconds(queue: str) -> int:
    return int(_properties("QueueName", f"PantherKolab-{queue}-prod")["VisibilityTimeout"])


def alarm(name: str) -> dict[str, Any]:
    return _properties("AlarmName", f"PantherKolab-{name}-prod")


def retries(kind: str, function: str) -> int:
    (found,) = (
        each["Properties"]["MaximumRetryAttempts"]
        for each in RESOURCES.values()
        if each["Type"] == kind and function in each["Properties"]["FunctionName"]
        if "MaximumRetryAttempts" in each["Properties"]
    )
    return int(found)


def access_token_hours() -> int:
    identity = yaml.safe_load((ROOT / "tests/snapshots/prod/Identity.yaml").read_text())["Resources"]
    clients = [each["Properties"] for each in identity.values() if "AccessTokenValidity" in each["Properties"]]
    (minutes,) = (each["AccessTokenValidity"] for each in clients if "Canary" not in each["ClientName"])
    return int(minutes) // 60


def locked(package: str) -> str:
    (version,) = re.findall(rf"^{package}==(.+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    return str(version)


def node_package(package: str) -> str:
    (version,) = re.findall(rf'"{package}": "([^"]+)"', (ROOT / "package.json").read_text())
    return str(version)


FIGURES: Final[tuple[tuple[str, str, tuple[object, ...]], ...]] = (
    ("README.md", "aws-cdk-lib {} with CDK CLI {}", (locked("aws-cdk-lib"), node_package("aws-cdk"))),
    ("README.md", "cdk-nag {}", (locked("cdk-nag"),)),
    (DEPLOY, "a comment of at most {:,} characters", (COMMENT_LIMIT,)),
    (ARCHITECTURE, "par at most {} concurrently", (limits.PUBLISH_CONCURRENCY,)),
    (ARCHITECTURE, "still there {} seconds later", (limits.FAST_PATH_GRACE_SECONDS,)),
    (ARCHITECTURE, "every event that is older than {} seconds", (limits.SWEEP_AFTER_SECONDS,)),
    (ARCHITECTURE, "{} failures", (receives("Delivery"),)),
    (ARCHITECTURE, "A delivery that fails {} times", (receives("Delivery"),)),
    (ARCHITECTURE, "`delivery.fanout_limit`: {} recipients in every environment", tuple(FANOUT_LIMITS)),
    (
        ARCHITECTURE,
        "up to {} slices of at least {} recipients",
        (limits.QUEUE_BATCH_MAX, limits.SLICE_RECIPIENTS),
    ),
    (ARCHITECTURE, "a group of at most {} participants", (SHOWN_PARTICIPANTS_MAX,)),
    (ARCHITECTURE, "the next check of the sweep: {} seconds at most", (limits.CALL_CHECK_SECONDS,)),
    (ARCHITECTURE, "the call or the connection, both {} hours at most", (limits.CALL_HOURS_MAX,)),
    (ARCHITECTURE, "A history page examines at most {:,} messages", (limits.HIDDEN_MESSAGES_EXAMINED,)),
    (ARCHITECTURE, "{} messages in {} seconds, one counter", (limits.SEND_RATE.count, limits.SEND_RATE.seconds)),
    (CALLS, "more than {} others 400", (limits.CALL_PARTICIPANTS_MAX - 1,)),
    (CALLS, "more than {} calls in {} seconds", (limits.CALL_RATE.count, limits.CALL_RATE.seconds)),
    (CALLS, "index for {} seconds after the announcement", (limits.MEETING_SETTLE_SECONDS,)),
    (CALLS, "function that creates meetings runs at most {} seconds", (timeout("calls"),)),
    (CALLS, "ends the ringing {} seconds after the ring time", (limits.RING_GRACE_SECONDS,)),
    (CALLS, "checks an answered call every {} seconds", (limits.CALL_CHECK_SECONDS,)),
    (CALLS, "while it rings, {} seconds after its ring time", (limits.RING_GRACE_SECONDS,)),
    (CALLS, "while it is answered, every {} seconds", (limits.CALL_CHECK_SECONDS,)),
    (CALLS, "{} hours, Chime's longest meeting", (limits.CALL_HOURS_MAX,)),
    (CALLS, "Chime allows an account {} concurrent meetings", (meetings.ACTIVE_MEETINGS_MAX,)),
    (DECISIONS, "as the connection, up to {} hours", (int(CONNECTION_LIFETIME_SECONDS) // 3600,)),
    (DECISIONS, "all of a user's conversations (at most {:,})", (limits.CONVERSATIONS_PER_USER,)),
    (ARCHITECTURE, "in a group of at most {} members, the reservation", (MEMBER_KEYS_MAX,)),
    (DECISIONS, "in groups of at most {} members. Rejected", (MEMBER_KEYS_MAX,)),
    (DECISIONS, "stays for {} hours as the record of the tempId", (limits.IDEMPOTENCY_RETENTION_HOURS,)),
    (DECISIONS, "groups of at most {} participants.**", (SHOWN_PARTICIPANTS_MAX,)),
    (DECISIONS, "counted from the newest {:,} messages only", (limits.HIDDEN_MESSAGES_EXAMINED,)),
    (DECISIONS, "enlarged by at most {} members a request", (limits.MEMBERS_PER_REQUEST,)),
    (DECISIONS, "one transaction of at most {} actions", (limits.TRANSACTION_ITEMS_MAX,)),
    (DECISIONS, "may take {} seconds**, the others {}:", (timeout("calls"), timeout("messages"))),
    (DECISIONS, "each tried {} times", (ATTEMPTS,)),
    (DECISIONS, "At most {} slices, of at least {} recipients", (limits.QUEUE_BATCH_MAX, limits.SLICE_RECIPIENTS)),
    (DECISIONS, "{} messages fit one call to the queue", (limits.QUEUE_BATCH_MAX,)),
    (DECISIONS, "{} recipients are one round of publishes", (limits.PUBLISH_CONCURRENCY,)),
    (ARCHITECTURE, "the first one within {} seconds enqueues", (limits.RECEIPT_WINDOW_SECONDS,)),
    (DECISIONS, "are collected for {} seconds", (limits.RECEIPT_WINDOW_SECONDS,)),
    (
        DECISIONS,
        "within seconds takes {} write units and {} publishes, the message included",
        (f"{READ_BY_ALL.write_units:g}", READ_BY_ALL.publishes),
    ),
    (DECISIONS, "published to at most {} users", (limits.PROFILE_RECIPIENTS_MAX,)),
    (DECISIONS, "counts once more for every {} of them", (limits.RECIPIENTS_PER_USE,)),
    (DECISIONS, "can ask {} times a minute", (limits.CALL_TARGET_RATE.count,)),
    (DECISIONS, "and {} times about all users", (limits.CALL_ATTEMPT_RATE.count,)),
    (DECISIONS, "at most {} s after the first failure", (limits.DELIVERY_PAUSE_SECONDS,)),
    (DECISIONS, "with each further one up to {} s", (limits.REDELIVERY_SECONDS_MAX,)),
    (DECISIONS, "delay each failure by {} minutes", (WORDS[hidden_seconds("Delivery") // 60],)),
    (DECISIONS, "At most {} deliveries run at once", (limits.DELIVERY_INVOCATIONS_MAX,)),
    (DECISIONS, "all accepts within {} seconds", (limits.MEETING_ANNOUNCED_SECONDS,)),
    (ALARM, "event is in the Outbox table for {} days", (limits.OUTBOX_RETENTION_DAYS,)),
    (ALARM, "{} attempts to publish an event failed", (WORDS[receives("Delivery")],)),
    (ALARM, "delivered again after at most {} s", (limits.DELIVERY_PAUSE_SECONDS,)),
    (ALARM, "doubles that pause, up to {} s", (limits.REDELIVERY_SECONDS_MAX,)),
    (ALARM, "was killed returns after {} s", (hidden_seconds("Delivery"),)),
    (ALARM, "processed again after at most {} s", (limits.RING_TIMER_PAUSE_SECONDS,)),
    (ALARM, "enqueues every event that is older than {} minute", (WORDS[limits.SWEEP_AFTER_SECONDS // 60],)),
    (ALARM, "{} seconds after its ring timeout", (WORDS[limits.RING_GRACE_SECONDS],)),
    (ALARM, "whose meeting is gone within {} minutes", (WORDS[limits.CALL_CHECK_SECONDS // 60],)),
    (ALARM, "{} minutes after the last attendee left", (WORDS[meeting.EMPTY_SECONDS // 60],)),
    (ALARM, "after {} hours at the latest", (limits.CALL_HOURS_MAX,)),
    (ALARM, "no meeting or attendee in {} attempts", (WORDS[ATTEMPTS],)),
    (ALARM, "{} days after it was stored", (limits.OUTBOX_RETENTION_DAYS,)),
    (ALARM, "batch of the Outbox stream in {} retries", (WORDS[retries("AWS::Lambda::EventSourceMapping", "Relay")],)),
    (ALARM, "delivery queue for more than {} minutes", (WORDS[alarm("DeliveryLate")["Threshold"] // 60],)),
    (ALARM, "failed in {} attempts of `ring_timeout`", (WORDS[receives("RingTimeouts")],)),
    (
        ALARM,
        "`chime_events` failed in {} attempts",
        (WORDS[1 + retries("AWS::Lambda::EventInvokeConfig", "ChimeEvents")],),
    ),
    (
        ALARM,
        "in {} of {} periods of {} minutes the sweep",
        tuple(
            WORDS[number]
            for number in (
                *(alarm("CallsStuck")["DatapointsToAlarm"], alarm("CallsStuck")["EvaluationPeriods"]),
                alarm("CallsStuck")["Period"] // 60,
            )
        ),
    ),
    (
        ALARM,
        "for more than {} seconds after their ring timeout",
        (alarm("CallsRingLate")["Threshold"] - RING_TIMEOUT,),
    ),
    (ALARM, "more than twice in {} minutes", (WORDS[alarm("CallsFailed")["Period"] // 60],)),
    (ALARM, "longer than {} ms", (alarm("ApiSlow")["Threshold"],)),
    (
        ALARM,
        "above {} ms in {} of {} periods of {} minutes",
        (
            alarm("ApiSlow")["Threshold"],
            WORDS[alarm("ApiSlow")["DatapointsToAlarm"]],
            WORDS[alarm("ApiSlow")["EvaluationPeriods"]],
            WORDS[alarm("ApiSlow")["Period"] // 60],
        ),
    ),
    (ALARM, "{} active meetings per account", (meetings.ACTIVE_MEETINGS_MAX,)),
    (ALARM, "The objective: {:.0f} of 100 runs are good, in every {} days", (OBJECTIVE_PERCENT, OBJECTIVE_DAYS)),
    (ALARM, "With a run every {} minutes", (WORDS[CANARY_MINUTES],)),
    (ALARM, "these are {:,} runs", (OBJECTIVE_DAYS * 24 * 60 // CANARY_MINUTES,)),
    (ALARM, "send request to the receipt was above {} ms", (canary.DELIVERY_TARGET_MS,)),
    (
        DECISIONS,
        "**One objective**: {:.0f} of 100 runs of the canary good, in {} days",
        (OBJECTIVE_PERCENT, OBJECTIVE_DAYS),
    ),
    (DECISIONS, "With a run every {} minutes, 99.5", (WORDS[CANARY_MINUTES],)),
    (DECISIONS, "with a run every {} minutes about", (WORDS[CANARY_MINUTES],)),
    (DEPLOY, "in a protected environment {} minutes longer", (WORDS[WATCH_MINUTES],)),
    (LOCAL_CLOUD, "ministack {}", (locked("ministack"),)),
    (LOCAL_CLOUD, "real CLI {}", (node_package("aws-cdk"),)),
    (LOCAL_CLOUD, "{} active meetings", (meetings.ACTIVE_MEETINGS_MAX,)),
    (LOCAL_CLOUD, "after {} minutes without audio", (meeting.EMPTY_SECONDS // 60,)),
    (LOCAL_CLOUD, "after {} hours, and NotFound", (meeting.LIFETIME_SECONDS // 3600,)),
    (LOCAL_CLOUD, "| {} | emulator", (DEFAULT_BASE_PORT,)),
    (LOCAL_CLOUD, "| {} | Events service", (DEFAULT_BASE_PORT + 1,)),
    (LOCAL_CLOUD, "| {} | web page", (DEFAULT_BASE_PORT + 2,)),
    (FIRST_HOUR, "emulator, port {}", (DEFAULT_BASE_PORT,)),
    (FIRST_HOUR, "Events service, port {}", (DEFAULT_BASE_PORT + 1,)),
    (FIRST_HOUR, "page, port {}", (DEFAULT_BASE_PORT + 2,)),
    (USE_LOCAL_CLOUD, "AWS_ENDPOINT_URL=http://localhost:{}", (DEFAULT_BASE_PORT,)),
    ("docs/how-to/connect-a-front-end.md", "`aws-amplify` {}", (node_package("aws-amplify"),)),
    (DISABLE, "change, call | within {} seconds", (limits.ACCOUNT_CHECK_SECONDS,)),
    (DISABLE, "the next check of the sweep: {} seconds at most", (limits.CALL_CHECK_SECONDS,)),
    (DISABLE, "when the access token expires: {} hour at most", (access_token_hours(),)),
    (DISABLE, "with the connection: {} hours at most", (int(CONNECTION_LIFETIME_SECONDS) // 3600,)),
)
"""Page, phrase on it, and the values of the phrase."""

UNCHECKED: Final = {
    ALARM: (
        "or two attempts failed",
        "the runs of the last hour, or more than 6 % of the last six hours",
        "about 6 h 40 ",
    ),
    DEPLOY: ("new metrics after about 15 minutes", "cannot be used again for 60 seconds", "created 60 seconds later"),
    ARCHITECTURE: ("last + 1 ms", "for about two seconds at most"),
    CALLS: ("two members of a group accept",),
    FIRST_HOUR: ("more than 20 characters",),
    DECISIONS: (
        "The alarm is up to two minutes later",
        "would allow 40 bad runs a month",
        "one message a second each, 20 s: lock | 283 / 717 | 597 ms",
        "one message a second each: lock | 40 / 0",
        "1,000 / 0 | 39 ms",
        "40 / 0 | 38 ms",
        "50 / 0 | 83 ms",
        "9 / 41 | 1,446 ms",
        "50 / 0 | 54 ms",
        "ten tries of 50 members",
        "a p95 of 3,956 ms",
        "an outbox record with 1,000 recipients took most of the 564 write units of a send, which now takes 24",
        "a conversation of 1,000 participants takes 40 units each time; 25 messages a second",
        "takes about 20 ms",
        "50 members who write once a second in a group",
        "adds a few hundred milliseconds",
        "adds 40 ms to every small body",
        "a minute late",
        "at most 5 ms of processor time",
        "3 µs of the 270 µs",
        "about ten seconds after the save",
        "took five times as long as the call",
    ),
    LOCAL_CLOUD: ("removed within a minute, without one", "costs 0.07 ms", "ten parts 0.4 ms"),
}
"""Phrases with figures that are measured, or belong to another product."""
LIMITED_PAGES: Final = (
    "README.md",
    *(ARCHITECTURE, CALLS, DECISIONS, LOCAL_CLOUD, FIRST_HOUR, USE_LOCAL_CLOUD, DEPLOY, ALARM, DISABLE),
    "docs/how-to/connect-a-front-end.md",
)
LIMIT: Final = re.compile(
    r"(?<![\w.:/])(?:\d[\d,.]*|two|three|four|five|six|seven|eight|nine|ten|twenty)[ -]"
    r"(?:ms|s|µs|seconds?|minutes?|hours?|days?|characters|recipients|participants|members|messages|attempts|times|slices)\b"
)


def text_of(page: str) -> str:
    return " ".join((ROOT / page).read_text(encoding="utf-8").split())


@pytest.mark.parametrize(("page", "phrase", "values"), FIGURES, ids=[f"{each[0]}: {each[1]}" for each in FIGURES])
def test_a_figure_on_a_page_is_the_value_in_the_code(page: str, phrase: str, values: tuple[object, ...]) -> None:
    assert phrase.format(*values) in text_of(page)


@pytest.mark.parametrize("page", LIMITED_PAGES)
def test_every_figure_with_a_unit_is_checked(page: str) -> None:
    text = text_of(page).partition("## Data ")[2] if page == DECISIONS else text_of(page)
    for _, phrase, values in (each for each in FIGURES if each[0] == page):
        text = text.replace(phrase.format(*values), "")
    for phrase in UNCHECKED.get(page, ()):
        text = text.replace(phrase, "")
    found = [text[max(0, match.start() - 40) : match.end() + 20] for match in LIMIT.finditer(text)]
    assert found == [], "add these figures to FIGURES or, if they are measured, to UNCHECKED"


def test_architecture_lists_the_imports_that_are_allowed() -> None:
    section = (ROOT / ARCHITECTURE).read_text(encoding="utf-8").partition("## Directories\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("| `")]
    listed = {row[0].strip("`").removesuffix("/").removesuffix(".py"): re.findall(r"`([^`]+)`", row[2]) for row in rows}
    compared = ALLOWED.keys() & listed.keys() - {"bench"}
    assert len(compared) == 10
    assert {name: set(listed[name]) for name in compared} == {name: set(ALLOWED[name]) for name in compared}


def test_partial_deployment_names_existing_stacks() -> None:
    stacks = {path.stem for path in (ROOT / "tests/snapshots/prod").glob("*.yaml")}
    (named,) = re.findall(r"ops.deploy --env dev --only ([\w ]+)`", text_of(DEPLOY))
    assert set(named.split()) <= stacks


def test_function_processes_of_the_local_cloud_are_bounded_as_the_page_says() -> None:
    assert f"at most {turns.CEILING} processes of one function, 4 or 2 per core while" in text_of(LOCAL_CLOUD)
    assert max(4, 2 * (os.cpu_count() or 1)) == turns.CEILING_WHILE_LATE
    assert max(2, os.cpu_count() or 1) == turns.STARTS
