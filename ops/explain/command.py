"""The command `python -m ops explain message|call|user ID`.

Exit codes: 0 the look-up found it, 1 nothing has this id, 2 it could not be looked up.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from ops import aws, outputs
from ops.errors import CommandError
from ops.explain import call, message, user
from ops.explain.sources import Sources, deployed
from ops.explain.story import Story, as_json, as_text
from ops.support.audit import AuditLog, AuditRecord

_HOURS: int = 48


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    arguments = argparse.ArgumentParser(prog="python -m ops explain", description=__doc__)
    arguments.add_argument("what", choices=("message", "call", "user"), help="what the id is of")
    arguments.add_argument("id", help="message id, session id of a call, or user id (Cognito sub)")
    arguments.add_argument("--env", required=True, help="name of the environment")
    arguments.add_argument("--for", dest="user", metavar="USER", help="answer: why did this user not get it?")
    arguments.add_argument("--hours", type=int, default=_HOURS, help="hours of logs to search (default: 48)")
    arguments.add_argument("--content", action="store_true", help="message: print its content; the audit log says so")
    arguments.add_argument("--reason", help="why the content is printed; required with --content")
    arguments.add_argument("--json", action="store_true", help="print JSON")
    return arguments


def main(
    arguments: Sequence[str] | None = None,
    *,
    sources: Callable[[str], Sources] | None = None,
    audit: Callable[[str], AuditLog] | None = None,
) -> int:
    """Run the command.

    Args:
        arguments: of the command line.
        sources: returns the sources of an environment; those of the deployed one by default.
        audit: returns the audit log of an environment; that of the deployed one by default.
    """
    given = parser()
    chosen = given.parse_args(arguments)
    if chosen.what == "user" and chosen.user:
        given.error("--for asks about a message or a call")
    if chosen.content and chosen.what != "message":
        given.error("--content belongs to explain message")
    if chosen.content and not chosen.reason:
        given.error("--content requires --reason: why does support need to read the message?")
    if not 1 <= chosen.hours <= 24 * 3_653:
        given.error("--hours must be at least 1, and at most ten years")
    try:
        with aws.explained_errors():
            if chosen.content:
                record = AuditRecord(action="read-content", subject=chosen.id, reason=chosen.reason)
                (audit or AuditLog.deployed)(chosen.env).write(record)
            story = _story(chosen, (sources or _deployed)(chosen.env))
    except CommandError as error:
        print(error, file=sys.stderr)
        return 2
    print(as_json(story) if chosen.json else as_text(story), end="")
    return 0 if story.found else 1


def _deployed(environment: str) -> Sources:
    print("Reading tables, queues and logs …", file=sys.stderr)
    return deployed(environment, outputs.read_stacks(environment, outputs.cloudformation))


def _story(chosen: argparse.Namespace, sources: Sources) -> Story:
    if chosen.what == "user":
        return user.explain(sources, chosen.id)
    if chosen.what == "call":
        return call.explain(sources, chosen.id, user_id=chosen.user, hours=chosen.hours)
    return message.explain(sources, chosen.id, user_id=chosen.user, content=chosen.content, hours=chosen.hours)
