"""The transitions of calls: the one table that the state machine follows and the documents draw.

T1 to T9 are what users and the end of ringing do; the S rules are the system's own. Whatever no rule allows is T10: the
same actor repeating the same action gets the same answer, everybody else is refused with the call as it is.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, Literal

import msgspec

from contract.calls.models import CallStatus, CallType

Action = Literal[
    "initiate", "accept", "reject", "cancel", "timeout", "leave", "end", "announce", "meeting_ended", "expire", "fail"
]


class Standing(Enum):
    """What somebody is to a call. CALLER: who called, while it rings; OWNER and JOINED: who is in it."""

    SYSTEM = auto()
    STRANGER = auto()
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
        action: what is asked for.
        call_types: which calls it holds for.
        standings: who may ask for it.
        to: the statuses that the call may have afterwards.
        summary: what then holds.
        tells: who is told what.
    """

    name: str
    status: CallStatus | None
    action: Action
    call_types: tuple[CallType, ...] = ("DIRECT", "GROUP")
    standings: tuple[Standing, ...]
    to: tuple[CallStatus, ...]
    summary: str
    tells: str


_IN_IT: Final = (Standing.OWNER, Standing.JOINED)
_LATE: Final = (Standing.RINGING, Standing.LEFT, Standing.MISSED)

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        name="T1",
        status=None,
        action="initiate",
        standings=(Standing.CALLER,),
        to=("RINGING",),
        summary="the caller is JOINED, the others RINGING; of a group, whoever is busy is MISSED from the start",
        tells="INCOMING_CALL → who is rung, then CALL_RINGING → caller",
    ),
    Rule(
        name="T2",
        status="RINGING",
        action="accept",
        standings=(Standing.RINGING,),
        to=("ACTIVE",),
        summary="who answers is JOINED; the meeting stands; of a group, only members answer",
        tells="CALL_CONNECTED → caller and who answered, each with credentials of their own",
    ),
    Rule(
        name="T3",
        status="ACTIVE",
        action="accept",
        call_types=("GROUP",),
        standings=_LATE,
        to=("ACTIVE",),
        summary="one more is JOINED; only members of the group join",
        tells="CALL_CONNECTED → who joined; PARTICIPANT_JOINED → the others in the call",
    ),
    Rule(
        name="T4",
        status="RINGING",
        action="reject",
        standings=(Standing.RINGING,),
        to=("RINGING", "REJECTED"),
        summary="who declines is REJECTED; with the last one who rang, the call is over",
        tells="CALL_REJECTED → caller and who declined",
    ),
    Rule(
        name="T4b",
        status="ACTIVE",
        action="reject",
        call_types=("GROUP",),
        standings=(Standing.RINGING,),
        to=("ACTIVE",),
        summary="who declines is REJECTED",
        tells="CALL_REJECTED → owner and who declined",
    ),
    Rule(
        name="T5",
        status="RINGING",
        action="cancel",
        standings=(Standing.CALLER,),
        to=("CANCELLED",),
        summary="who still rang is MISSED",
        tells="CALL_CANCELLED → all who were told of the call and did not decline",
    ),
    Rule(
        name="T6",
        status="RINGING",
        action="timeout",
        standings=(Standing.SYSTEM,),
        to=("MISSED",),
        summary="not before ringsUntil; who still rang is MISSED",
        tells="CALL_MISSED → all who were told of the call and did not decline",
    ),
    Rule(
        name="T6b",
        status="ACTIVE",
        action="timeout",
        call_types=("GROUP",),
        standings=(Standing.SYSTEM,),
        to=("ACTIVE",),
        summary="not before ringsUntil; who still rang is MISSED, and may join later",
        tells="CALL_MISSED → who still rang",
    ),
    Rule(
        name="T7",
        status="ACTIVE",
        action="leave",
        call_types=("DIRECT",),
        standings=_IN_IT,
        to=("ENDED",),
        summary="both have LEFT",
        tells="PARTICIPANT_LEFT → the other; CALL_ENDED → both",
    ),
    Rule(
        name="T7",
        status="ACTIVE",
        action="leave",
        call_types=("GROUP",),
        standings=_IN_IT,
        to=("ACTIVE", "ENDED"),
        summary="who leaves has LEFT; an owner hands over to whom the owner names, or to who joined first; "
        "with the last one in it, the call is over",
        tells="PARTICIPANT_LEFT → the others in the call; CALL_ENDED → all, where it is over",
    ),
    Rule(
        name="T8",
        status="ACTIVE",
        action="end",
        call_types=("DIRECT",),
        standings=_IN_IT,
        to=("ENDED",),
        summary="both have LEFT",
        tells="CALL_ENDED → both",
    ),
    Rule(
        name="T8",
        status="ACTIVE",
        action="end",
        call_types=("GROUP",),
        standings=(Standing.OWNER,),
        to=("ENDED",),
        summary="all in the call have LEFT, who still rang is MISSED",
        tells="CALL_ENDED → all who were told of the call and did not decline",
    ),
    Rule(
        name="T9",
        status="RINGING",
        action="end",
        standings=(Standing.CALLER,),
        to=("CANCELLED",),
        summary="as T5",
        tells="as T5",
    ),
    Rule(
        name="T9",
        status="RINGING",
        action="leave",
        standings=(Standing.CALLER,),
        to=("CANCELLED",),
        summary="as T5",
        tells="as T5",
    ),
    Rule(
        name="S1",
        status="RINGING",
        action="announce",
        standings=(Standing.RINGING,),
        to=("RINGING",),
        summary="a meeting is about to be asked for: the call's end has to look for it",
        tells="nobody",
    ),
    Rule(
        name="S2",
        status="ACTIVE",
        action="meeting_ended",
        standings=(Standing.SYSTEM,),
        to=("ENDED",),
        summary="only of the call's present meeting; all in the call have LEFT",
        tells="CALL_ENDED → all who were told of the call and did not decline",
    ),
    Rule(
        name="S3",
        status="ACTIVE",
        action="expire",
        standings=(Standing.SYSTEM,),
        to=("ENDED",),
        summary="not before the longest duration of a meeting",
        tells="CALL_ENDED → all who were told of the call and did not decline",
    ),
    Rule(
        name="S4",
        status="RINGING",
        action="fail",
        standings=(Standing.RINGING,),
        to=("RINGING",),
        summary="Chime fails on an answer; the call rings on",
        tells="CALL_ERROR → caller and who answered",
    ),
    Rule(
        name="S4",
        status="ACTIVE",
        action="fail",
        standings=(*_LATE, *_IN_IT),
        to=("ACTIVE",),
        summary="Chime fails on somebody who joins or asks for credentials again",
        tells="CALL_ERROR → who asked",
    ),
)
