"""The roles of GitHub Actions: which tokens may assume them, and what they may do.

Trust and permissions are evaluated by the emulator's implementation of IAM, not compared with a text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from ministack.core.iam_evaluator import EvalContext, _first_match, parse_policy_document

from ops import preflight
from stacks.packaging import ROOT
from stacks.policy import workflow_permissions as permissions
from stacks.policy.github import AUDIENCE, ISSUER
from tests.stacks.access import IDS, NAMES, OTHER_POOL, REPOSITORY, access_assembly, access_settings, access_template
from tests.stacks.synthesis import as_list, readable

WITH_IDS = "example-edu@123456/chat@456789"
every_variant = pytest.mark.parametrize("variant", [NAMES, IDS, OTHER_POOL])


def _role(variant: str, name: str) -> dict[str, Any]:
    template = access_template(variant)
    for resource in template["Resources"].values():
        properties: dict[str, Any] = resource["Properties"]
        if properties.get("RoleName", "").startswith(f"PantherKolab-{name}-"):
            return properties
    raise KeyError(name)


def _assumable(variant: str, role: str, **claims: str) -> bool:
    """Whether a token with these claims may assume a role."""
    policy = readable(_role(variant, role)["AssumeRolePolicyDocument"])
    # The evaluator knows policies of resources and of identities; the action of a trust policy has no resource.
    statements = [{**each, "Resource": "*"} for each in policy["Statement"]]
    context = _context(
        "sts:AssumeRoleWithWebIdentity", "*", {f"{ISSUER}:{name}": text for name, text in claims.items()}
    )
    return _first_match(context, parse_policy_document({**policy, "Statement": statements}), "Allow") is not None


def _context(action: str, resource: str, keys: dict[str, str]) -> EvalContext:
    return EvalContext(
        principal_arn="arn:aws:iam::111111111111:role/role",
        principal_type="AssumedRole",
        principal_account="111111111111",
        action=action,
        resource_arn=resource,
        region="us-east-1",
        service_context={name.lower(): value for name, value in keys.items()},
    )


def _statements(variant: str, role: str) -> list[dict[str, Any]]:
    (policy,) = _role(variant, role)["Policies"]
    statements: list[dict[str, Any]] = readable(policy["PolicyDocument"])["Statement"]
    return statements


def _allowed(variant: str, role: str, action: str, resource: str, **keys: str) -> bool:
    text = {"Version": "2012-10-17", "Statement": _statements(variant, role)}
    known = {"${AWS::Partition}": "aws", "${AWS::Region}": "us-east-1", "${AWS::AccountId}": "111111111111"}
    for name, value in known.items():
        text = _replaced(text, name, value)
    context = _context(action, resource, {f"aws:ResourceTag/{name}": value for name, value in keys.items()})
    return _first_match(context, parse_policy_document(text), "Allow") is not None


def _replaced(value: Any, name: str, text: str) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(item, name, text) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, name, text) for item in value]
    return value.replace(name, text) if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("variant", "environment", "repository"), [(NAMES, "prod", REPOSITORY), (IDS, "staging", WITH_IDS)]
)
def test_jobs_of_the_repository_in_the_github_environment_may_deploy(
    variant: str, environment: str, repository: str
) -> None:
    assert _assumable(variant, "Deploy", aud=AUDIENCE, sub=f"repo:{repository}:environment:{environment}")
    assert _assumable(variant, "Report", aud=AUDIENCE, sub=f"repo:{repository}:pull_request")


REFUSED_SUBJECTS = {
    "another repository of the owner": "repo:example-edu/other:environment:prod",
    "a longer name": "repo:example-edu/chat-2:environment:prod",
    "a fork": "repo:other-owner/chat:environment:prod",
    "another spelling": "repo:Example-Edu/Chat:environment:prod",
    "a branch": "repo:example-edu/chat:ref:refs/heads/main",
    "another branch": "repo:example-edu/chat:ref:refs/heads/prod",
    "a branch that is called like the environment": "repo:example-edu/chat:ref:refs/heads/environment:prod",
    "a tag": "repo:example-edu/chat:ref:refs/tags/v1.0.0",
    "a pull request": "repo:example-edu/chat:pull_request",
    "another environment": "repo:example-edu/chat:environment:dev",
    "a longer environment": "repo:example-edu/chat:environment:prod2",
    "a wildcard": "repo:example-edu/chat:*",
    "everything": "*",
    "no subject": "",
    "a reused name": "repo:example-edu@999/chat@888:environment:prod",
}


@pytest.mark.parametrize("subject", REFUSED_SUBJECTS.values(), ids=REFUSED_SUBJECTS)
def test_no_other_token_may_deploy(subject: str) -> None:
    assert not _assumable(NAMES, "Deploy", aud=AUDIENCE, sub=subject)


@pytest.mark.parametrize("audience", ["", "https://github.com/example-edu", "sts.amazonaws.com.example.org"])
def test_token_for_another_audience_may_not_deploy(audience: str) -> None:
    assert not _assumable(NAMES, "Deploy", aud=audience, sub="repo:example-edu/chat:environment:prod")


def test_token_without_subject_or_audience_may_not_deploy() -> None:
    assert not _assumable(NAMES, "Deploy", aud=AUDIENCE)
    assert not _assumable(NAMES, "Deploy", sub="repo:example-edu/chat:environment:prod")


@pytest.mark.parametrize(
    "repository",
    [
        REPOSITORY,
        "example-edu@123456/chat@1",
        "example-edu@1/chat@456789",
        "example-edu/chat@456789",
        "x@123456/y@456789",
    ],
)
def test_repository_with_ids_is_compared_by_its_ids_too(repository: str) -> None:
    """Who takes over a freed name gets other ids."""
    assert not _assumable(IDS, "Deploy", aud=AUDIENCE, sub=f"repo:{repository}:environment:staging")


@pytest.mark.parametrize(
    "subject",
    [
        "repo:example-edu/chat:environment:prod",
        "repo:example-edu/chat:ref:refs/heads/main",
        "repo:other-owner/chat:pull_request",
        "repo:example-edu/chat-2:pull_request",
    ],
)
def test_only_pull_requests_of_the_repository_may_read_for_the_report(subject: str) -> None:
    assert not _assumable(NAMES, "Report", aud=AUDIENCE, sub=subject)


@every_variant
def test_trust_policies_compare_by_equality_only(variant: str) -> None:
    for name in ("Deploy", "Report"):
        (statement,) = _role(variant, name)["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        assert list(statement["Condition"]) == ["StringEquals"]
        assert set(statement["Condition"]["StringEquals"]) == {f"{ISSUER}:aud", f"{ISSUER}:sub"}
        assert "*" not in str(statement["Condition"])


def test_provider_is_created_or_imported() -> None:
    def types(variant: str) -> set[str]:
        return {resource["Type"] for resource in access_template(variant)["Resources"].values()}

    assert "AWS::IAM::OIDCProvider" in types(NAMES)
    assert types(IDS) == {"AWS::IAM::Role"}
    (statement,) = readable(_role(IDS, "Deploy")["AssumeRolePolicyDocument"]["Statement"])
    assert (
        statement["Principal"]["Federated"]
        == f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:oidc-provider/{ISSUER}"
    )


def test_role_for_tests_exists_only_where_the_settings_allow_it() -> None:
    with pytest.raises(KeyError):
        _role(NAMES, "Verify")
    assert _assumable(IDS, "Verify", aud=AUDIENCE, sub=f"repo:{WITH_IDS}:environment:staging")


@every_variant
def test_no_role_has_an_action_wildcard_and_only_reading_is_allowed_on_everything(variant: str) -> None:
    for resource in access_template(variant)["Resources"].values():
        for policy in resource["Properties"].get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = as_list(statement["Action"])
                assert all(re.fullmatch(r"[a-z-]+:[A-Za-z]+", action) for action in actions), actions
                if statement["Resource"] == "*":
                    verbs = {re.sub(r"^[a-z-]+:(List|Get|Test)[A-Z].*", r"\1", action) for action in actions}
                    assert verbs <= {"List", "Get", "Test"}, actions


def test_deploying_changes_nothing_but_through_the_roles_of_the_bootstrap() -> None:
    arn = "arn:aws:iam::111111111111:role/cdk-hnb659fds-{}-role-111111111111-us-east-1"
    for role in ("deploy", "file-publishing", "lookup"):
        assert _allowed(NAMES, "Deploy", "sts:AssumeRole", arn.format(role))
    refused = [
        arn.format("cfn-exec"),
        arn.format("image-publishing"),
        arn.format("deploy").replace("111111111111", "2" * 12),
    ]
    assert not any(_allowed(NAMES, "Deploy", "sts:AssumeRole", each) for each in [*refused, "*"])
    writes = {action for each in _statements(NAMES, "Deploy") for action in as_list(each["Action"])}
    assert {each for each in writes if not re.search(r":(?:Get|Describe|List)", each)} == {
        "sts:AssumeRole",
        "cloudformation:UpdateTerminationProtection",
    }


def test_report_only_reads_stacks_of_its_environment() -> None:
    stack = "arn:aws:cloudformation:us-east-1:111111111111:stack/PantherKolab-Data-{}/1"
    assert _allowed(NAMES, "Report", "cloudformation:GetTemplate", stack.format("prod"))
    assert not _allowed(NAMES, "Report", "cloudformation:GetTemplate", stack.format("dev"))
    actions = {action for each in _statements(NAMES, "Report") for action in as_list(each["Action"])}
    assert actions == {"cloudformation:DescribeStacks", "cloudformation:GetTemplate"}


def test_tests_create_users_in_the_pool_of_the_environment_only() -> None:
    pool = "arn:aws:cognito-idp:us-east-1:111111111111:userpool/us-east-1_AbCdEf123"
    tags = {"application": "PantherKolab", "environment": "staging"}
    create = "cognito-idp:AdminCreateUser"
    assert _allowed(IDS, "Verify", create, pool, **tags)
    assert not _allowed(IDS, "Verify", create, pool, **{**tags, "environment": "prod"})
    assert not _allowed(IDS, "Verify", create, pool)
    imported = "arn:aws:cognito-idp:eu-west-1:111111111111:userpool/eu-west-1_"
    assert _allowed(OTHER_POOL, "Verify", create, f"{imported}AbCdEf123")
    assert not _allowed(OTHER_POOL, "Verify", create, f"{imported}Other", **tags)


@pytest.mark.parametrize("variant", [IDS, OTHER_POOL])
def test_tests_delete_no_data(variant: str) -> None:
    actions = {action for each in _statements(variant, "Verify") for action in as_list(each["Action"])}
    assert {each for each in actions if "Delete" in each} == {"cognito-idp:AdminDeleteUser"}
    assert {each for each in actions if each.startswith("dynamodb:")} == {"dynamodb:PutItem", "dynamodb:ListTables"}


@cache
def _operations() -> dict[str, set[str]]:
    """IAM actions by the name of the client's method, of the services that operators' commands use."""
    session, found = botocore.session.get_session(), {}
    for service, prefix in (
        *(("cloudformation", "cloudformation"), ("cloudwatch", "cloudwatch"), ("cognito-idp", "cognito-idp")),
        *(("dynamodb", "dynamodb"), ("lambda", "lambda"), ("logs", "logs"), ("sesv2", "ses")),
    ):
        for operation in session.get_service_model(service).operation_names:
            found.setdefault(xform_name(operation), set()).add(f"{prefix}:{operation}")
    return found


def _called(*files: str) -> Iterator[set[str]]:
    """Yield the possible IAM actions of each call of AWS in some files, also of those through a paginator."""
    for file in (path for pattern in files for path in sorted(ROOT.glob(pattern))):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Attribute(value=ast.Name(id=owner), attr=name) if name in _operations() and owner != "self":
                    yield _operations()[name]
                case ast.Call(func=ast.Attribute(attr="get_paginator" | "get_waiter"), args=[ast.Constant(value=name)]):
                    yield _operations().get(name, set())
                case ast.Call(func=ast.Attribute(value=ast.Call(), attr=name)) if name in _operations():
                    yield _operations()[name]


@pytest.mark.parametrize(
    ("role", "files"),
    [
        ("Deploy", ("ops/deploy*.py", "ops/deploy/*.py", "ops/preflight*.py", "ops/quotas.py", "ops/outputs.py")),
        ("Report", ("ops/diff.py", "ops/outputs.py")),
        ("Verify", ("ops/outputs.py", "ops/verify/log_questions.py", "tests/harness/e2e/environment.py")),
    ],
)
def test_role_allows_every_request_of_its_command(role: str, files: tuple[str, ...]) -> None:
    granted = {action for each in _statements(IDS, role) for action in as_list(each["Action"])}
    called = list(_called(*files))
    assert called
    missing = [possible for possible in called if possible and not possible & granted]
    assert not missing, f"{role} lacks {missing}; add them to stacks/policy/workflow_permissions.py"


def test_stacks_are_those_of_an_environment() -> None:
    assert set(permissions.STACKS) == set(preflight.STACKS)


def test_stack_protects_itself_as_its_environment_does() -> None:
    for variant in (NAMES, IDS):
        manifest = (access_assembly(variant) / "manifest.json").read_text(encoding="utf-8")
        assert f"PantherKolab-DeploymentAccess-{access_settings(variant).name}" in manifest
        assert '"terminationProtection": true' in manifest
