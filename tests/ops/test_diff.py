"""ops.diff: the report of changes without credentials, and the changes that `--fail-on` refuses."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs

from ops import diff
from ops.diff import Findings, StackDiff, compare, differences, report
from ops.errors import CommandError

APP = """
import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs

app = cdk.App()
stack = cdk.Stack(app, "Small", stack_name=f"Small-{app.node.get_context('env')}")
sqs.Queue(stack, "Queue", queue_name="QUEUE")
app.synth()
"""


def _table(stack: cdk.Stack, name: str) -> dynamodb.Table:
    key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    return dynamodb.Table(stack, "Things", table_name=name, partition_key=key)


def _role(stack: cdk.Stack, *actions: str) -> None:
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=["arn:aws:sqs:us-east-1:000000000000:q"]))


@pytest.fixture
def compare_versions(tmp_path: Path) -> Callable[..., StackDiff]:
    """Compares two versions of one stack with a value of `--fail-on`."""

    def assembly(name: str, build: Callable[[cdk.Stack], object]) -> Path:
        app = cdk.App(outdir=str(tmp_path / name), analytics_reporting=False, builtin_cloud_formation_validation=False)
        build(cdk.Stack(app, "Small", stack_name="Small-test"))
        app.synth()
        return tmp_path / name

    def compared(
        before: Callable[[cdk.Stack], object], after: Callable[[cdk.Stack], object], fail_on: diff.FailOn | None
    ) -> StackDiff:
        (found,) = compare(assembly("before", before), assembly("after", after), fail_on)
        return found

    return compared


def test_renamed_table_is_refused_as_destructive(compare_versions: Callable[..., StackDiff]) -> None:
    """Requirement P6."""
    found = compare_versions(lambda stack: _table(stack, "Old"), lambda stack: _table(stack, "New"), "destructive")
    assert found.refused
    assert found.changed == ("Things056D6BEE (AWS::DynamoDB::Table, kept in the account)",)
    assert "[+] New" in found.text


def test_removed_table_is_refused_and_named(compare_versions: Callable[..., StackDiff]) -> None:
    def before(stack: cdk.Stack) -> None:
        _table(stack, "Old")
        sqs.Queue(stack, "Q")

    found = compare_versions(before, lambda stack: sqs.Queue(stack, "Q"), "destructive")
    assert found.refused
    assert found.summary == (
        "Small-test: 0 added, 0 changed, 1 removed\n"
        "  removed: Things056D6BEE (AWS::DynamoDB::Table, kept in the account)"
    )


def test_additional_permissions_are_refused_as_broadening_only(compare_versions: Callable[..., StackDiff]) -> None:
    before, after = (
        lambda stack: _role(stack, "sqs:SendMessage"),
        lambda stack: _role(stack, "sqs:SendMessage", "sqs:DeleteQueue"),
    )
    assert compare_versions(before, after, "broadening").refused
    assert not compare_versions(before, after, "destructive").refused


def test_harmless_change_is_refused_by_any_change_only(compare_versions: Callable[..., StackDiff]) -> None:
    before, after = (
        lambda stack: sqs.Queue(stack, "Q", visibility_timeout=cdk.Duration.seconds(10)),
        lambda stack: sqs.Queue(stack, "Q", visibility_timeout=cdk.Duration.seconds(20)),
    )
    assert not compare_versions(before, after, "destructive").refused
    assert not compare_versions(before, after, "broadening").refused
    assert compare_versions(before, after, "any-change").refused


def test_unchanged_stack_is_reported_in_one_line(compare_versions: Callable[..., StackDiff]) -> None:
    found = compare_versions(lambda stack: sqs.Queue(stack, "Q"), lambda stack: sqs.Queue(stack, "Q"), "any-change")
    assert not found.refused
    assert report([found]) == "── Summary\nSmall-test: no resource changes"


def test_removed_stack_is_reported_with_all_resources(tmp_path: Path) -> None:
    for name, stacks in (("before", ["Kept", "Removed"]), ("after", ["Kept"])):
        app = cdk.App(outdir=str(tmp_path / name), analytics_reporting=False, builtin_cloud_formation_validation=False)
        for stack in stacks:
            sqs.Queue(cdk.Stack(app, stack), "Q")
        app.synth()
    kept, removed = compare(tmp_path / "before", tmp_path / "after", "destructive")
    assert (kept.stack, kept.refused) == ("Kept", False)
    assert (removed.stack, removed.refused, len(removed.removed)) == ("Removed", True, 1)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a small app whose queue was renamed after the last commit."""
    root = tmp_path / "repository"
    root.mkdir()
    (root / "cdk.json").write_text('{"app": "python app.py"}', encoding="utf-8")
    (root / "app.py").write_text(APP.replace("QUEUE", "committed"), encoding="utf-8")
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "base"]):
        author = ["-c", "user.name=Test", "-c", "user.email=test@example.edu", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(root), *author, *command], check=True, timeout=30)
    (root / "app.py").write_text(APP.replace("QUEUE", "working"), encoding="utf-8")
    return root


