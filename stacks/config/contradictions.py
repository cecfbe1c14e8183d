"""Checks between the fields of an environment: combinations that the schema of single fields cannot refuse."""

from __future__ import annotations

from stacks.config.fields import CHIME_REGIONS, DISPOSABLE, LOCAL, MEDIA_REGIONS, Domain, EnvironmentFile
from stacks.config.schema import quoted


def find_contradictions(name: str, file: EnvironmentFile) -> list[str]:
    """Return one line per contradiction in the file of an environment."""
    return [
        *_identity_errors(file),
        *_scope_errors(name, file),
        *_data_errors(name, file),
        *_call_errors(file),
        *_domain_errors(file),
        *_operations_errors(file),
        *_github_errors(name, file),
    ]


def find_gaps(file: EnvironmentFile) -> list[str]:
    """Return one line per setting that is missing for a deployment of protected data.

    Such an environment can be synthesised, for tests and reviews. It cannot be loaded once its account is known.
    """
    if file.data.removal != "retain":
        return []
    gaps = []
    if file.identity.source == "create" and file.identity.email_from is None:
        gaps.append(
            "identity.email_from is missing: without it, Cognito sends at most 50 e-mails a day, and sign-up 51 fails; "
            "verify a domain in SES, leave the SES sandbox, and set the sender address"
        )
    if file.operations.alarms and not file.operations.alarm_recipients:
        gaps.append("operations.alarm_recipients is empty: alarms would have no recipient; add an e-mail address")
    return gaps


def _identity_errors(file: EnvironmentFile) -> list[str]:
    import_fields = [("pool_id", file.identity.pool_id), ("client_ids", list(file.identity.client_ids))]
    if file.identity.source == "create":
        return [
            f'identity.{field} = {quoted(value)}: allowed only with identity.source = "import"'
            for field, value in import_fields
            if value
        ]
    errors = [
        f'identity.{field} is missing: required with identity.source = "import"'
        for field, value in import_fields
        if not value
    ]
    if (sender := file.identity.email_from) is not None:
        errors.append(f'identity.email_from = "{sender}": allowed only with identity.source = "create"')
    return errors


def _scope_errors(name: str, file: EnvironmentFile) -> list[str]:
    errors = []
    if name != LOCAL:
        if file.events.endpoint_scheme == "http":
            errors.append('events.endpoint_scheme = "http": allowed only in environment local; use "https"')
        if file.functions.platform == "host":
            errors.append('functions.platform = "host": allowed only in environment local; Lambda runs on arm64')
    elif file.identity.source == "import":
        errors.append('identity.source = "import": the local cloud has no existing pool; use "create"')
    if name not in DISPOSABLE:
        errors += [
            f'web.origins = "{origin}": plain http is allowed only in dev and local; use https'
            for origin in file.web.origins
            if origin.startswith("http://")
        ]
    if (file.aws.account is None) != (file.aws.region is None):
        errors.append("aws.account, aws.region: set both, or neither to use those of the credentials")
    elif file.aws.account is None and file.data.removal == "retain":
        errors.append(
            'aws.account, aws.region are missing: required with data.removal = "retain", so that protected data cannot '
            "be deployed elsewhere; write them, or the variables that hold them: "
            f'account = "env:{name.upper()}_AWS_ACCOUNT"'
        )
    if len(file.aws.unset_variables) == 1:
        errors.append(
            f"aws: the variable {file.aws.unset_variables[0]} is not set, but the other one is; set both or neither"
        )
    return errors


def _operations_errors(file: EnvironmentFile) -> list[str]:
    errors = []
    if file.operations.alarm_recipients and not file.operations.alarms:
        errors.append(
            "operations.alarm_recipients: contradicts operations.alarms = false, which creates no alarm; set alarms = "
            "true or remove the recipients"
        )
    if file.operations.monthly_budget_dollars is not None and not file.operations.alarms:
        errors.append(
            "operations.monthly_budget_dollars: contradicts operations.alarms = false, which creates no topic to "
            "notify; set alarms = true or remove the budget"
        )
    if file.canary.enabled and file.identity.source == "import":
        errors.append(
            'canary.enabled = true: allowed only with identity.source = "create", because the canary needs an app '
            "client and users of its own"
        )
    return errors


def _data_errors(name: str, file: EnvironmentFile) -> list[str]:
    errors = []
    if file.data.removal == "destroy" and file.data.deletion_protection:
        errors.append('data.deletion_protection = true: contradicts data.removal = "destroy"; change one of them')
    if name not in DISPOSABLE:
        required = (
            ("removal", file.data.removal == "retain", '"retain"'),
            ("deletion_protection", file.data.deletion_protection, "true"),
            ("point_in_time_recovery", file.data.point_in_time_recovery, "true"),
        )
        errors += [
            f"data.{field} = {quoted(getattr(file.data, field))}: must be {value} in every environment except "
            f"{' and '.join(sorted(DISPOSABLE))}"
            for field, met, value in required
            if not met
        ]
    return errors


def _call_errors(file: EnvironmentFile) -> list[str]:
    region = file.aws.region
    if region is None or not file.aws.pinned:
        return []
    if region not in CHIME_REGIONS:
        return [
            f'aws.region = "{region}": the Chime SDK has no API in this region, so calls would fail; use one of '
            f"{', '.join(CHIME_REGIONS)}"
        ]
    if file.calls.media_region is None and region not in MEDIA_REGIONS:
        return [
            f"calls.media_region is missing: required because the Chime SDK has no media servers in {region}; use one "
            f"of {', '.join(MEDIA_REGIONS)}"
        ]
    return []


def _domain_errors(file: EnvironmentFile) -> list[str]:
    errors = []
    if (events := file.events.domain) is not None:
        if file.events.endpoint_scheme == "http":
            errors.append('events.domain: contradicts events.endpoint_scheme = "http"; remove one of them')
        if _certificate_region(events) != "us-east-1":
            errors.append(
                f'events.domain.certificate_arn = "{events.certificate_arn}": must be in us-east-1, because AppSync '
                "accepts no other region"
            )
    if (api := file.api.domain) is not None and file.aws.pinned and file.aws.region != _certificate_region(api):
        errors.append(
            f'api.domain.certificate_arn = "{api.certificate_arn}": must be in {file.aws.region}, the region of the '
            "environment"
        )
    return errors


def _github_errors(name: str, file: EnvironmentFile) -> list[str]:
    if (github := file.github) is None:
        return []
    errors = []
    if name == LOCAL:
        errors.append("github: the local cloud is not deployed by GitHub Actions; remove the section")
    if (github.owner_id is None) != (github.repository_id is None):
        errors.append(
            "github.owner_id, github.repository_id: set both or neither; to read them: "
            f"gh api repos/{github.repository} --jq '.owner.id, .id'"
        )
    return errors


def _certificate_region(domain: Domain) -> str:
    return domain.certificate_arn.split(":")[3]
