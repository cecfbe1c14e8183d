"""The transitions of calls: the one table that the state machine follows and the documents draw.

A comment above each rule has its number in the specification: T1 to T9 are the actions of users and the end of ringing,
S1 to S5 the system's own. A command that no rule allows is T10: the same actor repeating the same action gets the same
answer, every other actor gets 409 with the call as it is.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, Literal

import msgspec

from contract.calls.models import CallStatus, CallType

Action = Literal[
    "initiate", "accept", "reject", "cancel", "timeout", "leave", "end", "announce", "meeting_ended", "expire", "fail"
]
RuleName = Literal[
    "initiate",
    "answer",
    "join",
    "reject",
    "reject_ongoing",
    "cancel",
    "hang_up",
    "ring_timeout",
    "ring_timeout_ongoing",
    "leave",
    "end",
    "rejoin",
    "announce_meeting",
    "meeting_ended",
    "expire",
    "meeting_failed",
]
"""Rules of one name have one effect; `_ongoing` marks the rules of an action in a group call that was answered."""
Outcome = Literal["initiated", "accepted", "joined", "rejected", "cancelled", "missed", "left", "ended", "failed"]
"""What the log calls a transition; `stacks/monitoring/log_metrics.py` counts log lines by it."""


class ActorRole(Enum):
    """The relation of a command's actor to the call.

    CALLER: called, while the call rings. OWNER, JOINED: in the call. OUTSIDER: no participant, or a participant who may
    not know of the call. The others are the participant's status.
    """

    SYSTEM = auto()
    OUTSIDER = auto()
    CALLER = auto()
    OWNER = auto()
    JOINED = auto()
    RINGING = auto()
    LEFT = auto()
    REJECTED = auto()
    MISSED = auto()


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One transition.

    Args:
        status: the call's status before; None where there is no call yet.
        action: the action of the command.
        call_types: the call types for which it holds.
        actors: the roles that may give the command.
        to: the statuses that the call may have afterwards.
        outcome: its name in the log; None where it is not logged.
        ends_ringing: whether its log line has the time since the call was initiated.
        summary: what holds afterwards.
        publishes: the events and their recipients; None where nothing is published.

    Raises:
        ValueError: the rule publishes events but has no outcome, or the reverse.
    """

    name: RuleName
    status: CallStatus | None
    action: Action
    call_types: tuple[CallType, ...] = ("DIRECT", "GROUP")
    actors: tuple[ActorRole, ...]
    to: tuple[CallStatus, ...]
    outcome: Outcome | None
    ends_ringing: bool = False
    summary: str
    publishes: str | None

    def __post_init__(self) -> None:
        """Check that the rule has an outcome exactly where users notice it."""
        if (self.outcome is None) != (self.publishes is None):
            raise ValueError(f"rule {self.name}: a rule has an outcome if it publishes events, and only then")


_IN_CALL: Final = (ActorRole.OWNER, ActorRole.JOINED)
_MAY_JOIN: Final = (ActorRole.RINGING, ActorRole.LEFT, ActorRole.MISSED)
_CALL_CANCELLED: Final = "CALL_CANCELLED → all notified of the call, except those who declined"
_CALL_MISSED: Final = "CALL_MISSED → all notified of the call, except those who declined"
_CALL_ENDED: Final = "CALL_ENDED → all notified of the call, except those who declined"

