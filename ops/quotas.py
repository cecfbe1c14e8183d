"""Warnings about the state of an account that makes a deployed environment fail for its users.

New AWS accounts have low quotas, and SES accepts only verified recipients until AWS grants production access. The
deployment itself would succeed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import botocore.exceptions

from stacks.config.fields import Environment

CONCURRENCY_MIN: Final = 100
"""Concurrent executions below which the queues' functions (20 each) can starve the routes of the account."""

MakeClient = Callable[[str], Any]


def account_warnings(environment: Environment, make_client: MakeClient) -> list[str]:
    """Return one line per quota or state of the account that is too low for the environment.

    A question that the credentials may not ask, or that AWS does not answer, becomes a warning itself.

    Args:
        environment: the environment to deploy.
        make_client: creates a botocore client of a service in the environment's region.
    """
    questions = [("Lambda's concurrent executions", _concurrency)]
    if environment.identity.source == "create" and environment.identity.email_from is not None:
        questions.append(("the state of SES", _email))
    warnings: list[str] = []
    for subject, question in questions:
        try:
            warnings += question(make_client)
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            warnings.append(f"{subject} could not be read: {error}")
    return warnings


def _concurrency(make_client: MakeClient) -> list[str]:
    limit = make_client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    if limit >= CONCURRENCY_MIN:
        return []
    return [
        f"the account allows {limit} concurrent Lambda executions; with fewer than {CONCURRENCY_MIN}, deliveries take "
        "those of the routes. Request more: Service Quotas, AWS Lambda, Concurrent executions"
    ]


def _email(make_client: MakeClient) -> list[str]:
    if make_client("sesv2").get_account().get("ProductionAccessEnabled"):
        return []
    return [
        "SES is in its sandbox and sends to verified addresses only, so that users cannot sign up. Request production "
        "access in the SES console"
    ]
