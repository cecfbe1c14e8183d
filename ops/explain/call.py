"""What happened to a call: `python -m ops explain call ID [--for USER]`."""

from __future__ import annotations

from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from contract import tables
from ops.explain.log_lines import DELIVERY, iso, milliseconds
from ops.explain.log_sentences import sentence
from ops.explain.sources import Sources
from ops.explain.story import RecipientState, Story

_FUNCTIONS: Final = ("calls", "ring_timeout", "chime_events", "call_sweep", *DELIVERY)
_BEFORE_MS: Final = 60_000
_REASONS: Final = {
    "ENDED": "{by} ended it for all participants",
    "LEFT": "{by} left, and one participant alone is no call",
    "CANCELLED": "{by} cancelled it while it rang",
    "MISSED": "no called user had answered when the ring time was over",
    "REJECTED": "every called user declined it",
    "MEETING_ENDED": "its Chime meeting ended: it was deleted, or all attendees were gone for five minutes",
    "EXPIRED": "it reached the longest duration of a call",
}
_CODES: Final = {
    "JOINED": ("joined", "The user is in the call."),
    "RINGING": ("ringing", "The call rings for the user, or rang until it ended."),
    "LEFT": ("left", "The user was in the call and left it."),
    "REJECTED": ("rejected", "The user declined the call."),
    "MISSED": ("missed", "The call rang for the user, who did not answer."),
}


def explain(sources: Sources, session_id: str, *, user_id: str | None = None, hours: int = 48) -> Story:
    """Return what happened to a call, in order.

    Args:
        sources: the environment.
        session_id: the call.
        user_id: the user for whom it did not ring.
        hours: for how long after the call's beginning log lines are searched.
    """
    subject = f"Call {session_id}"
    call = sources.tables.item(tables.CALLS, sessionId=session_id)
    if call is None:
        story = Story(subject=subject, found=False)
        text = "No call has this id: the request was refused, or the id is wrong."
        story.add(None, text, "Calls")
        if user_id is not None:
            story.answer = RecipientState(user_id=user_id, code="unknown_call", text=text)
        return story
    story = Story(subject=subject)
    where = f" of the group {call['conversationId']}" if call.get("conversationId") else ""
    story.add(
        call["createdAt"],
        f"{call['initiatedBy']} placed a {call['callType'].lower()} {call['mediaType'].lower()} call{where}. It was to "
        f"ring until {call['ringsUntil']}.",
        "Calls",
    )
    _add_log(sources, story, session_id, call, hours)
    _add_times(story, call)
    for participant, each in _participants(call):
        story.add(None, f"{participant}: {_participant(each)}", "Calls")
        lock = sources.tables.item(tables.CALL_LOCKS, userId=participant)
        if lock is not None and lock["sessionId"] == session_id:
            live = "" if call["status"] in ("RINGING", "ACTIVE") else " The next call of the user replaces it."
            story.add(None, f"{participant} holds the lock of this call.{live}", "CallLocks")
    _add_meeting(sources, story, call)
    _add_timer(sources, story, session_id)
    if user_id is not None:
        story.answer = _answer(sources, call, user_id)
    story.unread = sources.unread()
    return story


def _participants(call: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return sorted(call["participants"].items(), key=lambda each: int(each[1]["place"]))


def _add_log(sources: Sources, story: Story, session_id: str, call: dict[str, Any], hours: int) -> None:
    start = milliseconds(call["createdAt"])
    end = min(sources.clock() + _BEFORE_MS, start + hours * 3_600_000)
    for line in sources.logs.find(_FUNCTIONS, (session_id,), start - _BEFORE_MS, end):
        text = sentence(line)
        if text is not None:
            story.add(line.date, text, f"log of {line.function}")


def _add_times(story: Story, call: dict[str, Any]) -> None:
    if call.get("startedAt"):
        story.add(call["startedAt"], "It was answered.", "Calls")
    if call.get("endedAt"):
        by = call.get("endedBy") or "The system"
        reason = _REASONS[call["endReason"]].format(by=by)
        lasted = f" It lasted {call['duration']} s." if call.get("duration") is not None else ""
        story.add(call["endedAt"], f"It ended as {call['status']}: {reason}.{lasted}", "Calls")
    else:
        story.add(None, f"It is {call['status']}; its owner is {call['ownerId']}.", "Calls")
    if call.get("dueAt"):
        story.add(None, f"The sweep of calls examines it at {call['dueAt']}.", "Calls")


def _participant(each: dict[str, Any]) -> str:
    parts = [each["status"]]
    parts.append("was notified" if each["rung"] else "was not notified")
    names = (("joinedAt", "joined at"), ("leftAt", "left at"), ("deviceId", "on device"), ("attendeeId", "as attendee"))
    parts += [f"{text} {each[name]}" for name, text in names if each.get(name)]
    return ", ".join(parts) + "."


def _add_meeting(sources: Sources, story: Story, call: dict[str, Any]) -> None:
    meeting_id = call.get("meetingId")
    if meeting_id is None:
        asked = call.get("meetingAskedAt")
        text = "It has no meeting." if asked is None else f"A meeting was requested at {asked}, and is not recorded."
        story.add(None, text, "Calls")
        return
    try:
        sources.meetings.get_meeting(MeetingId=meeting_id)
    except (ClientError, BotoCoreError) as error:
        if getattr(error, "response", {}).get("Error", {}).get("Code") == "NotFoundException":
            story.add(None, f"The meeting {meeting_id} has ended.", "Chime")
        else:
            sources.problems["meeting"] = f"the meeting {meeting_id}: {error}"
        return
    story.add(None, f"The meeting {meeting_id} exists.", "Chime")


def _add_timer(sources: Sources, story: Story, session_id: str) -> None:
    for letter in sources.dead_letters(sources.queues.ring_dead_letters):
        if letter.fields.get("sessionId") == session_id:
            text = "Its ring timer became a dead letter: the sweep of calls ends the ringing instead."
            story.add(iso(letter.sent_at), text, "RingTimeoutsDeadLetters")


def _answer(sources: Sources, call: dict[str, Any], user_id: str) -> RecipientState:
    code, text = _reason(sources, call, user_id)
    return RecipientState(user_id=user_id, code=code, text=text)


def _reason(sources: Sources, call: dict[str, Any], user_id: str) -> tuple[str, str]:
    if user_id == call["initiatedBy"]:
        return "caller", "The user placed the call."
    if user_id in (call.get("hiddenFrom") or ()):
        return "blocked_caller", "The user has blocked the caller: for the user the call does not exist."
    profile = sources.tables.item(tables.USERS, userId=user_id)
    if profile is None:
        return "unknown_user", "No user has this id. Check the id: it is the user's sub in Cognito."
    each = call["participants"].get(user_id)
    if each is None:
        return "not_called", "The user was not called: no participant when the call was placed."
    if not each["rung"]:
        return "busy", "The user was in another call when this one was placed, and was not notified of it."
    code, text = _CODES[each["status"]]
    disabled = profile.get("disabledAt")
    if disabled:
        return "disabled", f"{text} The user's account is disabled since {disabled}: no request of the user is served."
    return code, text
