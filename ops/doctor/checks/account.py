"""Checks of the account: credentials, region, clock, bootstrap, quotas, e-mail, Chime."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from ops.deployed.target import Target
from ops.doctor.check import Check
from ops.doctor.examination import Examination
from ops.doctor.finding import Finding, NotTriedError
from ops.quotas import CONCURRENCY_MIN
from stacks.config.fields import CHIME_REGIONS

BOOTSTRAP_PARAMETER: Final = "/cdk-bootstrap/hnb659fds/version"
_BOOTSTRAP_MIN: Final = 6
"""The version that the CDK's templates require (`CheckBootstrapVersion`)."""
_SKEW_SECONDS: Final = 60
"""AWS refuses a signature whose date differs by more than five minutes; tokens of Cognito allow less."""


def _credentials(examination: Examination) -> Iterator[Finding]:
    try:
        examination.target.read("sts", "get_caller_identity")
    except ClientError as error:
        yield Finding(f"AWS refused the credentials: {error.response['Error']['Code']}")
    except BotoCoreError as error:
        yield Finding(f"STS did not respond: {error}")


def _account(examination: Examination) -> Iterator[Finding]:
    target = examination.target
    expected = target.environment.aws
    if unset := expected.unset_variables:
        yield Finding(f"{' and '.join(unset)} is not set, so that the environment's account is unknown")
    elif expected.pinned and expected.account != target.account:
        yield Finding(
            f"the credentials belong to the account ending in {target.account[-4:]}, not to the environment's"
        )


def clock_difference(target: Target) -> float:
    """Return by how many seconds this machine's clock is ahead of AWS's.

    Raises:
        NotTriedError: the response has no date.
    """
    headers = target.client("sts").get_caller_identity()["ResponseMetadata"]["HTTPHeaders"]
    if "date" not in headers:
        raise NotTriedError("the response has no header Date")
    return (datetime.now(UTC) - parsedate_to_datetime(headers["date"])).total_seconds()


def _clock(examination: Examination) -> Iterator[Finding]:
    seconds = clock_difference(examination.target)
    if abs(seconds) > _SKEW_SECONDS:
        yield Finding(f"this machine's clock is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} AWS's")


def _bootstrap(examination: Examination) -> Iterator[Finding]:
    answer = examination.find("ssm", "get_parameter", Name=BOOTSTRAP_PARAMETER)
    if answer is None:
        yield Finding("the account and region are not bootstrapped: there is no parameter " + BOOTSTRAP_PARAMETER)
        return
    if (version := int(answer["Parameter"]["Value"])) < _BOOTSTRAP_MIN:
        yield Finding(f"the bootstrap stack has version {version}; at least {_BOOTSTRAP_MIN} is needed")


def _concurrency(examination: Examination) -> Iterator[Finding]:
    limits = examination.target.read("lambda", "get_account_settings")["AccountLimit"]
    for name in ("ConcurrentExecutions", "UnreservedConcurrentExecutions"):
        if (value := limits.get(name, CONCURRENCY_MIN)) < CONCURRENCY_MIN:
            yield Finding(f"{name} of the account is {value}; fewer than {CONCURRENCY_MIN} starve the routes", True)


def _email(examination: Examination) -> Iterator[Finding]:
    identity = examination.target.environment.identity
    if identity.source != "create" or identity.email_from is None:
        raise NotTriedError("the environment does not send e-mail by SES (identity.email_from)")
    account = examination.target.read("sesv2", "get_account")
    if not account.get("ProductionAccessEnabled"):
        yield Finding("SES is in its sandbox and sends to verified addresses only, so that users cannot sign up")
    if not account.get("SendingEnabled", True):
        yield Finding("SES has disabled sending for the account")
    domain = identity.email_from.rpartition("@")[2]
    found = examination.find("sesv2", "get_email_identity", EmailIdentity=domain)
    if found is None or not found.get("VerifiedForSendingStatus"):
        yield Finding(f"SES has not verified the domain {domain} of identity.email_from")


def _chime(examination: Examination) -> Iterator[Finding]:
    region = examination.target.region
    if region not in CHIME_REGIONS:
        yield Finding(f"the Chime SDK has no API in {region}; it has one in {', '.join(CHIME_REGIONS)}")
        return
    try:
        examination.target.client("chime-sdk-meetings").get_meeting(MeetingId=str(uuid.uuid4()))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("NotFoundException", "NotFound"):
            return
        if code in ("ForbiddenException", "AccessDeniedException"):
            raise
        yield Finding(f"the Chime SDK responds with {code}")
    except BotoCoreError as error:
        yield Finding(f"the Chime SDK did not respond: {error}")


CHECKS: Final = (
    Check(
        id="D101",
        title="AWS accepts the credentials",
        looks_at="STS GetCallerIdentity",
        cause="The credentials are missing, expired or of a deleted user, or the network does not reach AWS.",
        remedy="Sign in again and set `AWS_PROFILE`; try `aws sts get-caller-identity`.",
        run=_credentials,
    ),
    Check(
        id="D102",
        title="The credentials belong to the environment's account",
        looks_at="the account of the credentials, and section aws of the environment's file",
        cause="Another profile is active, so that every other check would look at another account.",
        remedy="Set `AWS_PROFILE` to a profile of the environment's account, and the variables that its file names.",
        run=_account,
        needs=("D101",),
    ),
    Check(
        id="D103",
        title="This machine's clock agrees with AWS",
        looks_at="the header Date of a response of STS",
        cause="AWS refuses signatures and tokens whose dates differ too much from its own clock.",
        remedy="Synchronise the clock of the machine (NTP).",
        run=_clock,
        needs=("D101",),
    ),
    Check(
        id="D104",
        title="The account and region are bootstrapped for the CDK",
        looks_at=f"SSM GetParameter {BOOTSTRAP_PARAMETER}",
        cause="The bootstrap stack was deleted, or is older than the CDK; the next deployment fails.",
        remedy="Run `npx cdk bootstrap` with the credentials of the account.",
        run=_bootstrap,
        needs=("D101",),
    ),
    Check(
        id="D105",
        title="The account allows enough concurrent Lambda executions",
        looks_at="Lambda GetAccountSettings",
        cause="New accounts have low quotas, or other functions of the account reserve them; Lambda then throttles.",
        remedy="Request more: Service Quotas, AWS Lambda, Concurrent executions. To see what is reserved: "
        "`aws lambda get-account-settings`.",
        run=_concurrency,
        needs=("D101",),
    ),
    Check(
        id="D106",
        title="SES sends the e-mails of sign-ups",
        looks_at="SES v2 GetAccount and GetEmailIdentity of the domain of identity.email_from",
        cause="New accounts are in SES's sandbox, or the domain's DNS records are missing; users receive no code.",
        remedy="Request production access in the SES console; look at the domain with "
        "`aws sesv2 get-email-identity --email-identity DOMAIN`.",
        run=_email,
        needs=("D101",),
    ),
    Check(
        id="D107",
        title="The Chime SDK responds in the environment's region",
        looks_at="Chime SDK Meetings GetMeeting of a meeting that does not exist",
        cause="The region has no Chime API, or the Chime SDK is disturbed; accepted calls cannot be connected.",
        remedy="Deploy to a region with a Chime API, or look at the AWS Health Dashboard.",
        run=_chime,
        needs=("D101",),
    ),
)
