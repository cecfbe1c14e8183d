"""An event type: MESSAGE_PINNED, published to the participants of a conversation."""

from __future__ import annotations

from typing import Final

from tests.contributing.edits import after, append, before, edit, new
from tests.contributing.recipe import Recipe

_EVENT: Final = '''class MessagePinned(msgspec.Struct, tag="MESSAGE_PINNED", tag_field="type", kw_only=True):
    """A participant pinned a message."""

    eventId: str
    timestamp: str
    data: TypingData


'''
_USE_CASE: Final = '''"""Pins messages."""

from __future__ import annotations

from contract import events


def pinned(event_id: str, timestamp: str, conversation_id: str, user_id: str) -> events.MessagePinned:
    """Return the event."""
    data = events.TypingData(conversationId=conversation_id, userId=user_id)
    return events.MessagePinned(eventId=event_id, timestamp=timestamp, data=data)
'''
_HANDLER: Final = """
    @_on.register
    def _(self, event: events.MessagePinned, now: float) -> list[Update]:
        return []
"""
_TEST: Final = '''"""Pinned messages."""

from handlers.core.messages.pin import pinned


def test_pin_creates_an_event() -> None:
    assert pinned("e", "2026-01-01T00:00:00.000Z", "c", "u").__struct_config__.tag == "MESSAGE_PINNED"
'''
_CLIENT_TEST: Final = """

def test_a_pinned_message_changes_nothing(inbox: Inbox) -> None:
    assert take(inbox, typing(OTHER, "MESSAGE_PINNED")) == []
"""
_PAGE_TEST: Final = """
test("a pinned message changes nothing visible", () => {
  const pinned = event("MESSAGE_PINNED", { conversationId: DM, userId: GRACE });
  assert.deepEqual(after(opened(), ...arrived(pinned)).rows, opened().rows);
});
"""

RECIPE: Final = Recipe(
    "An event type",
    (
        edit(
            "contract/events.py",
            "module 'contract.events' has no attribute 'MessagePinned'",
            before("ChatEvent = (\n", _EVENT),
            after("    | ConversationRemoved\n", "    | MessagePinned\n"),
            after("        ConversationRemoved,\n", "        MessagePinned,\n"),
        ),
        new("handlers/core/messages/pin.py", "handlers/core creates no event of type: MESSAGE_PINNED", _USE_CASE),
        new(
            "tests/handlers/messages/test_pin.py",
            "no test in tests/handlers names the event type: MESSAGE_PINNED",
            _TEST,
        ),
        edit(
            "client/state/inbox.py",
            "client/state/inbox.py handles no event of type: MESSAGE_PINNED",
            append(_HANDLER),
        ),
        edit(
            "tests/client/state/test_inbox.py",
            "no test in tests/client names the event type: MESSAGE_PINNED",
            append(_CLIENT_TEST),
        ),
        edit(
            "tests/web/reducer.test.ts",
            "no test in tests/web names the event type: MESSAGE_PINNED",
            append(_PAGE_TEST),
        ),
        edit(
            "web/src/client/state/incoming.ts",
            "web/src/client/state/incoming.ts handles no event of type: MESSAGE_PINNED",
            before("    default:\n", '    case "MESSAGE_PINNED":\n      return state;\n'),
        ),
        edit(
            "tests/snapshots/*/Events.yaml",
            "lacks a line of appsync_js/chats.js; run: make snapshots",
            after("          'CONVERSATION_REMOVED',\n", "          'MESSAGE_PINNED',\n"),
        ),
    ),
)
