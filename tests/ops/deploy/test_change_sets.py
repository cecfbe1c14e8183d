"""One change set per stack: prepared, compared with the report, executed. Recorded responses of AWS."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ops.cdk import ROOT
from ops.change_report.comparison import Comparison, Revision
from ops.deploy import alarms
from ops.deploy.alarms import IDS, Triggers, find_triggers
from ops.deploy.change_sets import ChangeSet, Target, check_surprises, execute, prepare, surprises
from ops.errors import CommandError
from stacks.config.load import load
from tests.ops.recorded_cloudformation import NOW, STACK, absent, described, events, recorded, tools
from tests.stacks.synthesis import templates

TABLE = "AWS::DynamoDB::Table"
ALARM = "arn:aws:cloudwatch:us-east-1:111111111111:alarm:PantherKolab-ApiErrors-staging"
REQUEST = {"StackName": STACK, "ChangeSetName": "make-deploy"}


def change(action: str, logical_id: str, kind: str = TABLE, replacement: str = "", **more: Any) -> dict[str, Any]:
    found = {"Action": action, "LogicalResourceId": logical_id, "ResourceType": kind, **more}
    return {**found, "Replacement": replacement} if replacement else found


def change_set(*changes: dict[str, Any], status: str = "CREATE_COMPLETE", **more: Any) -> dict[str, Any]:
    rows = [{"Type": "Resource", "ResourceChange": each} for each in changes]
    return {"StackName": STACK, "ChangeSetName": "make-deploy", "Status": status, "Changes": rows, **more}


class Cli:
    """Records the commands of the CDK CLI and returns a status."""

    def __init__(self, status: int = 0) -> None:
        self.commands: list[list[str]] = []
        self._status = status

    def __call__(self, arguments: list[str]) -> int:
        self.commands.append(arguments)
        return self._status


TARGET = Target(Path("cdk.out.staging"), "Data", STACK)


def test_change_set_is_prepared_for_one_stack_with_the_alarms_that_roll_it_back() -> None:
    cli, target = Cli(), Target(Path("cdk.out.staging"), "Data", STACK, Triggers((ALARM,), 5), import_existing=True)
    with recorded(("describe_change_set", change_set(change("Modify", "Users")), REQUEST)) as client:
        found = prepare(target, tools(client, cli=cli))
    assert found is not None
    assert found.summary == "modify 1"
    (command,) = cli.commands
    assert command[:5] == ["deploy", "--app", "cdk.out.staging", "Data", "--exclusively"]
    assert command[5:9] == ["--method", "prepare-change-set", "--change-set-name", "make-deploy"]
    assert command[11:15] == ["--rollback-trigger-alarm-arns", ALARM, "--monitoring-time-minutes", "5"]
    assert command[15:] == ["--import-existing-resources"]


def test_stack_without_alarms_clears_those_of_an_earlier_update() -> None:
    cli = Cli()
    with recorded(("describe_change_set", change_set(change("Add", "Users")), REQUEST)) as client:
        prepare(TARGET, tools(client, cli=cli))
    assert cli.commands[0][-2:] == ["--rollback-trigger-alarm-arns", "none"]


def test_change_sets_of_several_pages_are_read_whole() -> None:
    second = {**REQUEST, "NextToken": "two"}
    responses = [
        ("describe_change_set", change_set(change("Add", "Users"), NextToken="two"), REQUEST),
        ("describe_change_set", change_set(change("Remove", "Groups")), second),
    ]
    with recorded(*responses) as client:
        found = prepare(TARGET, tools(client, cli=Cli()))
    assert found is not None
    assert [each["LogicalResourceId"] for each in found.changes] == ["Users", "Groups"]


def test_stack_without_changes_is_left_alone() -> None:
    reason = "The submitted information didn't contain changes. Submit different information to create a change set."
    empty = change_set(status="FAILED", StatusReason=reason)
    responses = [
        ("describe_change_set", empty, REQUEST),
        ("delete_change_set", {}, REQUEST),
        ("describe_change_set", ("ChangeSetNotFound", "ChangeSet [make-deploy] does not exist"), REQUEST),
    ]
    with recorded(*responses) as client:
        assert prepare(TARGET, tools(client, cli=Cli())) is None
        assert prepare(TARGET, tools(client, cli=Cli())) is None


def test_change_set_that_cannot_be_prepared_is_an_error_with_its_reason() -> None:
    failed = change_set(status="FAILED", StatusReason="Transform AWS::Include failed")
    with recorded(("describe_change_set", failed), ("describe_change_set", failed)) as client:
        with pytest.raises(CommandError, match=r"could not be prepared: Transform .* Nothing was changed"):
            prepare(TARGET, tools(client, cli=Cli(1)))
        with pytest.raises(CommandError, match="failed: Transform"):
            prepare(TARGET, tools(client, cli=Cli()))


def comparison(**edits: Any) -> Comparison:
    """Return a comparison of the Data stack in which tables differ: None removes one, a value replaces its key."""
    before = templates("staging")["Data"]
    resources = dict(before["Resources"])
    for name, edit in edits.items():
        (logical_id,) = [each for each in resources if each.startswith(name)]
        if edit is None:
            del resources[logical_id]
        else:
            old = resources[logical_id]
            resources[logical_id] = {**old, "Properties": {**old["Properties"], **edit}}
    return Comparison(Revision({STACK: before}), Revision({STACK: {**before, "Resources": resources}}))


def logical(name: str) -> str:
    return next(each for each in templates("staging")["Data"]["Resources"] if each.startswith(name))


def test_replacement_that_the_report_shows_is_no_surprise() -> None:
    found = ChangeSet(STACK, [change("Modify", logical("Blocks"), replacement="True")])
    assert surprises(found, comparison(Blocks={"TableName": "other"})) == []


def test_replacement_that_the_report_does_not_show_stops_the_deployment_and_deletes_the_change_set() -> None:
    detail = {
        "Target": {"Attribute": "Properties", "Name": "KeySchema", "RequiresRecreation": "Always"},
        "Evaluation": "Static",
        "ChangeSource": "DirectModification",
    }
    found = ChangeSet(STACK, [change("Modify", logical("Blocks"), replacement="True", Details=[detail])])
    expected = r"Blocks\w* \(AWS::DynamoDB::Table\) is replaced because of KeySchema"
    with recorded(("delete_change_set", {}, REQUEST)) as client, pytest.raises(CommandError, match=expected):
        check_surprises(found, comparison(Blocks={"BillingMode": "PROVISIONED"}), tools(client))


def test_removal_that_the_report_does_not_show_is_a_surprise() -> None:
    found = ChangeSet(STACK, [change("Remove", logical("Blocks")), change("Remove", logical("Groups"))])
    assert surprises(found, comparison(Groups=None)) == [f"{logical('Blocks')} ({TABLE}) is removed"]


def test_possible_replacement_is_a_surprise_only_where_it_loses_data_or_an_address() -> None:
    conditional = [
        change("Modify", "Queue", "AWS::SQS::Queue", "Conditional"),
        change("Modify", "Permission", "AWS::Lambda::Permission", "Conditional"),
        change("Modify", "CDKMetadata", "AWS::CDK::Metadata", "True"),
        change("Modify", "Users", TABLE, "False"),
    ]
    assert surprises(ChangeSet(STACK, conditional), comparison()) == ["Queue (AWS::SQS::Queue) may be replaced"]


def test_executed_change_set_waits_for_the_stack() -> None:
    cli = Cli()
    responses = [
        ("describe_stacks", described("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")),
        ("describe_stacks", described("UPDATE_COMPLETE")),
    ]
    with recorded(*responses) as client:
        assert execute(TARGET, "staging", tools(client, cli=cli)) == "UPDATE_COMPLETE"
    assert cli.commands[0][5:9] == ["--method", "execute-change-set", "--change-set-name", "make-deploy"]


@pytest.mark.parametrize("status", ["UPDATE_COMPLETE", "REVIEW_IN_PROGRESS"])
def test_change_set_that_the_cli_could_not_execute_is_an_error_although_the_stack_is_complete(status: str) -> None:
    expected = f"could not execute the change set of {STACK}, which is {status}"
    with recorded(("describe_stacks", described(status))) as client, pytest.raises(CommandError, match=expected):
        execute(TARGET, "staging", tools(client, cli=Cli(1)))


@pytest.mark.parametrize(
    ("reason", "action"),
    [
        (
            "Export PantherKolab-Data-staging:ExportsOutput cannot be deleted as it is in use by "
            "PantherKolab-Routes-staging and PantherKolab-Events-staging",
            r"python -m ops\.deploy --env staging --only Routes",
        ),
        ("Resource of type 'AWS::DynamoDB::Table' with identifier 'X' already exists.", "Repeat the command"),
        (
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename X",
            "Give the new resource another name",
        ),
        ("[arn:aws:cloudwatch:…:alarm:A] Rollback Trigger ALARM state detected", "An alarm fired during the update"),
        ("Cannot perform more than one GSI creation or deletion in a single update", "one by one"),
        ("Updates are not allowed for property - UsernameAttributes.", "restore its value"),
        ("User: arn:aws:sts::1:assumed-role/a is not authorized to perform: iam:PassRole", "execution role"),
        ("Rate exceeded (Service: Lambda, Status Code: 429)", "Repeat the command"),
        ("something that no rule knows", "Correct the cause"),
    ],
)
def test_failed_update_names_the_first_failure_and_what_to_do(reason: str, action: str) -> None:
    own = "AWS::CloudFormation::Stack"
    responses = [
        ("describe_stacks", described("UPDATE_ROLLBACK_COMPLETE")),
        (
            "describe_stack_events",
            events(
                (STACK, own, "UPDATE_ROLLBACK_COMPLETE", ""),
                (STACK, own, "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update"),
                ("Groups", TABLE, "UPDATE_FAILED", "Resource update cancelled"),
                ("Users", TABLE, "UPDATE_FAILED", reason),
                (STACK, own, "UPDATE_IN_PROGRESS", "User Initiated"),
                ("Old", TABLE, "UPDATE_FAILED", "of the operation before"),
            ),
        ),
    ]
    with recorded(*responses) as client, pytest.raises(CommandError) as error:
        execute(TARGET, "staging", tools(client, cli=Cli()))
    lines = str(error.value).splitlines()
    assert lines[0] == f"{STACK} is UPDATE_ROLLBACK_COMPLETE."
    assert reason in lines[1]
    assert lines[1].startswith(f"{STACK}: Users ({TABLE}) UPDATE_FAILED")
    assert re.search(action, "\n".join(lines[2:])), lines


def cloudwatch_alarm(name: str, state: str) -> dict[str, Any]:
    return {"AlarmName": name, "AlarmArn": f"arn:{name}", "StateValue": state, "StateUpdatedTimestamp": NOW}


def test_alarms_that_exist_and_are_quiet_watch_an_update() -> None:
    names = [f"PantherKolab-{each}-staging" for each in IDS]
    response = {
        "MetricAlarms": [
            cloudwatch_alarm("one", "OK"),
            cloudwatch_alarm("two", "ALARM"),
            cloudwatch_alarm("three", "INSUFFICIENT_DATA"),
        ]
    }
    request = {"AlarmNames": names, "AlarmTypes": ["MetricAlarm"]}
    with recorded(("describe_alarms", response, request), service="cloudwatch") as client:
        triggers, firing = find_triggers(load("staging", variables={}), client)
    assert triggers == Triggers(("arn:one", "arn:three"), 5)
    assert firing == ["two"]


def test_alarms_that_watch_an_update_are_alarms_of_the_environment_and_at_most_five() -> None:
    resources = templates("staging")["Operations"]["Resources"].values()
    names = {each["Properties"]["AlarmName"] for each in resources if each["Type"] == "AWS::CloudWatch::Alarm"}
    assert {f"PantherKolab-{each}-staging" for each in IDS} <= names
    assert len(IDS) <= 5


def test_change_set_of_a_stack_that_does_not_exist_is_no_change_set() -> None:
    with recorded(("describe_change_set", absent())) as client:
        assert prepare(TARGET, tools(client, cli=Cli())) is None


def test_page_names_the_alarms_and_how_long_they_watch() -> None:
    page = (ROOT / "docs" / "how-to" / "deploy.md").read_text(encoding="utf-8")
    listed = page.partition("*Rollback alarms*")[2].partition("\n\n")[0]
    assert [each for each in IDS if f"`{each}`" not in listed] == []
    assert "five minutes longer" in listed
    assert alarms.WATCH_MINUTES == 5
