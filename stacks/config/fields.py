# ruff: noqa: RUF009 - section() and setting() declare dataclass fields
"""The settings of an environment: sections, fields, allowed values and defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from stacks.config.schema import boolean, choice, integer, section, setting, string, string_list

REFERENCE: Final = "env:"
"""Prefix of a value that is read from an environment variable when the environment is synthesised."""
LOCAL: Final = "local"
"""The environment of the local cloud; the only one that allows plain http and host wheels."""
DISPOSABLE: Final = frozenset({"dev", LOCAL})
"""Environments whose data may be lost; every other environment must protect its data."""

AUDIT_RETENTION_DAYS: Final = 731
"""Days for which the lines about what operators did are kept, in every environment; one of the next values."""
LOG_RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""The retentions that CloudWatch Logs offers, up to ten years."""
CHIME_REGIONS: Final = (
    *("af-south-1", "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
    *("ca-central-1", "eu-central-1", "eu-west-2", "il-central-1", "us-east-1", "us-west-2"),
)
"""Regions with an API of the Chime SDK (Amazon Chime SDK: available regions)."""
MEDIA_REGIONS: Final = (
    *("af-south-1", "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
    *("ca-central-1", "eu-central-1", "eu-north-1", "eu-south-1", "eu-west-1", "eu-west-2", "eu-west-3"),
    *("sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"),
)
"""Regions with media servers of the Chime SDK (Amazon Chime SDK: available regions)."""
BACKUP_SCHEDULES: Final = {
    "day": ("cron(0 3 * * ? *)", 1),
    "week": ("cron(0 3 ? * SUN *)", 7),
    "month": ("cron(0 3 1 * ? *)", 30),
}
"""When AWS Backup makes a backup, in UTC, and the days between two backups."""
_HOST: Final = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}"
_CERTIFICATE: Final = r"arn:aws[a-z-]*:acm:([a-z0-9-]+):\d{12}:certificate/[0-9a-f-]+"
_VAULT: Final = r"arn:aws[a-z-]*:backup:[a-z0-9-]+:\d{12}:backup-vault:[A-Za-z0-9_-]{2,50}"
_POOL: Final = r"[a-z]{2}(?:-[a-z]+)+-\d_[A-Za-z0-9]+"
_ORIGIN: Final = rf"https://{_HOST}(?::\d+)?|http://(?:localhost|127\.0\.0\.1)(?::\d+)?"


ACCOUNT: Final = r"\d{12}"
REGION: Final = r"[a-z]{2}(?:-[a-z]+)+-\d"
_VARIABLE: Final = rf"{REFERENCE}[A-Z][A-Z0-9_]*"


@dataclass(frozen=True, kw_only=True)
class Aws:
    """Where the environment is deployed."""

    account: str | None = setting(
        "Account of the stacks. Required where data is protected, so that it cannot be deployed elsewhere; otherwise "
        "the account of the credentials. `env:NAME` reads it from a variable; without the variable the environment can "
        "be synthesised but not deployed.",
        string(rf"{ACCOUNT}|{_VARIABLE}", 'twelve digits, or a variable such as "env:PROD_AWS_ACCOUNT"'),
        default=None,
    )
    region: str | None = setting(
        "Region of the stacks; set account and region together or neither.",
        string(rf"{REGION}|{_VARIABLE}", 'a region such as "us-east-1", or a variable such as "env:PROD_AWS_REGION"'),
        default=None,
    )

    @property
    def pinned(self) -> bool:
        """Return whether account and region are known."""
        return None not in (self.account, self.region) and not self.unset_variables

    @property
    def unset_variables(self) -> tuple[str, ...]:
        """Return the variables that account and region are read from and that are not set."""
        given = (self.account or "", self.region or "")
        return tuple(value.removeprefix(REFERENCE) for value in given if value.startswith(REFERENCE))


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The user pool."""

    source: Literal["create", "import"] = setting(
        "Create a user pool, or import an existing one without changing its users and triggers.",
        choice("create", "import"),
    )
    pool_id: str | None = setting(
        "Id of the imported pool; its first part is the region of the pool and of the token issuer.",
        string(_POOL, 'a pool id such as "us-east-1_AbCdEf123"'),
        default=None,
    )
    client_ids: tuple[str, ...] = setting(
        "App clients of the imported pool whose tokens are accepted. Their sign-in must request the scope "
        "aws.cognito.signin.user.admin; without it, users/me cannot read the account.",
        string_list(r"[a-z0-9]{20,40}", "app client ids", at_least=1),
        default=(),
    )
    email_from: str | None = setting(
        "Sender address of a created pool's e-mails; SES must have verified its domain in the pool's region. Without "
        "it, Cognito sends the e-mails itself, at most 50 a day; a protected environment cannot be deployed like that.",
        string(rf"[^@\s<>]+@{_HOST}", "an e-mail address"),
        default=None,
    )


@dataclass(frozen=True, kw_only=True)
class Web:
    """The web front ends."""

    origins: tuple[str, ...] = setting(
        "Origins whose pages may call the HTTP API; plain http only for loopback addresses, and only in dev and local.",
        string_list(_ORIGIN, 'origins such as "https://app.example.edu", without path or wildcard', at_least=1),
    )


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A custom domain. The operator creates its DNS record; the record's target is an output of the stack."""

    name: str = setting("Host name.", string(_HOST, "a host name in lower case"))
    certificate_arn: str = setting(
        "ACM certificate of the host name.", string(_CERTIFICATE, "the ARN of an ACM certificate")
    )


@dataclass(frozen=True, kw_only=True)
class Api:
    """The HTTP API."""

    throttle_rate: int = setting("Requests per second, of all users together.", integer(1, 10_000))
    throttle_burst: int = setting("Burst of requests above that rate.", integer(1, 5_000))
    domain: Domain | None = section("Custom domain; its certificate must be in the API's region.", default=None)


@dataclass(frozen=True, kw_only=True)
class Events:
    """The AppSync Event API."""

    direct_messaging: bool = setting(
        "Adds the namespace conversations, in which members of a group publish directly, without a route function.",
        boolean(),
    )
    endpoint_scheme: Literal["https", "http"] = setting(
        "Scheme of the endpoints; http only in local.", choice("https", "http"), default="https"
    )
    log_level: Literal["NONE", "ERROR", "INFO", "ALL"] = setting(
        "What AppSync logs. ALL includes the text of messages.", choice("NONE", "ERROR", "INFO", "ALL"), default="ERROR"
    )
    domain: Domain | None = section("Custom domain; its certificate must be in us-east-1.", default=None)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """Delivery of events to their recipients."""

    fanout_limit: int = setting(
        "Most recipients that a request publishes to itself; events with more recipients are delivered asynchronously, "
        "in slices.",
        integer(1, 500, "recipients"),
    )


@dataclass(frozen=True, kw_only=True)
class Calls:
    """Calls."""

    ring_timeout_seconds: int = setting(
        "How long a call rings before it counts as missed.", integer(10, 300, "seconds"), default=45
    )
    media_region: str | None = setting(
        "Region of the media servers; choose the one nearest to most users. Without it, the region of the stacks.",
        choice(*MEDIA_REGIONS),
        default=None,
    )


@dataclass(frozen=True, kw_only=True)
class Functions:
    """The Lambda functions."""

    memory_mb: int = setting("Memory; CPU time grows with it.", integer(128, 10_240, "MB"), default=512)
    snap_start: bool = setting(
        "Start the route functions from a snapshot (SnapStart); AWS charges for storage and restores.",
        boolean(),
        default=False,
    )
    platform: Literal["arm64", "host"] = setting(
        "Platform of the packaged wheels; host is the machine that synthesises and is allowed only in local.",
        choice("arm64", "host"),
        default="arm64",
    )


@dataclass(frozen=True, kw_only=True)
class Backup:
    """Backups by AWS Backup, besides point-in-time recovery: kept longer, and copied elsewhere."""

    every: Literal["day", "week", "month"] = setting("How often a backup is made.", choice("day", "week", "month"))
    keep_days: int = setting(
        "Days until a backup is deleted. What is erased of a person stays in older backups until then.",
        integer(7, 3650, "days"),
    )
    second_vault: str | None = setting(
        "Backup vault in another region or account that every backup is copied to. It must exist, and allow the "
        "account to copy into it.",
        string(_VAULT, "the ARN of a backup vault"),
        default=None,
    )


@dataclass(frozen=True, kw_only=True)
class Data:
    """Protection of users' data."""

    removal: Literal["retain", "destroy"] = setting(
        "Whether tables and user pool outlive their stack; retain also turns on termination protection.",
        choice("retain", "destroy"),
    )
    deletion_protection: bool = setting("Whether AWS refuses to delete the tables and the user pool.", boolean())
    point_in_time_recovery: bool = setting(
        "Whether every table can be restored to any second of the last 35 days.", boolean()
    )
    backup: Backup | None = section("Backups by AWS Backup; without the section there are none.", default=None)
    message_retention_days: int | None = setting(
        "Days after which `python -m ops.data retention` removes the content of messages; their numbers stay. Without "
        "it, messages are kept for ever.",
        integer(30, 36_500, "days"),
        default=None,
    )
    call_retention_days: int | None = setting(
        "Days after which `python -m ops.data retention` deletes calls. Without it, calls are kept for ever.",
        integer(30, 36_500, "days"),
        default=None,
    )


@dataclass(frozen=True, kw_only=True)
class Operations:
    """Logs, dashboards, alarms and budget."""

    log_retention_days: int = setting("Days until log lines are deleted.", choice(*LOG_RETENTION_DAYS))
    alarms: bool = setting(
        "Whether alarms are created; each metric of an alarm costs $0.10 a month.", boolean(), default=True
    )
    dashboards: bool = setting(
        "Whether the dashboards are created; each costs $3.00 a month after the first three of the account.",
        boolean(),
        default=True,
    )
    monthly_budget_dollars: int | None = setting(
        "Amount in US dollars that a month may cost: the recipients of alarms get a mail when the forecast or the bill "
        "exceeds it. The cost allocation tag environment must be active. Without it, no budget is created.",
        integer(1, 1_000_000, "dollars"),
        default=None,
    )
    alarm_recipients: tuple[str, ...] = setting(
        "E-mail addresses that alarms are sent to; each address must confirm its subscription once.",
        string_list(r"[^@\s]+@[^@\s]+\.[^@\s]+", "e-mail addresses"),
        default=(),
    )


@dataclass(frozen=True, kw_only=True)
class Canary:
    """The canary: a function that signs in as two users of its own, sends, receives and calls."""

    enabled: bool = setting(
        "Creates the canary, its app client and its alarms; create its users with make canary. Needs a created user "
        "pool.",
        boolean(),
        default=False,
    )
    minutes: int = setting(
        "Minutes between two runs; 0 creates the canary without a schedule and without alarms, for runs by hand.",
        integer(0, 60, "minutes"),
        default=5,
    )


@dataclass(frozen=True, kw_only=True)
class Cutover:
    """The time in which the old Socket.IO server serves users beside the backend, on the same tables."""

    bridge: bool = setting(
        "Adds the stack Bridge and a stream on the table Messages: users of the old server and of the backend receive "
        "each other's messages. Delete the stack with `cdk destroy` before you set it back to false.",
        boolean(),
        default=False,
    )


@dataclass(frozen=True, kw_only=True)
class GitHub:
    """The repository whose GitHub Actions workflows deploy the environment."""

    repository: str = setting(
        "Repository whose workflows may assume the deployment roles, spelled as GitHub spells it; IAM compares case.",
        string(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}", 'OWNER/NAME such as "example-edu/chat"'),
    )
    owner_id: str | None = setting(
        "Immutable id of the owner. Set both ids or neither: both where the repository's tokens contain them, which "
        "those of repositories made since 15 July 2026 do, and of older ones that opted in.",
        string(r"[1-9]\d{0,19}", 'an id in digits such as "123456"'),
        default=None,
    )
    repository_id: str | None = setting(
        "Immutable id of the repository.",
        string(r"[1-9]\d{0,19}", 'an id in digits such as "456789"'),
        default=None,
    )
    provider: Literal["create", "import"] = setting(
        "Create GitHub's OIDC provider in the account, or use the one that is there; an account can have only one.",
        choice("create", "import"),
        default="create",
    )
    verify: bool = setting(
        "Whether workflows may test the environment, for which they create and delete test users.",
        boolean(),
        default=False,
    )


@dataclass(frozen=True, kw_only=True)
class EnvironmentFile:
    """The content of environments/{name}.toml."""

    aws: Aws = section("Where the environment is deployed.", default=Aws())
    identity: Identity = section("The user pool that users sign in to.")
    web: Web = section("The web front ends.")
    api: Api = section("The HTTP API.")
    events: Events = section("The AppSync Event API.")
    delivery: Delivery = section("Delivery of events to their recipients.")
    calls: Calls = section("Calls.", default=Calls())
    functions: Functions = section("The Lambda functions.", default=Functions())
    data: Data = section("Protection of users' data.")
    canary: Canary = section("Regular runs of the whole product.", default=Canary())
    operations: Operations = section("Logs, dashboards, alarms and budget.")
    cutover: Cutover = section("Migration from the old Socket.IO server.", default=Cutover())
    github: GitHub | None = section(
        "Deployment by GitHub Actions (`make deployment-access`); without it, operators deploy.", default=None
    )


@dataclass(frozen=True, kw_only=True)
class Environment(EnvironmentFile):
    """All settings of one environment; `name` is the name of its file."""

    name: str

    @property
    def protected(self) -> bool:
        """Return whether the environment's data must not be lost, whatever its name is."""
        return self.data.removal == "retain"
