"""ops.quotas: warnings about quotas of the account before a deployment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from ops.quotas import account_warnings
from stacks.config.fields import Environment
from stacks.config.load import load


class _Account:
    """The clients of an account with some quotas."""

    def __init__(self, concurrency: int = 1_000, *, ses: bool = True, error: Exception | None = None) -> None:
        self._concurrency, self._ses, self._error = concurrency, ses, error

    def client(self, service: str) -> Any:
        assert service in ("lambda", "sesv2")
        return self

    def get_account_settings(self) -> dict[str, Any]:
        if self._error:
            raise self._error
        return {"AccountLimit": {"ConcurrentExecutions": self._concurrency}}

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
