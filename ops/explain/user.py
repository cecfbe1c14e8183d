"""What holds for a user: `python -m ops explain user ID`."""

from __future__ import annotations

from typing import Any, Final

from contract import limits, tables
from contract.limits import RateLimit
from ops.explain.sources import Sources
from ops.explain.story import Story

_RATES: Final = tuple(
    value
    for value in vars(limits).values()
    if isinstance(value, RateLimit) and value.action not in ("read", "target", "invitation")
)
"""The limits that are counted in the table RateLimits under the user alone."""
_LISTED_MAX: Final = 50
"""Most blocks, memberships and calls that are listed."""


def explain(sources: Sources, user_id: str) -> Story:
    """Return what holds for a user: profile, blocks, memberships, calls, used rate limits.

    Names and addresses are not part of it.
    """
    profile = sources.tables.item(tables.USERS, userId=user_id)
    story = Story(subject=f"User {user_id}", found=profile is not None)
    if profile is None:
        text = "No profile has this id. A user gets one at sign-up or with the first request; an id is a Cognito sub."
        story.add(None, text, "Users")
    else:
        _add_profile(story, profile)
    _add_blocks(sources, story, user_id)
    _add_memberships(sources, story, user_id)
    _add_calls(sources, story, user_id)
    _add_rates(sources, story, user_id)
    story.unread = sources.unread()
    return story


def _add_profile(story: Story, profile: dict[str, Any]) -> None:
    created = profile.get("createdAt")
    verified = "is" if profile.get("emailVerified") else "is not"
    story.add(created, f"The profile was created. The e-mail address {verified} verified.", "Users")
    disabled = profile.get("disabledAt")
    if disabled:
        story.add(disabled, "The account was disabled: no request is served.", "Users")
    else:
        story.add(None, "The account is not disabled.", "Users")


def _add_blocks(sources: Sources, story: Story, user_id: str) -> None:
    blocks = sources.tables.query(tables.BLOCKS, user_id, most=limits.BLOCKS_PER_USER + 1)
    blocked = [each for each in blocks if not each["blockedUserId"].startswith("#")]
    if not blocked:
        story.add(None, "The user has blocked no other user.", "Blocks")
    for each in blocked[:_LISTED_MAX]:
        story.add(each.get("createdAt"), f"The user blocked {each['blockedUserId']}.", "Blocks")
    _add_rest(story, len(blocked), "blocks", "Blocks")


def _add_memberships(sources: Sources, story: Story, user_id: str) -> None:
    found = sources.tables.query(tables.CONVERSATION_MEMBERS, user_id, most=limits.CONVERSATIONS_PER_USER)
    story.add(None, f"The user is a participant of {len(found)} conversations.", "ConversationMembers")
    for each in found[:_LISTED_MAX]:
        kind = "direct conversation" if each.get("type") == "DM" else "group"
        hidden = ", hidden from the user, who had blocked its creator" if each.get("hidden") else ""
        text = (
            f"{each.get('role', 'MEMBER')} of the {kind} {each['conversationId']}, read up to number "
            f"{each.get('lastReadSeq', 0)}{hidden}."
        )
        story.add(each.get("joinedAt"), text, "ConversationMembers")
    _add_rest(story, len(found), "conversations", "ConversationMembers")


def _add_calls(sources: Sources, story: Story, user_id: str) -> None:
    lock = sources.tables.item(tables.CALL_LOCKS, userId=user_id)
    if lock is None:
        story.add(None, "The user is in no call.", "CallLocks")
    else:
        call = sources.tables.item(tables.CALLS, sessionId=lock["sessionId"])
        status = "does not exist any more" if call is None else f"is {call['status']}"
        story.add(None, f"The user's lock is that of the call {lock['sessionId']}, which {status}.", "CallLocks")
    for each in sources.tables.query(tables.USER_CALLS, user_id, most=5, newest_first=True):
        at = each["callKey"].partition("#")[0]
        story.add(at, f"The user was a participant of the call {each['sessionId']}.", "UserCalls")


def _add_rates(sources: Sources, story: Story, user_id: str) -> None:
    seconds = sources.clock() / 1000
    for rate in _RATES:
        key = f"{user_id}#{rate.action}#{rate.window(seconds)}"
        item = sources.tables.item(tables.RATE_LIMITS, id=key)
        if item is not None:
            used = item["count"]
            over = " Further requests get 429 until the window ends." if used >= rate.count else ""
            text = f"In the present window of {rate.seconds} s, {used} of {rate.count} uses of {rate.action}.{over}"
            story.add(None, text, "RateLimits")


def _add_rest(story: Story, found: int, what: str, source: str) -> None:
    if found > _LISTED_MAX:
        story.add(None, f"{found - _LISTED_MAX} further {what} are not listed.", source)
