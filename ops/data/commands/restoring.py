"""`restore`: restores tables aside, compares them, copies back what is missing, fills gaps, deletes the copies.

`restore aside` → `restore compare` → `restore copy-back` → `restore fill-gaps` → `replay` → `restore discard`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ops.data.commands.common import Context, show
from ops.data.erasures import ErasureList
from ops.data.restore import gaps
from ops.data.restore.admission import Sources
from ops.data.restore.aside import Aside, parse_moment, stamp_of
from ops.data.restore.copy_back import Copy, TableResult
from ops.data.restore.job_files import Audit, Progress
from ops.data.restore.rules import COPIED

_CHANGES = ("to copy", "to raise")


def add_arguments(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command with its steps."""
    restore = commands.add_parser("restore", parents=[common], help="restore what was lost", description=__doc__)
    restore.add_argument("step", choices=("aside", "compare", "copy-back", "fill-gaps", "discard"))
    restore.add_argument("--time", required=True, help="time to restore to, as 2026-11-29T08:30:00Z")
    restore.add_argument("--from-backups", action="store_true", help="aside: from on-demand backups, not PITR")
    restore.add_argument("--only", action="append", default=[], choices=[rule.table.entity for rule in COPIED])
    restore.add_argument("--work", type=Path, help="directory of progress and audit (default: .build/data/…)")
    restore.add_argument("--apply", action="store_true", help="write, after a typed confirmation")


def run(context: Context) -> int:
    """Run one step; return 1 where a comparison or dry run found something to do."""
    step = context.arguments.step
    if step in ("aside", "discard"):
        return _tables(context, step)
    if step == "fill-gaps":
        return _fill_gaps(context)
    return _compare(context, write=step == "copy-back" and context.arguments.apply)


def _tables(context: Context, step: str) -> int:
    """Restore the tables aside, or delete the copies."""
    chosen, moment = context.arguments, parse_moment(context.arguments.time)
    aside = Aside(context.live, moment, context.pace)
    plan = aside.plan()
    if not chosen.apply:
        result = [{"source": source, "target": target, "state": state} for source, target, state in plan]
        show(context, {"tables": result}, [f"{target}  {state}" for _, target, state in plan])
        return 1 if any((state == "absent") == (step == "aside") for _, _, state in plan) else 0
    if step == "discard":
        context.confirm(f"The restored copies of {moment.isoformat()} are deleted.", stamp_of(moment))
        deleted = list(aside.discard())
        show(context, {"deleted": deleted}, [f"{name} deleted" for name in deleted])
        return 0
    aside.run(from_backups=chosen.from_backups)
    lacking = aside.lacking()
    show(context, {"restored": [target for _, target, _ in plan], "lacking": lacking}, lacking)
    return 0


def _compare(context: Context, *, write: bool) -> int:
    chosen = context.arguments
    stamp = stamp_of(parse_moment(chosen.time))
    sources = Sources(
        live=context.live,
        restored=context.live.restored(stamp),
        erasures=ErasureList(context.live),
        planned=not write,
    )
    if not write:
        results = Copy(sources, context.pace, None, None).run(chosen.only)
        _show(context, results)
        return 1 if any(result.counts.get(name) for result in results for name in _CHANGES) else 0
    context.confirm(f"What is missing is copied back into the live tables of {chosen.env}.", stamp)
    work = _work(context, stamp)
    progress = Progress(work / "progress.json", {"environment": chosen.env, "time": stamp})
    results = Copy(sources, context.pace, progress, Audit(work / "audit.jsonl")).run(chosen.only)
    _show(context, results)
    print(f"What was written: {work / 'audit.jsonl'}. Next: python -m ops.data replay --env {chosen.env}")
    return 0


def _work(context: Context, stamp: str) -> Path:
    """Return the directory of the files of a restore."""
    chosen: Path | None = context.arguments.work
    return chosen or context.work / f"restore-{context.arguments.env}-{stamp}"


def _fill_gaps(context: Context) -> int:
    """Store placeholders for numbers whose message is in no copy; a dry run returns 1 where there are any."""
    stamp = stamp_of(parse_moment(context.arguments.time))
    found = list(gaps.find(context.live))
    if not context.arguments.apply:
        lines = [f"{each.conversation_id}: {each.seq}" for each in found]
        show(context, {"gaps": [msgspec.to_builtins(each) for each in found]}, [*lines, f"{len(found)} gaps"])
        return 1 if found else 0
    context.confirm(f"{len(found)} numbers without a message get a placeholder in {context.arguments.env}.", stamp)
    filled, left = gaps.fill(context.live, context.pace, Audit(_work(context, stamp) / "audit.jsonl"))
    result = {"filled": filled, "left": [msgspec.to_builtins(each) for each in left]}
    show(context, result, [f"{filled} gaps filled, {len(left)} without a free timestamp"])
    return 1 if left else 0


def _show(context: Context, results: list[TableResult]) -> None:
    tables = [{"table": each.table, "counts": dict(each.counts), "reasons": dict(each.reasons)} for each in results]
    show(context, {"tables": tables}, _lines(results))


def _lines(results: list[TableResult]) -> Iterator[str]:
    for result in results:
        counts = ", ".join(f"{count} {name}" for name, count in result.counts.items() if count)
        yield f"{result.table}: {counts or 'empty'}"
        for reason, count in result.reasons.items():
            yield f"    {count} left out: {reason}"