def test_checkout_is_compared_with_a_revision_and_not_changed(repository: Path) -> None:
    ((found,), findings) = differences("test", "HEAD", None, repository)
    assert found.stack == "Small-test"
    assert findings == Findings([], [])
    assert "[-] committed" in found.text
    assert "[+] working" in found.text
    listed = subprocess.run(
        ["git", "-C", str(repository), "worktree", "list"], capture_output=True, text=True, check=True, timeout=30
    )
    assert len(listed.stdout.splitlines()) == 1
    assert "working" in (repository / "app.py").read_text(encoding="utf-8")


def test_error_names_an_unknown_revision(repository: Path) -> None:
    with pytest.raises(CommandError, match="no-such-revision"):
        differences("test", "no-such-revision", None, repository)


def test_error_quotes_a_failed_synthesis(repository: Path) -> None:
    (repository / "app.py").write_text("import sys; sys.exit('settings are wrong')", encoding="utf-8")
    with pytest.raises(CommandError, match="settings are wrong"):
        differences("test", "HEAD", None, repository)


def test_refused_change_sets_the_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = StackDiff("Small-test", (), ("Q (AWS::SQS::Queue)",), (), "changes", True)
    monkeypatch.setattr(diff, "differences", lambda *arguments: ([refused], Findings()))
    assert diff.main(["--env", "test", "--base", "HEAD", "--fail-on", "destructive"]) == 1
    printed = capsys.readouterr()
    assert "removed: Q (AWS::SQS::Queue)" in printed.out
    assert "Refused (destructive): Small-test" in printed.err


IMPOSSIBLE = Findings(impossible=["Small-test: two index changes"])
AT_RISK = Findings(risks=["Small-test: index removed"])


@pytest.mark.parametrize(
    ("findings", "fail_on", "status"),
    [
        (IMPOSSIBLE, None, 0),
        (IMPOSSIBLE, "broadening", 1),
        (IMPOSSIBLE, "destructive", 1),
        (AT_RISK, None, 0),
        (AT_RISK, "broadening", 0),
        (AT_RISK, "destructive", 1),
        (AT_RISK, "any-change", 1),
    ],
)
def test_findings_are_printed_and_fail_the_gate_although_the_cli_calls_the_change_an_update(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    findings: Findings,
    fail_on: str | None,
    status: int,
) -> None:
    harmless = StackDiff("Small-test", (), (), (), "changes", False)
    monkeypatch.setattr(diff, "differences", lambda *arguments: ([harmless], findings))
    options = ["--fail-on", fail_on] if fail_on else []
    assert diff.main(["--env", "test", "--base", "HEAD", *options]) == status
    printed = capsys.readouterr().err
    assert ("AWS would refuse: Small-test: two index changes" in printed) == bool(findings.impossible)
    assert ("Data at risk: Small-test: index removed" in printed) == bool(findings.risks)


def test_removed_index_is_found_between_two_assemblies(tmp_path: Path) -> None:
    for name, indexes in (("before", ["A", "B"]), ("after", [])):
        app = cdk.App(outdir=str(tmp_path / name), analytics_reporting=False, builtin_cloud_formation_validation=False)
        table = _table(cdk.Stack(app, "Small", stack_name="Small-test"), "Things")
        for index in indexes:
            key = dynamodb.Attribute(name=index, type=dynamodb.AttributeType.STRING)
            table.add_global_secondary_index(index_name=index, partition_key=key)
        app.synth()
    findings = diff.find(tmp_path / "before", tmp_path / "after")
    assert [change.partition(" (")[0] for change in findings.risks] == ["Small-test: Things056D6BEE"] * 2
    assert "has 2 index changes" in findings.impossible[0]


def test_retained_resource_is_reported_as_kept(compare_versions: Callable[..., StackDiff]) -> None:
    def before(stack: cdk.Stack) -> None:
        _table(stack, "Old").apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        sqs.Queue(stack, "Q")

    found = compare_versions(before, lambda stack: sqs.Queue(stack, "Q"), None)
    assert found.removed == ("Things056D6BEE (AWS::DynamoDB::Table, kept in the account)",)
