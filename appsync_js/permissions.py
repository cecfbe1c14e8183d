"""The permission grid: for every caller and channel, whether subscribing and publishing are allowed.

Tests run every cell against the handlers alone and through the Events service; docs/reference/permissions.md shows the
grid. A cell's channel is a template over :data:`NAMES`; each test sets up users, calls and conversations with those
names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

Operation = Literal["subscribe", "publish"]
Caller = Literal["me", "api key", "iam", "no sub"]
DecidedBy = Literal["handler", "service"]

NAMES: Final[dict[str, str]] = {
    "me": "my user id (the Cognito sub: a UUID in lower case)",
    "ME": "my user id in upper case",
    "prefix": "my user id without its last character",
    "longer": "my user id with one character more",
    "other": "another user's id",
    "call": "a call in which I am a participant",
    "othercall": "a call of other users",
    "hiddencall": "a call by a user whom I have blocked",
    "nocall": "an id that no call has",
    "group": "a group of which I am a member",
    "epoch": "the last segment of this group's present channel",
    "EPOCH": "the same in upper case",
    "oldepoch": "the last segment of this group's channel before a member was removed",
    "othergroup": "a group of other users",
    "otherepoch": "the last segment of the present channel of those groups",
    "formergroup": "a group from which I was removed",
    "dm": "a direct conversation of mine",
    "hidden": "a conversation that is hidden from me",
    "nogroup": "an id that no conversation has",
}
"""The names in the grid's channels, and what each stands for."""

CALLERS: Final[dict[Caller, str]] = {
    "me": "a signed-in user (Cognito access token)",
    "api key": "a client with an API key only (`ctx.identity` is null)",
    "iam": "an AWS role, like that of the route functions",
    "no sub": "an identity without a user id",
}


@dataclass(frozen=True)
class Cell:
    """One operation of one caller on one channel, and whether it is allowed.

    Attributes:
        namespace: the channel namespace.
        operation: the operation that the caller attempts.
        caller: the kind of caller.
        channel: template of the channel, over :data:`NAMES`.
        allowed: whether the operation is allowed.
        case: the case that the cell covers, in words.
        decided_by: ``service`` if the service refuses before it calls a handler (auth mode, channel grammar,
            unknown namespace).
    """

    namespace: str
    operation: Operation
    caller: Caller
    channel: str
    allowed: bool
    case: str
    decided_by: DecidedBy = "handler"

    @property
    def id(self) -> str:
        """The cell's name in test reports."""
        answer = "allowed" if self.allowed else "refused"
        return f"{self.operation} {self.channel or '(empty)'} as {self.caller}: {answer}"


def _user_channels(namespace: str) -> Iterator[Cell]:
    def subscribe(channel: str, case: str, allowed: bool = False, caller: Caller = "me") -> Cell:
        return Cell(namespace, "subscribe", caller, f"/{namespace}{channel}", allowed, case)

    yield subscribe("/{me}", "own channel", allowed=True)
    yield subscribe("/{me}/", "own channel with the optional last slash", allowed=True)
    yield subscribe("/{other}", "another user's channel")
    yield subscribe("/*", "wildcard over all users")
    yield subscribe("/{me}/*", "wildcard below the own channel")
    yield subscribe("/{other}/*", "wildcard below another user's channel")
    yield subscribe("/{me}/typing", "deeper path below the own channel")
    yield subscribe("/{me}/{me}", "own id twice")
    yield subscribe("/{other}/{me}", "own id in the wrong place")
    yield subscribe("/{me}/typing/*", "wildcard below a deeper path")
    yield subscribe("", "the bare namespace")
    yield subscribe("/{ME}", "own id in another case")
    yield subscribe("/{prefix}", "a prefix of the own id")
    yield subscribe("/{longer}", "the own id with a suffix")
    yield subscribe("/{me}", "no user identity", caller="api key")
    yield subscribe("/{me}", "a role instead of a user", caller="iam")
    yield subscribe("/{me}", "an identity without a user id", caller="no sub")


def _looked_up(namespace: str, allowed: str, refused: dict[str, str]) -> Iterator[Cell]:
    """Return the cells of a namespace whose handler looks up a channel.

    Args:
        allowed: the part of an allowed channel below the namespace.
        refused: parts of refused channels, with their cases.
    """

    def subscribe(channel: str, case: str, allowed: bool = False, caller: Caller = "me") -> Cell:
        return Cell(namespace, "subscribe", caller, f"/{namespace}{channel}", allowed, case)

    name = allowed.removeprefix("/{").partition("}")[0]
    yield subscribe(allowed, f"channel of {NAMES[name]}", allowed=True)
    for channel, case in refused.items():
        yield subscribe(channel, case)
    yield subscribe("/*", "wildcard over the namespace")
    yield subscribe(f"{allowed}/*", "wildcard below an allowed channel")
    yield subscribe(f"{allowed}/x", "deeper path below an allowed channel")
    yield subscribe(f"{allowed}/{{me}}", "own id below an allowed channel")
    yield subscribe("", "the bare namespace")
    yield subscribe("/{me}", "own user id instead of an id of this namespace")
    yield subscribe(allowed, "no user identity", caller="api key")
    yield subscribe(allowed, "a role instead of a user", caller="iam")
    yield subscribe(allowed, "an identity without a user id", caller="no sub")


