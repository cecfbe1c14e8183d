"""Asks questions, several at a time, and turns every failure into an answer with its reason."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import CommandError
from ops.verify.deployment import Deployment, InterruptedAskingError, Waiting
from ops.verify.question import Answer, CannotAskError, Question, State

_AT_ONCE: Final = 10


def ask(question: Question, deployment: Deployment) -> Answer:
    """Ask one question. A failure is an answer too: why the question could not be asked."""
    if question.not_asked:
        return Answer(question, State.NOT_ASKED, question.not_asked)
    if deployment.local and question.not_local:
        return Answer(question, State.NOT_ASKED, f"here, because {question.not_local}")
    try:
        observation = question.ask(deployment)
    except (CannotAskError, CommandError) as error:
        return Answer(question, State.NOT_ASKED, str(error))
    except InterruptedAskingError:
        return Answer(question, State.NOT_ASKED, "the command was interrupted")
    except ClientError as error:
        return Answer(question, State.NOT_ASKED, f"AWS refused a request: {error}")
    except BotoCoreError as error:
        return Answer(question, State.NOT_ASKED, f"AWS did not respond: {error}")
    except Exception as error:  # an unexpected form of one answer must not lose the others
        return Answer(question, State.NOT_ASKED, f"the question failed: {error!r}")
    given = question.answer(observation.key)
    state = State.AS_ASSUMED if given == question.assumed else State.DIFFERS
    return Answer(question, state, observation.seen, given)


def ask_all(
    questions: Sequence[Question],
    deployment: Deployment,
    waiting: Waiting,
    report: Callable[[Answer], None],
) -> list[Answer]:
    """Ask questions in several threads, and return the answers in the order of the questions.

    After an interrupt no further question is asked, and those that are being asked delete what they created.

    Args:
        questions: the questions.
        deployment: where they are asked.
        waiting: the waits of the deployment, which an interrupt ends.
        report: gets each answer as soon as it is there.
    """
    slowest_first = sorted(questions, key=lambda question: -question.minutes)
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        running: dict[Future[Answer], Question] = {
            threads.submit(ask, question, deployment): question for question in slowest_first
        }
        try:
            for future in as_completed(running):
                report(future.result())
        except KeyboardInterrupt:
            print("→ Interrupted: deleting what was created", file=sys.stderr)
            waiting.interrupt()
            threads.shutdown(wait=True, cancel_futures=True)
    by_id = {question.id: _result(future, question) for future, question in running.items()}
    return [by_id[question.id] for question in questions]


def _result(future: Future[Answer], question: Question) -> Answer:
    if future.cancelled():
        return Answer(question, State.NOT_ASKED, "the command was interrupted")
    return future.result()
