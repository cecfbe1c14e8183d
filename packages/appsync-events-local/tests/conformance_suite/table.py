"""What a row of the conformance table is made of: which frames and requests go in, and which must come out.

The rows themselves are in the `*_rows` modules. They say nothing about where they run: `core`, `service` and the
end-to-end suite bring a place each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from typing import Any


class Place(StrEnum):
    """Where a row can run."""

    CORE = "core"
    SERVICE = "service"
    AWS = "aws"


class Evidence(StrEnum):
    """How well a row's expectation is known of AWS itself.

    What is UNVERIFIED is our choice: on AWS it is shown, not asserted, and the choice's id says where to correct it.
    """

    DOCUMENTED = "documented"
    SEEN = "seen by a client that runs on AWS"
    UNVERIFIED = "unverified"


class As(Enum):
    """With whose credentials something is asked."""

    KEY = auto()
    WRONG_KEY = auto()
    SIGNER = auto()
    SIGNER_OF_SOMETHING_ELSE = auto()
    NOBODY = auto()
    KEY_WITHOUT_HOST = auto()
    KEY_FOR_ANOTHER_HOST = auto()
    KEY_IN_CAPITALS = auto()


@dataclass(frozen=True)
class Pattern:
    """Stands in an expected answer for any value that passes a test."""

    name: str
    test: Callable[[Any], bool]

    def __repr__(self) -> str:
        return f"<{self.name}>"


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TEXT = Pattern("text", lambda value: isinstance(value, str) and bool(value))
UUID = Pattern("UUID", lambda value: isinstance(value, str) and _UUID.fullmatch(value) is not None)
NOT_2XX = Pattern("not 2xx", lambda value: isinstance(value, int) and not 200 <= value < 300)
WHATEVER = Pattern("whatever", lambda value: True)


def document(expected: Any) -> Pattern:
    """A text that holds ONE JSON document, namely this one."""

    def holds(value: Any) -> bool:
        try:
            return isinstance(value, str) and matches(expected, json.loads(value))
        except ValueError:
            return False

    return Pattern(f"JSON text of {expected!r}", holds)


def matches(expected: Any, seen: Any) -> bool:
    """Whether a value is as expected: same keys, same length, same type, or what an `Pattern` accepts."""
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
    """Open a socket; nothing is sent on it yet."""

    by: As = As.KEY
    on: str = "a"


@dataclass(frozen=True)
class Upgrade:
    """Ask for a socket with hand-made subprotocols and headers; `{header}` in an offer is encoded credentials.

    Attributes:
        status: the HTTP status that must come.
        selected: the subprotocol that must be selected.
    """

    offers: tuple[str, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    by: As = As.KEY
    status: int = 101
    selected: str | None = "aws-appsync-event-ws"
    on: str = "a"


@dataclass(frozen=True)
class Send:
    """Send a frame: an object, a text as it stands, or bytes. `by` adds `authorization`."""

    frame: Mapping[str, Any] | str | bytes
    by: As | None = None
    on: str = "a"


@dataclass(frozen=True)
class Expect:
    """The next frames are these, in any order (AWS promises none)."""

    frames: tuple[dict[str, Any], ...]
    on: str = "a"


@dataclass(frozen=True)
class Silence:
    """Nothing comes until a later frame is answered."""

    on: str = "a"


@dataclass(frozen=True)
class Closed:
    """The connection has ended with this code."""

    code: Any = WHATEVER
    on: str = "a"


@dataclass(frozen=True)
class Wait:
    """Time passes: seconds that the core skips and AWS takes."""

    seconds: float


@dataclass(frozen=True)
class Post:
    """Publish over HTTP; `body` replaces the request's body as it stands.

    Attributes:
        status, answer: what must come.
        headers: that must be in the answer.
    """

    channel: str = "/open/a"
    events: tuple[Any, ...] = ("1",)
    by: As = As.KEY
    body: str | bytes | None = None
    status: Any = 200
    answer: Any = WHATEVER
    headers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ask:
    """Any other HTTP request to the publish address or, with `path`, below it."""

    method: str
    status: Any
    path: str = ""
    send: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)


Step = Open | Upgrade | Send | Expect | Silence | Closed | Wait | Post | Ask
_HTTP = (Upgrade, Post, Ask)


@dataclass(frozen=True)
class Row:
    """One promise of the protocol.

    Attributes:
        id: names it in reports.
        facts: ids of what it shows, see `facts`.
        steps: what happens.
        evidence: how well AWS is known to do this.
        choice: id in `appsync_events_local.assumptions`, if it is UNVERIFIED.
        never: places where it cannot run, for other reasons than its steps; mostly, because it needs a client that is
            quicker than a network. `tests/harness/e2e/probes.py` asks AWS about those.
    """

    id: str
    facts: tuple[str, ...]
    steps: tuple[Step, ...]
    evidence: Evidence = Evidence.DOCUMENTED
    choice: str | None = None
    never: frozenset[Place] = frozenset()

    def places(self) -> frozenset[Place]:
        """Where the row runs: the core has no HTTP, and the service's time is the machine's."""
        without = set(self.never)
        if any(isinstance(step, _HTTP) for step in self.steps):
            without.add(Place.CORE)
        if any(isinstance(step, Wait) for step in self.steps):
            without.add(Place.SERVICE)
        return frozenset(set(Place) - without)


def row(id: str, facts: str, *steps: Step, seen: bool = False, choice: str | None = None, never: str = "") -> Row:
    """A row; `facts` and `never` are names with blanks between them, a `choice` makes it UNVERIFIED."""
    evidence = Evidence.SEEN if seen else Evidence.DOCUMENTED
    if choice is not None:
        evidence = Evidence.UNVERIFIED
    return Row(id, tuple(facts.split()), steps, evidence, choice, frozenset(Place(name) for name in never.split()))
