"""ops.quotas: warnings about quotas of the account before a deployment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from ops.quotas import account_warnings
from stacks.config.fields import Domain, Environment
from stacks.config.load import load


class _Account:
    """The clients of an account with some quotas."""

    def __init__(
        self,
        concurrency: int = 1_000,
        *,
        ses: bool = True,
        meetings: float = 250.0,
        roles: bool = True,
        error: Exception | None = None,
    ) -> None:
        self._concurrency, self._ses, self._error = concurrency, ses, error
        self._meetings, self._roles = meetings, roles

    def client(self, service: str) -> Any:
        assert service in ("lambda", "sesv2", "service-quotas", "iam")
        return self

    def get_account_settings(self) -> dict[str, Any]:
        if self._error:
            raise self._error
        return {"AccountLimit": {"ConcurrentExecutions": self._concurrency}}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_service_quotas"
        return self

    def paginate(self, **request: str) -> list[dict[str, Any]]:
        assert request == {"ServiceCode": "chime"}
        quotas = [("Amazon Chime SDK meetings - Active meetings", self._meetings), ("CreateMeeting rate", 1.0)]
        return [{"Quotas": [{"QuotaName": name, "Value": value} for name, value in quotas]}]

    def get_role(self, **request: str) -> dict[str, Any]:
        if not self._roles:
            raise ClientError({"Error": {"Code": "NoSuchEntity", "Message": request["RoleName"]}}, "GetRole")
        return {"Role": {"RoleName": request["RoleName"]}}

    def get_account(self) -> dict[str, Any]:
        return {"ProductionAccessEnabled": self._ses}


@pytest.fixture
def environment() -> Environment:
    """An environment whose user pool sends by SES."""
    dev = load("dev")
    return replace(dev, identity=replace(dev.identity, email_from="hello@example.edu"))


def test_account_with_enough_quotas_has_no_warning(environment: Environment) -> None:
    assert account_warnings(environment, _Account().client) == []


def test_low_concurrency_of_a_new_account_is_a_warning(environment: Environment) -> None:
    (warning,) = account_warnings(environment, _Account(10).client)
    assert warning.startswith("the account allows 10 concurrent Lambda executions")


def test_sandbox_of_ses_is_a_warning_if_the_pool_sends_by_ses(environment: Environment) -> None:
    (warning,) = account_warnings(environment, _Account(ses=False).client)
    assert warning.startswith("SES is in its sandbox")
    assert account_warnings(load("dev"), _Account(ses=False).client) == []


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "AccessDeniedException", "Message": "denied"}}, "GetAccountSettings"),
        EndpointConnectionError(endpoint_url="https://lambda.us-east-1.amazonaws.com"),
    ],
)
def test_quota_that_cannot_be_read_is_a_warning_and_stops_nothing(environment: Environment, error: Exception) -> None:
    (warning,) = account_warnings(environment, _Account(error=error).client)
    assert warning.startswith("Lambda's concurrent executions could not be read: ")


def test_low_quota_of_meetings_is_a_warning(environment: Environment) -> None:
    (warning,) = account_warnings(environment, _Account(meetings=50.0).client)
    assert warning.startswith("Chime allows 50 active meetings, fewer than 250")


def test_service_linked_role_that_aws_has_to_create_is_a_warning(environment: Environment) -> None:
    (warning,) = account_warnings(environment, _Account(roles=False).client)
    assert "AWSServiceRoleForAmazonCognitoIdpEmailService does not exist yet" in warning
    domain = Domain(name="api.example.edu", certificate_arn="arn")
    with_domain = replace(environment, api=replace(environment.api, domain=domain))
    assert len(account_warnings(with_domain, _Account(roles=False).client)) == 2
    assert account_warnings(load("dev"), _Account(roles=False).client) == []
