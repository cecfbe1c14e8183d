"""The change report: what the CDK CLI says of a change, without credentials, and what its gates refuse."""

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
from ops.diff import StackDiff, compare, differences, report
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
def changed(tmp_path: Path) -> Callable[..., StackDiff]:
    """Compares two versions of one stack under a gate."""

    def assembly(name: str, build: Callable[[cdk.Stack], object]) -> Path:
        app = cdk.App(outdir=str(tmp_path / name), analytics_reporting=False, builtin_cloud_formation_validation=False)
        build(cdk.Stack(app, "Small", stack_name="Small-test"))
        app.synth()
        return tmp_path / name

    def compared(
        before: Callable[[cdk.Stack], object], after: Callable[[cdk.Stack], object], gate: diff.FailOn | None
    ) -> StackDiff:
        (found,) = compare(assembly("before", before), assembly("after", after), gate)
        return found

    return compared


def test_a_renamed_table_is_refused_as_destructive(changed: Callable[..., StackDiff]) -> None:
    found = changed(lambda stack: _table(stack, "Old"), lambda stack: _table(stack, "New"), "destructive")
    assert found.refused
    assert found.changed == ("Things056D6BEE (AWS::DynamoDB::Table, stays in the account)",)
    assert "[+] New" in found.text


def test_a_removed_table_is_refused_and_named(changed: Callable[..., StackDiff]) -> None:
    def before(stack: cdk.Stack) -> None:
        _table(stack, "Old")
        sqs.Queue(stack, "Q")

    found = changed(before, lambda stack: sqs.Queue(stack, "Q"), "destructive")
    assert found.refused
    assert found.summary == (
        "Small-test: 0 new, 0 changed, 1 gone\n  goes: Things056D6BEE (AWS::DynamoDB::Table, stays in the account)"
    )


def test_more_rights_are_refused_as_broadening_only(changed: Callable[..., StackDiff]) -> None:
    before, after = (
        lambda stack: _role(stack, "sqs:SendMessage"),
        lambda stack: _role(stack, "sqs:SendMessage", "sqs:DeleteQueue"),
    )
    assert changed(before, after, "broadening").refused
    assert not changed(before, after, "destructive").refused


def test_a_harmless_change_passes_every_gate_but_any_change(changed: Callable[..., StackDiff]) -> None:
    before, after = (
        lambda stack: sqs.Queue(stack, "Q", visibility_timeout=cdk.Duration.seconds(10)),
        lambda stack: sqs.Queue(stack, "Q", visibility_timeout=cdk.Duration.seconds(20)),
    )
    assert not changed(before, after, "destructive").refused
    assert not changed(before, after, "broadening").refused
    assert changed(before, after, "any-change").refused


def test_no_change_is_said_in_one_line(changed: Callable[..., StackDiff]) -> None:
    found = changed(lambda stack: sqs.Queue(stack, "Q"), lambda stack: sqs.Queue(stack, "Q"), "any-change")
    assert not found.refused
    assert report([found]) == "── Summary\nSmall-test: no resource changes"


def test_a_stack_that_is_gone_takes_everything_with_it(tmp_path: Path) -> None:
    for name, stacks in (("before", ["Kept", "Gone"]), ("after", ["Kept"])):
        app = cdk.App(outdir=str(tmp_path / name), analytics_reporting=False, builtin_cloud_formation_validation=False)
        for stack in stacks:
            sqs.Queue(cdk.Stack(app, stack), "Q")
        app.synth()
    kept, gone = compare(tmp_path / "before", tmp_path / "after", "destructive")
    assert (kept.stack, kept.refused) == ("Kept", False)
    assert (gone.stack, gone.refused, len(gone.removed)) == ("Gone", True, 1)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a small app, whose queue was renamed since the last commit."""
    root = tmp_path / "repository"
    root.mkdir()
    (root / "cdk.json").write_text('{"app": "python app.py"}', encoding="utf-8")
    (root / "app.py").write_text(APP.replace("QUEUE", "committed"), encoding="utf-8")
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "base"]):
        author = ["-c", "user.name=Test", "-c", "user.email=test@example.edu", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(root), *author, *command], check=True, timeout=30)
    (root / "app.py").write_text(APP.replace("QUEUE", "working"), encoding="utf-8")
    return root


def test_the_checkout_is_compared_with_a_revision_and_left_alone(repository: Path) -> None:
    (found,) = differences("test", "HEAD", None, repository)
    assert found.stack == "Small-test"
    assert "[-] committed" in found.text
    assert "[+] working" in found.text
    listed = subprocess.run(
        ["git", "-C", str(repository), "worktree", "list"], capture_output=True, text=True, check=True, timeout=30
    )
    assert len(listed.stdout.splitlines()) == 1
    assert "working" in (repository / "app.py").read_text(encoding="utf-8")


def test_an_unknown_revision_is_named(repository: Path) -> None:
    with pytest.raises(CommandError, match="no-such-revision"):
        differences("test", "no-such-revision", None, repository)


def test_an_app_that_refuses_is_quoted(repository: Path) -> None:
    (repository / "app.py").write_text("import sys; sys.exit('settings are wrong')", encoding="utf-8")
    with pytest.raises(CommandError, match="settings are wrong"):
        differences("test", "HEAD", None, repository)


def test_a_gate_decides_the_exit_status(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    refused = StackDiff("Small-test", (), ("Q (AWS::SQS::Queue)",), (), "changes", True)
    monkeypatch.setattr(diff, "differences", lambda *arguments: [refused])
    assert diff.main(["--env", "test", "--base", "HEAD", "--fail-on", "destructive"]) == 1
    printed = capsys.readouterr()
    assert "goes: Q (AWS::SQS::Queue)" in printed.out
    assert "Refused (destructive): Small-test" in printed.err
