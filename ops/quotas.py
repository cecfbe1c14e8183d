"""Warnings about the state of an account that makes a deployed environment fail for its users.

New AWS accounts have low quotas, and SES accepts only verified recipients until AWS grants production access. The
deployment itself would succeed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import botocore.exceptions

from stacks.config.fields import Environment

MEETINGS_MIN: Final = 250
"""Active Chime meetings in a region: AWS's default quota, and what the product's own limits assume."""

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
    questions = [("Lambda's concurrent executions", _concurrency), ("Chime's quota of meetings", _meetings)]
    if environment.identity.source == "create" and environment.identity.email_from is not None:
        questions.append(("the state of SES", _email))
    questions += [(f"the role {role}", partial(_service_role, role, use)) for role, use in _service_roles(environment)]
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


def _meetings(make_client: MakeClient) -> list[str]:
    pages = make_client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode="chime")
    quotas = [quota for page in pages for quota in page["Quotas"] if "active meetings" in quota["QuotaName"].lower()]
    return [
        f"Chime allows {quota['Value']:.0f} active meetings, fewer than {MEETINGS_MIN}; further calls fail. Request "
        f"more: Service Quotas, Amazon Chime SDK, {quota['QuotaName']}"
        for quota in quotas
        if quota["Value"] < MEETINGS_MIN
    ]


def _service_roles(environment: Environment) -> Iterator[tuple[str, str]]:
    """Yield the service-linked roles that AWS creates for the environment, and what for.

    Sources: Amazon Cognito, "Using service-linked roles"; Amazon API Gateway, "Using service-linked roles".
    """
    if environment.identity.source == "create" and environment.identity.email_from is not None:
        yield "AWSServiceRoleForAmazonCognitoIdpEmailService", "the user pool's e-mails by SES"
    if environment.api.domain is not None:
        yield "AWSServiceRoleForAPIGateway", "the HTTP API's domain"


def _service_role(role: str, use: str, make_client: MakeClient) -> list[str]:
    try:
        make_client("iam").get_role(RoleName=role)
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        return [
            f"the service-linked role {role} does not exist yet; AWS creates it for {use}, if the bootstrap's "
            "execution role may call iam:CreateServiceLinkedRole"
        ]
    return []