def _published_by_routes(namespace: str, name: str) -> Iterator[Cell]:
    channel = f"/{namespace}/{{{name}}}"
    yield Cell(namespace, "publish", "iam", channel, True, "route functions publish")
    yield Cell(
        namespace, "publish", "me", channel, False, "users do not publish here, not even to themselves", "service"
    )
    yield Cell(namespace, "publish", "api key", channel, False, "the API has no API keys", "service")
    yield Cell(namespace, "publish", "iam", f"/{namespace}/*", False, "publishing to a wildcard", "service")


def _published_by_members() -> Iterator[Cell]:
    def publish(channel: str, case: str, allowed: bool = False, caller: Caller = "me") -> Cell:
        return Cell("conversations", "publish", caller, f"/conversations{channel}", allowed, case)

    yield publish("/{group}/{epoch}", "a member publishes to the group", allowed=True)
    for channel, case in _NO_CHANNELS_OF_A_GROUP.items():
        yield publish(channel, case)
    yield publish("/{group}/{epoch}/x", "deeper path below the group")
    yield publish("/{group}/{epoch}", "no user identity", caller="api key")
    yield publish("/{group}/{epoch}", "a role instead of a user", caller="iam")
    yield publish("/{group}/{epoch}", "an identity without a user id", caller="no sub")
    yield publish("", "the bare namespace")
    yield Cell("conversations", "publish", "me", "/conversations/*", False, "publishing to a wildcard", "service")
    yield Cell(
        "conversations", "publish", "me", "/conversations/{group}/*", False, "a wildcard below a group", "service"
    )


_NO_CHANNELS_OF_A_GROUP: Final = {
    "/{group}": "a group without the last segment of its channel",
    "/{group}/{oldepoch}": "the group's channel before a member was removed",
    "/{group}/{EPOCH}": "the last segment in another case",
    "/{group}/{otherepoch}": "the last segment of another group's channel",
    "/{group}/{me}": "own user id as the last segment",
    "/{othergroup}/{otherepoch}": "not a member",
    "/{formergroup}/{otherepoch}": "a removed member, on the present channel",
    "/{formergroup}/{oldepoch}": "a removed member, on the channel before the removal",
    "/{nogroup}/{epoch}": "a conversation that does not exist",
    "/{dm}/{epoch}": "a direct conversation: groups only",
    "/{hidden}/{otherepoch}": "a conversation that is hidden from me",
}
"""Channels that neither a subscription nor a publish may use, with their cases."""


def _channel_grammar() -> Iterator[Cell]:
    def subscribe(channel: str, case: str) -> Cell:
        return Cell("", "subscribe", "me", channel, False, case, "service")

    yield subscribe("", "an empty channel")
    yield subscribe("/", "no segment at all")
    yield subscribe("/*", "wildcard over all namespaces")
    yield subscribe("/*/{me}", "wildcard as the first segment")
    yield subscribe("/chats/*/{me}", "wildcard in the middle")
    yield subscribe("/chats/{me}*", "wildcard as a part of a segment")
    yield subscribe("/Chats/{me}", "the namespace in another case")
    yield subscribe("/typing/{me}", "a namespace that does not exist")
    yield subscribe("/chats/{me}/a/b/c/d", "more than five segments")
    yield subscribe("/chats//{me}", "an empty segment")
    yield subscribe("/chats/{me}%2f..", "an illegal character")


GRID: Final[tuple[Cell, ...]] = (
    *_user_channels("chats"),
    *_published_by_routes("chats", "me"),
    *_user_channels("users"),
    *_published_by_routes("users", "me"),
    *_looked_up(
        "calls",
        "/{call}",
        {
            "/{othercall}": "a call of others",
            "/{nocall}": "a call that does not exist",
            "/{hiddencall}": "a call that is hidden from me",
        },
    ),
    *_published_by_routes("calls", "call"),
    *_looked_up(
        "conversations",
        "/{group}/{epoch}",
        {**_NO_CHANNELS_OF_A_GROUP, "/{group}/*": "wildcard over the channels of a group"},
    ),
    *_published_by_members(),
    *_channel_grammar(),
)
"""Every cell of the grid."""


def markdown() -> str:
    """Return the grid as a Markdown page with one table per namespace."""
    notice = "<!-- Written by `python -m tools.generate`; change appsync_js/permissions.py, not this page. -->"
    lines = [
        notice,
        "",
        "# Permissions",
        "",
        "Every row is tested against the handler alone and through the Events service.",
        "",
        "AppSync checks a subscription when it starts, and it lasts as long as its connection: 24 hours at most. "
        "[Membership](../explanation/architecture.md#membership) says when a removed member stops receiving events, "
        "[Disable an account](../how-to/disable-an-account.md) when a disabled user does.",
        "",
    ]
    lines += [*(f"- **{name}**: {text}" for name, text in CALLERS.items()), ""]
    lines += ["In channels, braces stand for:", "", *(f"- `{{{name}}}`: {text}" for name, text in NAMES.items()), ""]
    for namespace in dict.fromkeys(cell.namespace for cell in GRID):
        lines += [f"## `/{namespace}`" if namespace else "## Invalid channels", ""]
        lines += [
            "| operation | channel | caller | answer | case | decided by |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        lines += [_row(cell) for cell in GRID if cell.namespace == namespace]
        lines.append("")
    return "\n".join(lines)


def _row(cell: Cell) -> str:
    channel = f"`{cell.channel}`" if cell.channel else "(empty)"
    answer = "allowed" if cell.allowed else "**refused**"
    by = "the handler" if cell.decided_by == "handler" else "the service"
    return f"| {cell.operation} | {channel} | {cell.caller} | {answer} | {cell.case} | {by} |"
