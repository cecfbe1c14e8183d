"""The parts of a conformance row: the steps that a client takes, and the frames and answers that it must receive.

The rows themselves are in the `*_rows` modules and are independent of the target: `core` runs them against the protocol
core, `network` against the service on a port or against AWS.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from typing import Any


class Target(StrEnum):
    """What a row can run against."""

    CORE = "core"
    SERVICE = "service"
    AWS = "aws"


class Evidence(StrEnum):
    """How well it is known that AWS does what a row expects.

    UNVERIFIED rows show an assumption of this service: on AWS they are reported, not asserted, and the assumption's id
    names the entry to correct.
    """

    DOCUMENTED = "documented"
    OBSERVED = "observed by a client that runs on AWS"
    UNVERIFIED = "unverified"


class Credentials(Enum):
    """The credentials that a step presents."""

    API_KEY = auto()
    WRONG_API_KEY = auto()
    API_KEY_WITHOUT_HOST = auto()
    API_KEY_FOR_OTHER_HOST = auto()
    API_KEY_IN_UPPER_CASE = auto()
    SIGNATURE = auto()
    SIGNATURE_OF_OTHER_TEXT = auto()
    NONE = auto()


@dataclass(frozen=True)
class Pattern:
    """A placeholder in an expected answer: matches any value that passes the test."""

    name: str
    test: Callable[[Any], bool]

    def __repr__(self) -> str:
        return f"<{self.name}>"


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TEXT = Pattern("text", lambda value: isinstance(value, str) and bool(value))
UUID = Pattern("UUID", lambda value: isinstance(value, str) and _UUID.fullmatch(value) is not None)
NOT_2XX = Pattern("not 2xx", lambda value: isinstance(value, int) and not 200 <= value < 300)
ANYTHING = Pattern("anything", lambda value: True)


def document(expected: Any) -> Pattern:
    """Matches a text that is exactly one JSON document, equal to the expected value."""

    def holds(value: Any) -> bool:
        try:
            return isinstance(value, str) and matches(expected, json.loads(value))
        except ValueError:
            return False

    return Pattern(f"JSON text of {expected!r}", holds)


def matches(expected: Any, seen: Any) -> bool:
    """Whether a value equals the expected one, with equal types, keys and lengths; a `Pattern` decides by its test."""
    if isinstance(expected, Pattern):
        return expected.test(seen)
    if isinstance(expected, dict):
        return (
            isinstance(seen, dict)
            and expected.keys() == seen.keys()
            and all(matches(value, seen[key]) for key, value in expected.items())
        )
    if isinstance(expected, list):
        return isinstance(seen, list) and len(expected) == len(seen) and all(map(matches, expected, seen))
    return type(expected) is type(seen) and bool(expected == seen)


@dataclass(frozen=True)
class Open:
    """Open a WebSocket without sending a frame."""

    by: Credentials = Credentials.API_KEY
    on: str = "a"


@dataclass(frozen=True)
class Upgrade:
    """Request a WebSocket with explicit subprotocols and headers.

    In an offer, `{header}` stands for the encoded credentials; in a header, `{key}` for the API key.

    Attributes:
        status: the expected HTTP status.
        selected: the subprotocol that the server must select.
    """

    offers: tuple[str, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    by: Credentials = Credentials.API_KEY
    status: int = 101
    selected: str | None = "aws-appsync-event-ws"
    on: str = "a"


@dataclass(frozen=True)
class Send:
    """Send a frame: an object, or text or bytes unchanged. With `by`, the object gets an `authorization`."""

    frame: Mapping[str, Any] | str | bytes
    by: Credentials | None = None
    on: str = "a"


@dataclass(frozen=True)
class Expect:
    """The next frames on this connection are these, in any order (AWS promises none)."""

    frames: tuple[dict[str, Any], ...]
    on: str = "a"


@dataclass(frozen=True)
class Silence:
    """No frame arrives before the answer to a later frame."""

    on: str = "a"


@dataclass(frozen=True)
class Closed:
    """The connection is closed with this code."""

    code: Any = ANYTHING
    on: str = "a"


@dataclass(frozen=True)
class Wait:
    """Let time pass: the core advances its clock, other targets wait for real."""

    seconds: float


@dataclass(frozen=True)
class Post:
    """Publish over HTTP; `body` replaces the whole body of the request.

    Attributes:
        status, answer: the expected status and body of the response.
        headers: expected headers of the response.
    """

    channel: str = "/open/a"
    events: tuple[Any, ...] = ("1",)
    by: Credentials = Credentials.API_KEY
    body: str | bytes | None = None
    status: Any = 200
    answer: Any = ANYTHING
    headers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """Any other HTTP request to the publish address, or to `path` below it."""

    method: str
    status: Any
    path: str = ""
    send: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)


Step = Open | Upgrade | Send | Expect | Silence | Closed | Wait | Post | Request
_HTTP = (Upgrade, Post, Request)


@dataclass(frozen=True)
class Row:
    """One behaviour of the protocol.

    Attributes:
        id: names the row in reports.
        facts: ids of the facts that the row shows, see `facts`.
        steps: the conversation.
        evidence: how well it is known that AWS behaves like this.
        assumption: id in `appsync_events_local.assumptions`, if the row is UNVERIFIED.
        excluded: targets where the row cannot run although its steps could, mostly because the row needs frames to
            arrive faster than a network delivers them.
    """

    id: str
    facts: tuple[str, ...]
    steps: tuple[Step, ...]
    evidence: Evidence = Evidence.DOCUMENTED
    assumption: str | None = None
    excluded: frozenset[Target] = frozenset()

    def targets(self) -> frozenset[Target]:
        """The targets that the row runs against: the core has no HTTP, and the service has no adjustable clock."""
        without = set(self.excluded)
        if any(isinstance(step, _HTTP) for step in self.steps):
            without.add(Target.CORE)
        if any(isinstance(step, Wait) for step in self.steps):
            without.add(Target.SERVICE)
        return frozenset(set(Target) - without)


def row(
    id: str, facts: str, *steps: Step, observed: bool = False, assumption: str | None = None, excluded: str = ""
) -> Row:
    """A row; `facts` and `excluded` are names separated by blanks, an `assumption` makes the row UNVERIFIED."""
    evidence = Evidence.OBSERVED if observed else Evidence.DOCUMENTED
    if assumption is not None:
        evidence = Evidence.UNVERIFIED
    return Row(
        id, tuple(facts.split()), steps, evidence, assumption, frozenset(Target(name) for name in excluded.split())
    )
