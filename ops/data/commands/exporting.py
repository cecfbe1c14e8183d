"""`export`: writes what is stored about one person to a directory or a .zip file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ops.data.commands.common import Context, show
from ops.data.export import PersonExport


def add_arguments(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command."""
    export = commands.add_parser("export", parents=[common], help="export one person", description=__doc__)
    export.add_argument("--user", required=True, help="user id (sub), or the e-mail address of the account")
    export.add_argument("--output", type=Path, help="new directory or .zip file; without it, a dry run")


def run(context: Context) -> int:
    """Write the export; without a target only count its items."""
    chosen = context.arguments
    user_id = context.user_pool().find(chosen.user).user_id if "@" in chosen.user else chosen.user
    export = PersonExport(user_id, context.live)
    if chosen.output is None:
        counts = export.plan()
        show(context, counts, [f"{count:>8}  {name}" for name, count in counts.items()])
        return 0
    counts = export.write(chosen.output, context.pace)
    result = {"output": str(chosen.output), "files": counts}
    show(context, result, [f"{chosen.output}: {sum(counts.values())} items. It holds personal data: keep it safe."])
    return 0
