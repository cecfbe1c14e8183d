"""The state of an environment: on the local cloud, and by recorded responses of AWS."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from local.testing import LocalCloud
from ops.deployed.metrics import Metric, read_metrics
from ops.status import __main__ as command
from ops.status.reading import Section, read_status
from ops.status.screen import Status, as_json, as_text
from tests.ops.doctor.conftest import target_of
from tests.ops.doctor.recorded import Recorded, stack


def section(sections: list[Section], id: str) -> Section:
    return next(each for each in sections if each.id == id)


def test_local_cloud_is_shown_by_the_same_requests(
    session_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = target_of(session_cloud)
    monkeypatch.setattr(command, "connect", lambda environment: target)
    sqs = target.client("sqs")
    url = sqs.get_queue_url(QueueName=target.names.of("RelayDeadLetters"))["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    try:
        assert command.main(["--env", "local", "--json"]) == 1
        document = json.loads(capsys.readouterr().out)
        assert command.main(["--env", "local"]) == 1
    finally:
        sqs.purge_queue(QueueUrl=url)
    text = capsys.readouterr().out
    sections = document["sections"]
    assert {each["unread"] for each in sections.values()} == {None}
    assert len(sections["stacks"]["rows"]) == 5
    assert {"queue": "RelayDeadLetters", "messages": 1, "attention": True} in sections["deadLetters"]["rows"]
    assert {row["function"] for row in sections["functions"]["rows"]} > {"PantherKolab-deliver-local"}
    assert "! RelayDeadLetters" in text


@pytest.fixture
def aws() -> Recorded:
    """The environment dev with one failed stack, one function, and nothing in its queues."""
    recorded = Recorded()
    recorded.deploy(
        stack("Data", status="UPDATE_ROLLBACK_FAILED", outputs={"Revision": "v1.2.0-0-gaaaaaaaaaaaa"}),
        stack("Events", outputs={"EventsApiId": "api1"}),
        stack(
            "Routes",
            outputs={"ApiId": "api2"},
            template={"Resources": {"Calls": {"Type": "AWS::Lambda::Function", "Properties": {}}}},
            physical_ids={"Calls": "PantherKolab-calls-dev"},
        ),
    )
    return recorded


def read(aws: Recorded, *metrics: dict[str, Any]) -> list[Section]:
    since = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    names = ("PantherKolab-ApiErrors-dev", "PantherKolab-ApiErrors-prod")
    alarms = [{"AlarmName": name, "StateValue": "ALARM", "StateUpdatedTimestamp": since} for name in names]
    aws.answers("cloudwatch", "describe_alarms", {"MetricAlarms": alarms})
    for number in range(9):
        items = [{"dueAt": {"S": "2026-01-02T03:04:05.000Z"}}] if number == 0 else []
        aws.answers("dynamodb", "query", {"Items": items})
    for _ in range(7):
        aws.answers("sqs", "get_queue_url", {"QueueUrl": "https://sqs.eu-central-1.amazonaws.com/q"})
        aws.answers("sqs", "get_queue_attributes", {"Attributes": {"ApproximateNumberOfMessages": "0"}})
    for answer in metrics:
        aws.answers("cloudwatch", "get_metric_data", {"MetricDataResults": answer["results"]})
    return read_status(aws.target)


def results(*values: list[float]) -> dict[str, Any]:
    return {"results": [{"Id": f"m{number}", "Values": each} for number, each in enumerate(values)]}


def test_state_on_aws(aws: Recorded) -> None:
    sections = read(
        aws, results([240.0]), results([]), results([12.0], [2.0, 1.0], [0.0], [180.4]), results([31.0], [4.0])
    )
    assert [each.unread for each in sections] == [""] * 6
    data = section(sections, "stacks").rows[0]
    assert data == ("PantherKolab-Data-dev", "UPDATE_ROLLBACK_FAILED", "v1.2.0-0-gaaaaaaaaaaaa")
    assert section(sections, "stacks").attention == {0}
    assert [row[0] for row in section(sections, "alarms").rows] == ["PantherKolab-ApiErrors-dev"]
    delivery = section(sections, "delivery")
    assert delivery.rows[0] == ("outbox: events that are due", 1, "2026-01-02T03:04:05.000Z")
    assert delivery.rows[1:] == [("Delivery", 0, "240 s at most"), ("RingTimeouts", 0, None)]
    assert section(sections, "functions").rows == [("PantherKolab-calls-dev", 12, 3, 0, 180)]
    assert section(sections, "functions").attention == {0}
    assert section(sections, "realtime").rows[:3] == [
        ("connections", 31),
        ("refused connections", 4),
        ("refused subscriptions", None),
    ]


def test_part_that_the_credentials_may_not_read_does_not_hide_the_others(aws: Recorded) -> None:
    aws.refuses("cloudwatch", "describe_alarms", "AccessDenied")
    aws.refuses("dynamodb", "query", "AccessDeniedException")
    aws.refuses("sqs", "get_queue_url", "AccessDenied")
    for _ in range(2):
        aws.refuses("cloudwatch", "get_metric_data", "AccessDenied")
    sections = read_status(aws.target)
    assert [each.id for each in sections if each.unread] == [
        *("alarms", "delivery", "deadLetters", "functions", "realtime")
    ]
    assert section(sections, "stacks").rows


def test_screen_marks_rows_and_shows_what_could_not_be_read() -> None:
    sections = [
        Section("a", "Queues", ("queue", "messages"), [("q", 1), ("r", None)], frozenset({0})),
        Section("b", "Alarms", unread="AccessDenied"),
        Section("c", "Nothing"),
    ]
    status = Status("dev", "eu-central-1", datetime(2026, 1, 2, 3, 4, tzinfo=UTC), sections)
    assert as_text(status) == (
        "dev (eu-central-1), 2026-01-02 03:04 UTC\n\nQueues\n  queue  messages\n! q      1\n  r      no data\n\n"
        "Alarms\n  could not be read: AccessDenied\n\nNothing\n  none\n\n"
        "1 rows need attention (!); make doctor ENV=dev names causes\n"
    )
    document = json.loads(as_json(status))
    assert document["sections"]["a"]["rows"][0] == {"queue": "q", "messages": 1, "attention": True}
    assert document["sections"]["b"] == {"unread": "AccessDenied", "rows": []}


def test_sums_are_added_and_other_statistics_have_their_largest_value() -> None:
    aws = Recorded()
    values = [{"Id": "m0", "Values": [1.0, 2.0]}, {"Id": "m1", "Values": [1.0, 2.0]}, {"Id": "m2", "Values": []}]
    aws.answers("cloudwatch", "get_metric_data", {"MetricDataResults": values})
    wanted = [Metric("N", "a", {}), Metric("N", "b", {}, "p95"), Metric("N", "c", {})]
    assert read_metrics(aws.target.client("cloudwatch"), wanted, 60) == [3.0, 2.0, None]


def test_unknown_environment_has_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--env", "nowhere"]) == 2
    assert "There is no environment 'nowhere'" in capsys.readouterr().err
