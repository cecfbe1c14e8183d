"""The page of answers: for a terminal, as Markdown and as JSON."""

from __future__ import annotations

import datetime
import json
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ops.verify.question import Answer, State

_WIDTH: Final = 110
_INDENT: Final = "    "
_HEADINGS: Final = {
    State.AS_ASSUMED: "As assumed",
    State.DIFFERS: "Differs: something has to be changed",
    State.NOT_ASKED: "Could not be asked",
}


@dataclass(frozen=True)
class Page:
    """The answers of one run.

    Args:
        environment: name of the environment.
        region: its region.
        at: when the questions were asked.
        answers: the answers.
    """

    environment: str
    region: str
    at: datetime.datetime
    answers: Sequence[Answer]

    def of(self, state: State) -> list[Answer]:
        """Return the answers of one state."""
        return [answer for answer in self.answers if answer.state is state]

    @property
    def title(self) -> str:
        """Return the heading of the page."""
        return f"Answers of {self.environment} ({self.region}), {self.at:%Y-%m-%d %H:%M} UTC"

    @property
    def summary(self) -> str:
        """Return the number of questions in each state."""
        counts = ", ".join(f"{len(self.of(state))} {state}" for state in State)
        return f"{len(self.answers)} questions: {counts}"


def as_text(page: Page) -> str:
    """Return the page for a terminal."""
    parts = [page.title, page.summary]
    for state in State:
        if answers := page.of(state):
            parts += ["", _HEADINGS[state].upper(), *(line for each in answers for line in _lines(each))]
    return "\n".join(parts) + "\n"


def _lines(answer: Answer) -> list[str]:
    question = answer.question
    if answer.given is None:
        return _wrapped(f"  {question.id}: {answer.seen}")
    if answer.state is State.AS_ASSUMED:
        return _wrapped(f"  {question.id}: {answer.given.text} ({answer.seen})")
    return [
        *_wrapped(f"  {question.id}: {question.text}"),
        *_wrapped(f"{_INDENT}answer: {answer.given.text} ({answer.seen})"),
        *_wrapped(f"{_INDENT}assumed: {question.assumed.text}"),
        *_wrapped(f"{_INDENT}do: {answer.given.consequence}"),
    ]


def _wrapped(text: str) -> list[str]:
    indent = text[: len(text) - len(text.lstrip())]
    return textwrap.wrap(text, _WIDTH, subsequent_indent=f"{indent}  ", break_long_words=False, break_on_hyphens=False)


def as_markdown(page: Page) -> str:
    """Return the page as Markdown."""
    parts = [f"# {page.title}", "", f"{page.summary}."]
    columns = {
        State.AS_ASSUMED: ("id", "question", "answer", "seen"),
        State.DIFFERS: ("id", "question", "answer", "seen", "assumed", "do"),
        State.NOT_ASKED: ("id", "question", "why"),
    }
    for state in State:
        if answers := page.of(state):
            rows = [
                _row(columns[state]),
                _row(["---"] * len(columns[state])),
                *(_row(_cells(each)) for each in answers),
            ]
            parts += ["", f"## {_HEADINGS[state]}", "", *rows]
    return "\n".join(parts) + "\n"


def _cells(answer: Answer) -> list[str]:
    question, given = answer.question, answer.given
    if given is None:
        return [question.id, question.text, answer.seen]
    cells = [question.id, question.text, given.text, answer.seen]
    return [*cells, question.assumed.text, given.consequence] if answer.state is State.DIFFERS else cells


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def as_json(page: Page) -> str:
    """Return the page as JSON, one object for each answer."""
    answers = [
        {
            "id": each.question.id,
            "question": each.question.text,
            "state": str(each.state),
            "answer": each.given.text if each.given else None,
            "seen": each.seen,
            "assumed": each.question.assumed.text,
            "consequence": each.given.consequence if each.given else None,
        }
        for each in page.answers
    ]
    document = {"environment": page.environment, "region": page.region, "at": page.at.isoformat(), "answers": answers}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
