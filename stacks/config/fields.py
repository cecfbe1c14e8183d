# ruff: noqa: RUF009 - section() and setting() declare dataclass fields
"""What the settings of one environment are: sections, fields, allowed values and defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from stacks.config.schema import boolean, choice, section, setting, text, texts, whole

LOCAL: Final = "local"
"""The environment of the local cloud; what weakens a deployment is allowed in it alone."""
DISPOSABLE: Final = frozenset({"dev", LOCAL})
"""Environments whose data may be lost; every other one is protected."""

LOG_RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""What CloudWatch Logs offers, up to ten years."""
CHIME_REGIONS: Final = (
    *("af-south-1", "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
    *("ca-central-1", "eu-central-1", "eu-west-2", "il-central-1", "us-east-1", "us-west-2"),
)
"""Where the Chime SDK has an API; its media servers are in more regions (Amazon Chime SDK: available regions)."""
MEDIA_REGIONS: Final = (
    *("af-south-1", "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
    *("ca-central-1", "eu-central-1", "eu-north-1", "eu-south-1", "eu-west-1", "eu-west-2", "eu-west-3"),
    *("sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"),
)
_HOST: Final = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}"
_CERTIFICATE: Final = r"arn:aws[a-z-]*:acm:([a-z0-9-]+):\d{12}:certificate/[0-9a-f-]+"
_POOL: Final = r"[a-z]{2}(?:-[a-z]+)+-\d_[A-Za-z0-9]+"
_ORIGIN: Final = rf"https://{_HOST}(?::\d+)?|http://(?:localhost|127\.0\.0\.1)(?::\d+)?"


@dataclass(frozen=True, kw_only=True)
class Aws:
    """Where the environment is deployed."""

    account: str | None = setting(
        "Account that the stacks are bound to; without it they go wherever the credentials point.",
        text(r"\d{12}", "twelve digits"),
        default=None,
    )
    region: str | None = setting(
        "Region that the stacks are bound to; given together with account or not at all.",
        text(r"[a-z]{2}(?:-[a-z]+)+-\d", 'a region such as "us-east-1"'),
        default=None,
    )


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who signs in."""

    source: Literal["create", "import"] = setting(
        "Create a user pool, or import an existing one whose users and triggers stay as they are.",
        choice("create", "import"),
    )
    pool_id: str | None = setting(
        "Imported pool; its region, the one of the token issuer, is the id's first part.",
        text(_POOL, 'a pool id such as "us-east-1_AbCdEf123"'),
        default=None,
    )
    client_ids: tuple[str, ...] = setting(
        "App clients of the imported pool whose tokens are accepted.",
        texts(r"[a-z0-9]{20,40}", "app client ids", at_least=1),
        default=(),
    )
    email_from: str | None = setting(
        "Sender of a created pool's e-mails, of a domain that SES has verified in the pool's region. Without it "
        "Cognito sends them itself, at most 50 a day.",
        text(rf"[^@\s<>]+@{_HOST}", "an e-mail address"),
        default=None,
    )


@dataclass(frozen=True, kw_only=True)
class Web:
    """The web front ends."""

    origins: tuple[str, ...] = setting(
        "Origins that browsers may call the HTTP API from; plain http only on loopback, in dev and local.",
        texts(_ORIGIN, 'origins such as "https://app.example.edu", without path or wildcard', at_least=1),
    )


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A custom domain; its DNS record is yours to make, the target is an output of the stack."""

    name: str = setting("Host name.", text(_HOST, "a host name in lower case"))
    certificate_arn: str = setting("Certificate of the host name.", text(_CERTIFICATE, "the ARN of an ACM certificate"))


@dataclass(frozen=True, kw_only=True)
class Api:
    """The HTTP API."""

    throttle_rate: int = setting("Requests per second of all users together.", whole(1, 10_000))
    throttle_burst: int = setting("Requests at once above that rate.", whole(1, 5_000))
    domain: Domain | None = section("Custom domain; the certificate is in the API's region.", default=None)


@dataclass(frozen=True, kw_only=True)
class Events:
    """The AppSync Event API."""

    direct_messaging: bool = setting(
        "Adds the namespace conversations, in which members of a group publish without a route function.", boolean()
    )
    endpoint_scheme: Literal["https", "http"] = setting(
        "Scheme of the endpoints; http only in local.", choice("https", "http"), default="https"
    )
    log_level: Literal["NONE", "ERROR", "INFO", "ALL"] = setting(
        "What AppSync logs. ALL includes what users write.", choice("NONE", "ERROR", "INFO", "ALL"), default="ERROR"
    )
    domain: Domain | None = section("Custom domain; the certificate is in us-east-1.", default=None)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How events reach many recipients."""

    fanout_limit: int = setting(
        "Most recipients published to within the request; above it, delivery is asynchronous in slices.",
        whole(1, 500, "recipients"),
    )


@dataclass(frozen=True, kw_only=True)
class Calls:
    """Calls."""

    ring_timeout_seconds: int = setting(
        "How long a call rings before it counts as missed.", whole(10, 300, "seconds"), default=45
    )
    media_region: str | None = setting(
        "Region whose media servers carry the calls: the one nearest to most users; without it, the stacks' own.",
        choice(*MEDIA_REGIONS),
        default=None,
    )


@dataclass(frozen=True, kw_only=True)
class Functions:
    """The Lambda functions."""

    memory_mb: int = setting("Memory; processor time grows with it.", whole(128, 10_240, "MB"), default=512)
    snap_start: bool = setting(
        "Start the route functions from a snapshot; costs storage and restores.", boolean(), default=False
    )
    platform: Literal["arm64", "host"] = setting(
        "Platform of the packaged wheels; host, the machine that synthesises, only in local.",
        choice("arm64", "host"),
        default="arm64",
    )


@dataclass(frozen=True, kw_only=True)
class Data:
    """What happens to users' data when stacks are changed or deleted."""

    removal: Literal["retain", "destroy"] = setting(
        "Whether tables and user pool stay when they leave the stack; retain also turns on termination protection.",
        choice("retain", "destroy"),
    )
    deletion_protection: bool = setting("Whether AWS refuses to delete tables and user pool.", boolean())
    point_in_time_recovery: bool = setting("Whether every table can be restored to any second of 35 days.", boolean())


@dataclass(frozen=True, kw_only=True)
class Operations:
    """Logs and alarms."""

    log_retention_days: int = setting("Days that logs are kept.", choice(*LOG_RETENTION_DAYS))
    alarms: bool = setting("Whether alarms exist; each metric of one costs $0.10 a month.", boolean(), default=True)
    alarm_recipients: tuple[str, ...] = setting(
        "Who gets an e-mail from alarms; each address confirms once.",
        texts(r"[^@\s]+@[^@\s]+\.[^@\s]+", "e-mail addresses"),
        default=(),
    )


@dataclass(frozen=True, kw_only=True)
class File:
    """A whole file."""

    aws: Aws = section("Where the environment is deployed.", default=Aws())
    identity: Identity = section("Who signs in.")
    web: Web = section("The web front ends.")
    api: Api = section("The HTTP API.")
    events: Events = section("The AppSync Event API.")
    delivery: Delivery = section("How events reach many recipients.")
    calls: Calls = section("Calls.", default=Calls())
    functions: Functions = section("The Lambda functions.", default=Functions())
    data: Data = section("What happens to users' data when stacks are changed or deleted.")
    operations: Operations = section("Logs and alarms.")


@dataclass(frozen=True, kw_only=True)
class Environment(File):
    """All settings of one environment; `name` is the file's."""

    name: str

    @property
    def protected(self) -> bool:
        """Return whether the environment holds data that must not be lost."""
        return self.name not in DISPOSABLE
