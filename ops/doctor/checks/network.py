"""Checks of names and certificates: DNS of the endpoints, custom domains, ACM."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from ops.doctor.check import Check
from ops.doctor.examination import Examination
from ops.doctor.finding import Finding, NotTriedError
from ops.doctor.user import client_target

_EXPIRY_DAYS: Final = 30
_EVENTS_CERTIFICATES: Final = "us-east-1"
"""AppSync reads certificates of custom domains there only (AWS AppSync: custom domain names)."""


def _resolves(examination: Examination) -> Iterator[Finding]:
    addresses = client_target(examination.target)
    for url in (addresses.api_url, addresses.events_http_url, addresses.events_realtime_url):
        host = urlsplit(url).hostname or ""
        try:
            socket.getaddrinfo(host, None)
        except OSError as error:
            yield Finding(f"the host {host} of {url} does not resolve: {error.strerror or error}")


def _certificates(examination: Examination) -> Iterator[Finding]:
    target = examination.target
    domains = [
        (target.environment.api.domain, target.region),
        (target.environment.events.domain, _EVENTS_CERTIFICATES),
    ]
    if not any(domain for domain, _ in domains):
        raise NotTriedError("the environment has no custom domain")
    for domain, region in domains:
        if domain is None:
            continue
        answer = examination.find("acm", "describe_certificate", region=region, CertificateArn=domain.certificate_arn)
        if answer is None:
            yield Finding(f"the certificate of {domain.name} does not exist in {region}")
            continue
        certificate = answer["Certificate"]
        if certificate["Status"] != "ISSUED":
            yield Finding(f"the certificate of {domain.name} is {certificate['Status']}")
        elif (days := (certificate["NotAfter"] - datetime.now(UTC)).days) < _EXPIRY_DAYS:
            yield Finding(f"the certificate of {domain.name} expires in {days} days", warning=days > 0)


def _domains(examination: Examination) -> Iterator[Finding]:
    settings = examination.target.environment
    if settings.api.domain is None and settings.events.domain is None:
        raise NotTriedError("the environment has no custom domain")
    if settings.api.domain is not None:
        found = examination.find("apigatewayv2", "get_domain_name", DomainName=settings.api.domain.name)
        states = [each.get("DomainNameStatus") for each in (found or {}).get("DomainNameConfigurations", [])]
        if states != ["AVAILABLE"]:
            yield Finding(f"the domain {settings.api.domain.name} of the HTTP API is {states or 'not configured'}")
    if settings.events.domain is not None:
        name = settings.events.domain.name
        found = examination.find("appsync", "get_api_association", domainName=name)
        status = (found or {}).get("apiAssociation", {}).get("associationStatus", "missing")
        if status != "SUCCESS":
            yield Finding(f"the domain {name} of the Event API is associated with no API ({status})")


CHECKS: Final = (
    Check(
        id="D211",
        title="The host names of the endpoints resolve",
        looks_at="DNS of the hosts of the HTTP API and of both endpoints of the Event API",
        cause="The DNS record of a custom domain is missing or wrong, or this machine's resolver blocks it.",
        remedy="Create the DNS record; its target is the output ApiDomainTarget or EventsDomainTarget of the stacks: "
        "`aws cloudformation describe-stacks --stack-name PantherKolab-Routes-{env}`.",
        run=_resolves,
        needs=("D201",),
    ),
    Check(
        id="D212",
        title="The certificates of custom domains are issued and do not expire soon",
        looks_at="ACM DescribeCertificate of api.domain and events.domain",
        cause="The DNS record of the validation was removed, so that ACM cannot renew the certificate.",
        remedy="Create the validation record that `aws acm describe-certificate --certificate-arn ARN` names.",
        run=_certificates,
        needs=("D101",),
    ),
    Check(
        id="D213",
        title="Custom domains belong to their APIs",
        looks_at="API Gateway GetDomainName, AppSync GetApiAssociation",
        cause="The association was removed by hand or is not complete yet; the domain responds with 403 or 404.",
        remedy="Deploy with `npx cdk deploy -c env={env} Events Routes --revert-drift`.",
        run=_domains,
        needs=("D101",),
    ),
)
