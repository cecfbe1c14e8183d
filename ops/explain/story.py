"""The result of a look-up: steps in the order in which they happened, the state of each recipient, and the answer."""

from __future__ import annotations

import json
from typing import Any

import msgspec


class Step(msgspec.Struct, frozen=True):
    """One thing that happened, or that holds.

    Args:
        at: ISO date in UTC; None for what holds now.
        text: one or more whole sentences.
        source: where it was read: a table, a queue, or the log of a function.
    """

    at: str | None
    text: str
    source: str


class RecipientState(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one user got an event.

    Args:
        user_id: the user.
        code: the reason, for programs: one of `ops.explain.recipient.CODES`.
        text: the same in whole sentences.
    """

    user_id: str
    code: str
    text: str


class Story(msgspec.Struct, kw_only=True):
    """The result of one look-up.

    Args:
        subject: what was looked up, as a title.
        found: whether it exists.
        steps: what happened, oldest first.
        recipients: of a message, the state of each recipient, or of the one who was asked about.
        answer: the answer to the question "why did this user not get it?"; None where it was not asked.
        unread: sources that could not be read, each with the reason.
    """

    subject: str
    found: bool = True
    steps: list[Step] = msgspec.field(default_factory=list)
    recipients: list[RecipientState] = msgspec.field(default_factory=list)
    answer: RecipientState | None = None
    unread: list[str] = msgspec.field(default_factory=list)

    def add(self, at: str | None, text: str, source: str) -> None:
        """Append a step."""
        self.steps.append(Step(at, text, source))


def as_text(story: Story) -> str:
    """Return a story as text for a terminal."""
    lines = [story.subject, ""]
    lines += [f"  {step.at or 'now':<24}  {step.text}  [{step.source}]" for step in story.steps]
    if story.recipients and story.answer is None:
        lines += ["", "Recipients:"]
        lines += [f"  {each.user_id}  {each.code}: {each.text}" for each in story.recipients]
    if story.answer is not None:
        lines += ["", f"Answer ({story.answer.code}): {story.answer.text}"]
    lines += [f"Not read: {each}" for each in story.unread]
    return "\n".join(lines) + "\n"


def as_json(story: Story) -> str:
    """Return a story as JSON: the fields of `Story` in camelCase."""
    document: Any = msgspec.to_builtins(story)
    renamed = {"recipients": [_camel(each) for each in document["recipients"]]}
    answer = None if document["answer"] is None else _camel(document["answer"])
    return json.dumps({**document, **renamed, "answer": answer}, indent=2, ensure_ascii=False) + "\n"


def _camel(state: dict[str, Any]) -> dict[str, Any]:
    return {"userId": state["user_id"], "code": state["code"], "text": state["text"]}
