"""The DeploymentAccess stack: the roles that GitHub Actions assumes, and GitHub's identity provider.

It is no part of an environment: an owner deploys it once, by `make deployment-access ENV=NAME`, before workflows can
deploy the environment.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.config.fields import Environment, GitHub
from stacks.constructs.stack import EnvironmentStack
from stacks.outputs import Output
from stacks.policy import github as tokens
from stacks.policy import nag
from stacks.policy import workflow_permissions as permissions
from stacks.policy.workflow_permissions import WorkflowStatement

NAME: Final = "DeploymentAccess"
DEPLOY: Final = "Deploy"
REPORT: Final = "Report"
VERIFY: Final = "Verify"
"""Roles, named `PantherKolab-{role}-{environment}` (`stacks.naming`)."""
_SESSION: Final = Duration.hours(1)


class DeploymentAccessStack(EnvironmentStack):
    """A role for each kind of job: deploy, report on pull requests, and test where the settings allow it.

    Raises:
        ValueError: the environment has no section `github`; `require_github` checks this with a message for operators.
    """

    def __init__(self, scope: Construct, environment: Environment) -> None:
        super().__init__(scope, NAME, environment, "roles of GitHub Actions")
        if environment.github is None:
            raise ValueError("the stack needs the settings of the section github")
        self._provider = self._provider_arn(environment.github)
        deploys = tokens.environment_subject(environment.github, environment.name)
        reports = tokens.pull_request_subject(environment.github)
        self._add_role(DEPLOY, deploys, permissions.deploy_statements(self.names), "jobs that deploy")
        self._add_role(REPORT, reports, permissions.report_statements(self.names), "reports on pull requests")
        if environment.github.verify:
            statements = permissions.verify_statements(self.names, environment.identity.pool_id)
            self._add_role(VERIFY, deploys, statements, "jobs that test the deployed environment")

    def _provider_arn(self, github: GitHub) -> str:
        """Return the ARN of the provider; it outlives the stack, because other environments may use it."""
        if github.provider == "import":
            return f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:oidc-provider/{tokens.ISSUER}"
        provider = iam.OidcProviderNative(
            self,
            "Provider",
            url=f"https://{tokens.ISSUER}",
            client_ids=[tokens.AUDIENCE],
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        return provider.oidc_provider_arn

    def _add_role(self, name: str, subject: str, statements: Sequence[WorkflowStatement], jobs: str) -> None:
        role = iam.Role(
            self,
            name,
            role_name=self.names.of(name),
            description=f"GitHub Actions, {self.names.environment}: {jobs}",
            max_session_duration=_SESSION,
            assumed_by=iam.WebIdentityPrincipal(
                self._provider,
                {"StringEquals": {f"{tokens.ISSUER}:aud": tokens.AUDIENCE, f"{tokens.ISSUER}:sub": subject}},
            ),
            inline_policies={name: iam.PolicyDocument(statements=[_statement(each) for each in statements])},
        )
        for each in statements:
            for resource in each.resources if each.wildcard_reason else ():
                nag.acknowledge_resource_wildcard(role, _as_in_finding(resource), each.wildcard_reason)
        self.add_output(Output(NAME, f"{name}RoleArn", f"Role of {jobs}"), role.role_arn)


def _statement(each: WorkflowStatement) -> iam.PolicyStatement:
    conditions = {f"aws:ResourceTag/{name}": value for name, value in each.tags.items()}
    return iam.PolicyStatement(
        sid=each.sid,
        actions=list(each.actions),
        resources=list(each.resources),
        conditions={"StringEquals": conditions} if conditions else None,
    )


def _as_in_finding(resource: str) -> str:
    """Return an ARN as cdk-nag writes it: pseudo parameters by name."""
    for token, name in (
        (Aws.PARTITION, "<AWS::Partition>"),
        (Aws.REGION, "<AWS::Region>"),
        (Aws.ACCOUNT_ID, "<AWS::AccountId>"),
    ):
        resource = resource.replace(token, name)
    return resource