RULES: Final[tuple[Rule, ...]] = (
    # T1
    Rule(
        name="initiate",
        status=None,
        action="initiate",
        actors=(ActorRole.CALLER,),
        to=("RINGING",),
        outcome="initiated",
        summary="the caller is JOINED, the others are RINGING; members of a group who are busy are MISSED at once",
        publishes="INCOMING_CALL → the users who are called, then CALL_RINGING → caller",
    ),
    # T2
    Rule(
        name="answer",
        status="RINGING",
        action="accept",
        actors=(ActorRole.RINGING,),
        to=("ACTIVE",),
        outcome="accepted",
        ends_ringing=True,
        summary="the actor is JOINED; the call has a meeting; only members of the group answer a group call",
        publishes="CALL_CONNECTED → caller and actor, each with that user's own credentials",
    ),
    # T3
    Rule(
        name="join",
        status="ACTIVE",
        action="accept",
        call_types=("GROUP",),
        actors=_MAY_JOIN,
        to=("ACTIVE",),
        outcome="joined",
        summary="the actor is JOINED, too; only members of the group join",
        publishes="CALL_CONNECTED → actor; PARTICIPANT_JOINED → the others in the call",
    ),
    # T4
    Rule(
        name="reject",
        status="RINGING",
        action="reject",
        actors=(ActorRole.RINGING,),
        to=("RINGING", "REJECTED"),
        outcome="rejected",
        ends_ringing=True,
        summary="the actor is REJECTED; when no participant is RINGING any more, the call is over",
        publishes="CALL_REJECTED → caller and actor",
    ),
    # T4b
    Rule(
        name="reject_ongoing",
        status="ACTIVE",
        action="reject",
        call_types=("GROUP",),
        actors=(ActorRole.RINGING,),
        to=("ACTIVE",),
        outcome="rejected",
        summary="the actor is REJECTED",
        publishes="CALL_REJECTED → owner and actor",
    ),
    # T5
    Rule(
        name="cancel",
        status="RINGING",
        action="cancel",
        actors=(ActorRole.CALLER,),
        to=("CANCELLED",),
        outcome="cancelled",
        ends_ringing=True,
        summary="participants who were RINGING are MISSED",
        publishes=_CALL_CANCELLED,
    ),
    # T6
    Rule(
        name="ring_timeout",
        status="RINGING",
        action="timeout",
        actors=(ActorRole.SYSTEM,),
        to=("MISSED",),
        outcome="missed",
        ends_ringing=True,
        summary="not before ringsUntil; participants who were RINGING are MISSED",
        publishes=_CALL_MISSED,
    ),
    # T6b
    Rule(
        name="ring_timeout_ongoing",
        status="ACTIVE",
        action="timeout",
        call_types=("GROUP",),
        actors=(ActorRole.SYSTEM,),
        to=("ACTIVE",),
        outcome="missed",
        summary="not before ringsUntil; participants who were RINGING are MISSED and may join later",
        publishes="CALL_MISSED → the participants who were RINGING",
    ),
    # T7
    Rule(
        name="leave",
        status="ACTIVE",
        action="leave",
        call_types=("DIRECT",),
        actors=_IN_CALL,
        to=("ENDED",),
        outcome="left",
        summary="both have LEFT",
        publishes="PARTICIPANT_LEFT → the other; CALL_ENDED → both",
    ),
    # T7
    Rule(
        name="leave",
        status="ACTIVE",
        action="leave",
        call_types=("GROUP",),
        actors=_IN_CALL,
        to=("ACTIVE", "ENDED"),
        outcome="left",
        summary="the actor has LEFT; an owner is succeeded by the participant named in the command, or by the one who "
        "joined first; when no participant is left in it, the call is over",
        publishes="PARTICIPANT_LEFT → the others in the call; CALL_ENDED → all, where it is over",
    ),
    # T8
    Rule(
        name="end",
        status="ACTIVE",
        action="end",
        call_types=("DIRECT",),
        actors=_IN_CALL,
        to=("ENDED",),
        outcome="ended",
        summary="both have LEFT",
        publishes="CALL_ENDED → both",
    ),
    # T8
    Rule(
        name="end",
        status="ACTIVE",
        action="end",
        call_types=("GROUP",),
        actors=(ActorRole.OWNER,),
        to=("ENDED",),
        outcome="ended",
        summary="all in the call have LEFT, participants who were RINGING are MISSED",
        publishes=_CALL_ENDED,
    ),
    # T9
    Rule(
        name="hang_up",
        status="RINGING",
        action="end",
        actors=(ActorRole.CALLER,),
        to=("CANCELLED",),
        outcome="cancelled",
        ends_ringing=True,
        summary="as cancel",
        publishes=_CALL_CANCELLED,
    ),
    # T9
    Rule(
        name="hang_up",
        status="RINGING",
        action="leave",
        actors=(ActorRole.CALLER,),
        to=("CANCELLED",),
        outcome="cancelled",
        ends_ringing=True,
        summary="as cancel",
        publishes=_CALL_CANCELLED,
    ),
    # S5
    Rule(
        name="rejoin",
        status="ACTIVE",
        action="accept",
        actors=_IN_CALL,
        to=("ACTIVE",),
        outcome=None,
        summary="the actor accepts again on the same device, for example after a reload of the page; that the earlier "
        "connection leaves the meeting does not count any more",
        publishes=None,
    ),
    # S1
    Rule(
        name="announce_meeting",
        status="RINGING",
        action="announce",
        actors=(ActorRole.RINGING,),
        to=("RINGING",),
        outcome=None,
        summary="a request for a meeting follows: when the call ends, the meeting has to be found and deleted",
        publishes=None,
    ),
    # S2
    Rule(
        name="meeting_ended",
        status="ACTIVE",
        action="meeting_ended",
        actors=(ActorRole.SYSTEM,),
        to=("ENDED",),
        outcome="ended",
        summary="only for the call's present meeting; all in the call have LEFT",
        publishes=_CALL_ENDED,
    ),
    # S3
    Rule(
        name="expire",
        status="ACTIVE",
        action="expire",
        actors=(ActorRole.SYSTEM,),
        to=("ENDED",),
        outcome="ended",
        summary="not before the longest duration of a meeting",
        publishes=_CALL_ENDED,
    ),
    # S4
    Rule(
        name="meeting_failed",
        status="RINGING",
        action="fail",
        actors=(ActorRole.RINGING,),
        to=("RINGING",),
        outcome="failed",
        summary="Chime failed during an answer; the call keeps ringing",
        publishes="CALL_ERROR → caller and actor",
    ),
    # S4
    Rule(
        name="meeting_failed",
        status="ACTIVE",
        action="fail",
        actors=(*_MAY_JOIN, *_IN_CALL),
        to=("ACTIVE",),
        outcome="failed",
        summary="Chime failed when the actor joined or requested credentials again",
        publishes="CALL_ERROR → actor",
    ),
)
