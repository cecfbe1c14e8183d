"""Questions about AppSync Events: one for each assumption of the Events service. The end-to-end suite asks them.

The rows of the conformance table and the probes of `tests/e2e` ask; this module says what follows from an answer that
differs, and why some assumptions cannot be asked about.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from appsync_events_local import assumptions

from ops.verify.deployment import Deployment
from ops.verify.events_consequences import CODE, NOT_ASKED, PRODUCT
from ops.verify.question import CannotAskError, Observation, PossibleAnswer, Question

PREFIX: Final = "events-"
_SUITE_MINUTES: Final = 8
_SEEN_AT_MOST: Final = 300
_PACKAGE: Final = "packages/appsync-events-local/src/appsync_events_local"


def question_id(assumption: str) -> str:
    """Return the id of the question about an assumption."""
    return f"{PREFIX}{assumption}"


def assumption_ids(questions: list[Question]) -> list[str]:
    """Return the assumptions that questions ask about through the suite."""
    ids = [each.id.removeprefix(PREFIX) for each in questions if each.id.startswith(PREFIX)]
    return [each for each in ids if each not in NOT_ASKED]


def _ask(assumption: str, deployment: Deployment) -> Observation:
    records = deployment.suite.of(assumption)
    observed = [each for each in records if each.same is not None]
    if not observed:
        reasons = "; ".join(f"{each.by}: {each.observed}" for each in records)
        raise CannotAskError(_shortened(reasons or "the end-to-end suite did not report on it"))
    different = [each for each in observed if not each.same]
    if different:
        return Observation("differs", _shortened("; ".join(f"{each.by}: {each.observed}" for each in different)))
    by = "row" if len(observed) == 1 else "rows"
    return Observation("same", f"{len(observed)} {by}: {', '.join(each.by for each in observed[:3])}")


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SEEN_AT_MOST else f"{line[:_SEEN_AT_MOST]} …"


def _question(assumption: assumptions.Assumption[object], topic: str) -> Question:
    home = f"`{_PACKAGE}/assumptions/{topic}.py`"
    change = f"correct {assumption.id} in {home}"
    if assumption.value is not None:
        change += ": set its value"
    elif (code := CODE.get(assumption.id)) is not None:
        change += f" and the code in `{_PACKAGE}/{code}`"
    product = PRODUCT.get(assumption.id)
    return Question(
        id=question_id(assumption.id),
        text=assumption.question,
        how=_how(assumption.id),
        source=f"assumed because {assumption.reason}",
        answers=(
            PossibleAnswer("same", assumption.behaviour, product or "the local cloud behaves as AWS"),
            PossibleAnswer("differs", "something else", f"{change}; {product}" if product else change),
        ),
        ask=partial(_ask, assumption.id),
        creates="" if assumption.id in NOT_ASKED else "a stack with an Event API, test users",
        minutes=0 if assumption.id in NOT_ASKED else _SUITE_MINUTES,
        not_asked=NOT_ASKED.get(assumption.id, ""),
    )


def _how(assumption: str) -> str:
    if assumption in NOT_ASKED:
        return "not asked"
    return "rows of the conformance table, or a probe of the end-to-end suite"


def _questions() -> tuple[Question, ...]:
    return tuple(_question(each, topic) for topic, listed in assumptions.by_topic().items() for each in listed)


QUESTIONS: Final = _questions()
