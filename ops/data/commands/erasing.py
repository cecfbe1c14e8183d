"""`erase`: erases one person. `replay`: repeats the erasures after a restore."""

from __future__ import annotations

import argparse
from typing import Any

from ops.data.commands.common import Context, show
from ops.data.erase.erasure import Erasure
from ops.data.erase.replay import replay as repeat
from ops.data.erase.replay import returned
from ops.data.erasures import ErasureList
from ops.errors import CommandError


def add_arguments(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the two commands."""
    erase = commands.add_parser("erase", parents=[common], help="erase one person", description=__doc__)
    erase.add_argument("--user", required=True, help="user id (sub), or the e-mail address of the account")
    erase.add_argument("--keep-account", action="store_true", help="disable the account, and do not delete it")
    erase.add_argument("--apply", action="store_true", help="erase, after a typed confirmation")
    again = commands.add_parser("replay", parents=[common], help="repeat erasures after a restore", description=__doc__)
    again.add_argument("--apply", action="store_true", help="erase, after a typed confirmation")


def erase(context: Context) -> int:
    """Run `erase`; return 1 where the dry run found something to erase."""
    chosen, accounts = context.arguments, context.user_pool()
    user_id = accounts.find(chosen.user).user_id if "@" in chosen.user else chosen.user
    erasure = Erasure(user_id, context.live, accounts, keep_account=chosen.keep_account)
    plan = erasure.plan()
    if not any(count for _, count in plan) and user_id not in ErasureList(context.live):
        raise CommandError(f"Nothing is stored about the user {user_id}. Check the user id and --env.")
    if not chosen.apply:
        return _show(context, user_id, plan, "would be erased", found=True)
    _show(context, user_id, plan, "will be erased", found=True, quiet=chosen.json)
    context.confirm(f"Erasing {user_id} in {chosen.env} cannot be undone.", user_id)
    done = erasure.run(context.pace)
    left = [(name, count) for name, count in erasure.plan() if count]
    _show(context, user_id, done, "erased", found=False)
    if left:
        print(f"Left: {dict(left)}. Run the command again.")
    return 1 if left else 0


def _show(
    context: Context, user_id: str, steps: list[tuple[str, int]], what: str, *, found: bool, quiet: bool = False
) -> int:
    total = sum(count for _, count in steps)
    lines = [f"{count:>8}  {name}" for name, count in steps]
    if not quiet:
        result = {"userId": user_id, "steps": dict(steps), "total": total}
        show(context, result, [*lines, f"{total:>8}  items of {user_id} {what}"])
    return 1 if found and total else 0


def replay(context: Context) -> int:
    """Run `replay`; return 1 where the dry run found persons who came back."""
    found = returned(context.live)
    if not context.arguments.apply:
        show(context, {"returned": found}, [*found, f"{len(found)} erased persons have come back"])
        return 1 if found else 0
    if not found:
        show(context, {"erased": {}}, ["0 erased persons have come back"])
        return 0
    context.confirm(f"{len(found)} erased persons have come back in {context.arguments.env}.", str(len(found)))
    done = {user_id: dict(steps) for user_id, steps in repeat(context.live, found, context.pace)}
    show(context, {"erased": done}, [f"{user_id}: {sum(steps.values())} items" for user_id, steps in done.items()])
    return 0
