"""Applies the steps of `contract/vectors/messages.json` to the Python client, and reads its view."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from client.live_view import LiveView
from client.state.conversation_log import ConversationLog
from client.state.draft import Draft
from client.state.inbox_entry import decode, last_message
from client.update_feed import UpdateFeed
from contract.models import ConversationView, Message
from contract.responses import HistoryPage

ME: Final = "ada"
CONVERSATION: Final = "c"
NAMES: Final = {"ada": "Ada Lovelace", "grace": "Grace Hopper", "alan": "Alan Turing"}
_DATE: Final = "2026-01-01T00:00:00.000Z"

Step = dict[str, Any]


def message(fields: Step) -> Message:
    """Return the message of a step."""
    seq = fields.get("seq")
    given = {name: value for name, value in fields.items() if name in Message.__struct_fields__}
    defaults = {
        "messageId": f"m{seq}",
        "conversationId": CONVERSATION,
        "senderId": "grace",
        "timestamp": f"2026-01-01T00:{(seq or 0) // 60:02}:{(seq or 0) % 60:02}.000Z",
        "type": "TEXT",
        "content": f"text {seq}",
    }
    return msgspec.convert(defaults | given, type=Message)


def edited(step: Step) -> Message:
    """Return the message of an edit; a later change has a later date."""
    number = step.get("change", step.get("changed"))
    return message({**step, "editedAt": f"2026-02-01T00:00:{number:02}.000Z"})


def page(fields: Step) -> HistoryPage:
    """Return the history page of a step."""
    return HistoryPage(
        conversationId=CONVERSATION,
        messages=[message(one) for one in fields["messages"]],
        latestSeq=fields["latestSeq"],
        latestChange=fields.get("latestChange", 0),
        nextCursor=fields.get("nextCursor"),
        changed=[message(one) for one in fields.get("changed", [])],
    )


class ClientUnderTest:
    """The Python client's view at the start of a case, and the steps that change it.

    Args:
        case: one case of the vectors.
        view: the view to change; a new one if omitted.
    """

    def __init__(self, case: Step, view: LiveView | None = None) -> None:
        self.now = 1_000.0
        self.view = view or LiveView(ME, UpdateFeed(), now=lambda: self.now)
        self._type = case.get("type", "DM")
        self._numbers = itertools.count()
        if case.get("start") != "none":
            start = case.get("start", {"first": 1, "last": 3})
            listed = {"latestSeq": start["last"], "lastReadSeq": start["last"]}
            self.view.publish(self.view.inbox.take_views([self._conversation(listed)], first=True))
            numbers = range(start["last"], start["first"] - 1, -1)
            self._newest({"messages": [{"seq": seq} for seq in numbers], "latestSeq": start["last"]})

    @property
    def log(self) -> ConversationLog:
        return self.view.inbox[CONVERSATION].log

    def apply(self, step: Step) -> None:
        """Apply one step."""
        kind = next(name for name in _STEPS if name in step)
        _STEPS[kind](self, step)

    def shown(self) -> Step:
        """Return the view in the form of the vectors."""
        inbox = self.view.inbox
        found: Step = {"listed": CONVERSATION in inbox, "toBeRead": CONVERSATION in inbox.unknown}
        found["drafts"] = [temp_id for _, temp_id in self.view.drafts]
        if CONVERSATION not in inbox:
            return found
        entry = inbox[CONVERSATION]
        gap, last = entry.log.gap, entry.view.lastMessage
        return found | {
            "messages": [[m.seq, None if m.deleted else m.content] for m in entry.log.messages],
            "gap": None if gap is None else [gap.after_seq, gap.after_change],
            "unread": entry.view.unreadCount,
            "latestSeq": entry.view.latestSeq,
            "lastReadSeq": entry.view.lastReadSeq,
            "preview": last.preview if last else None,
            "deleted": bool(last and last.deleted),
            "typing": list(entry.typing),
            "read": {user: seq for user, seq in entry.read_marks.items() if user != ME},
            "name": entry.view.name,
        }

    def _conversation(self, fields: Step) -> ConversationView:
        users = ["ada", "grace"] if self._type == "DM" else ["ada", "grace", "alan"]
        newest = last_message(message({"seq": fields.get("latestSeq", 3)}))
        defaults: Step = {
            "conversationId": CONVERSATION,
            "type": self._type,
            "participants": users,
            "admins": [],
            "createdBy": ME,
            "createdAt": _DATE,
            "updatedAt": _DATE,
            "version": 1 if self._type == "DM" else 3,
            "latestSeq": 3,
            "lastReadSeq": 3,
            "name": NAMES["grace"] if self._type == "DM" else "Group",
            "lastMessage": newest,
            "lastMessageAt": newest.timestamp,
            "participantNames": {user: NAMES[user] for user in users},
        }
        return ConversationView(**(defaults | fields))

    def _event(self, step: Step) -> None:
        kind = step["event"]
        document = {"type": kind, "eventId": step.get("id", f"e{next(self._numbers)}"), "timestamp": _DATE}
        event = decode(document | {"data": self._data(kind, step)})
        assert event is not None, step
        self.view.apply(event)

    def _data(self, kind: str, step: Step) -> Any:
        place = {"conversationId": CONVERSATION}
        match kind:
            case "MESSAGE_SENT":
                return msgspec.to_builtins(message(step)) | {"tempId": step.get("tempId")}
            case "MESSAGE_UPDATED":
                stored = edited(step)
                changed = {"messageId": stored.messageId, "change": step["change"], "updatedBy": stored.senderId}
                return place | changed | {"message": msgspec.to_builtins(stored)}
            case "MESSAGE_DELETED":
                fields = {"messageId": f"m{step['seq']}", "seq": step["seq"], "change": step["change"]}
                return place | fields | {"deletedBy": "grace", "deletedAt": _DATE}
            case "MESSAGE_READ":
                return place | {"readBy": step["by"], "readSeq": step["seq"], "readAt": _DATE}
            case "USER_TYPING" | "USER_STOPPED_TYPING":
                return place | {"userId": step["user"]}
            case "CONVERSATION_REMOVED":
                return place | {"userId": step["user"], "removedBy": "grace"}
            case "CONVERSATION_UPDATED":
                given: Step = {
                    name: step[name] for name in ("version", "name", "participants", "latestSeq") if name in step
                }
                return {"conversation": msgspec.to_builtins(self._conversation(given)), "changedBy": "grace"}
            case "USER_UPDATED":
                user = {"userId": step["user"], "firstName": "", "lastName": "", "fullName": step["fullName"]}
                return {"user": user}
        raise ValueError(f"no such event in the vectors: {kind}")

    def _newest(self, fields: Step) -> None:
        newest = page(fields)
        self.log.add_older_page(newest, self.log.generation)
        self.log.note_latest(newest.latestSeq, newest.latestChange)

    def _reload(self, fields: Step) -> None:
        assert self.log.gap is not None
        self.view.take_log_changes(self.log, self.log.restart(page(fields)))

    def _gap(self, fields: Step) -> None:
        gap = self.log.gap
        assert gap is not None, "nothing is missing"
        self.view.take_log_changes(self.log, self.log.fill_gap(gap, page(fields)))

    def _older(self, fields: Step) -> None:
        self.log.add_older_page(page(fields), self.log.generation)

    def _sending(self, step: Step) -> None:
        self.view.drafts[CONVERSATION, step["sending"]] = Draft(CONVERSATION, step["sending"], step["content"])

    def _sent(self, step: Step) -> None:
        self.view.drafts.pop((CONVERSATION, step["sent"]), None)
        stored = message({**step, "senderId": ME})
        self.view.take_log_changes(self.log, self.log.add_message(stored, step["sent"]))

    def _changed(self, step: Step) -> None:
        self.view.take_log_changes(self.log, self.log.apply_change(step["changed"], edited(step)))

    def _mark_read(self, step: Step) -> None:
        self.view.publish(self.view.inbox.take_own_read_mark(CONVERSATION, step["markRead"]))

    def _seconds(self, step: Step) -> None:
        self.now += step["seconds"]
        self.view.publish(self.view.inbox.expire(self.now))


_STEPS: Final[dict[str, Callable[[ClientUnderTest, Step], None]]] = {
    "event": ClientUnderTest._event,
    "newest": lambda client, step: client._newest(step["newest"]),
    "reload": lambda client, step: client._reload(step["reload"]),
    "gap": lambda client, step: client._gap(step["gap"]),
    "older": lambda client, step: client._older(step["older"]),
    "conversation": lambda client, step: client.view.publish(
        client.view.inbox.take_views([client._conversation(step["conversation"])])
    ),
    "sending": ClientUnderTest._sending,
    "sent": ClientUnderTest._sent,
    "changed": ClientUnderTest._changed,
    "markRead": ClientUnderTest._mark_read,
    "seconds": ClientUnderTest._seconds,
}


def sequences(case: Step) -> Iterator[list[Step]]:
    """Yield every sequence of steps of a case: each order of `anyOrder`, followed by `steps`."""
    for order in itertools.permutations(case.get("anyOrder", [])):
        yield [*order, *case["steps"]]
