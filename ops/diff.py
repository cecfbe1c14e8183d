"""Says what a change does to an environment: `python -m ops.diff --env NAME [--base REVISION]`.

Synthesises the base revision and this checkout, both without credentials and each with the tools of its own lock
files, compares the templates on AWS's service spec, and reports what AWS will refuse, which data is at risk, who gets
in, what breaks for clients, what behaves and costs differently. It compares two revisions and does not see manual
changes in the account. A green update on the local cloud proves nothing about replacements: the emulator carries out
what AWS refuses.

Exit status: 0 nothing at or above the threshold, 1 refused by the threshold, 2 the comparison failed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import botocore.session

from ops import aws, cdk, preflight, revision
from ops.change_report.finding import Severity, severity_of
from ops.change_report.render import FORMATS
from ops.change_report.render.as_markdown import as_comment
from ops.change_report.render.as_text import as_text
from ops.change_report.report import Report, find
from ops.change_report.revisions import compared, default_base
from ops.errors import CommandError
from ops.pull_requests.comment import COMMENT_LIMIT
from stacks.config.load import SettingsError, load

_DIFF_SECONDS: Final = 120
_NONE: Final = "none"
_COMMENT_MIN: Final = 1_000


def build(environment: str, base: str, *, appendix: bool, root: Path = cdk.ROOT) -> Report:
    """Compare a revision with the checkout.

    Args:
        environment: name of the environment.
        base: the revision to compare with.
        appendix: also run the diff of the CDK CLI.
        root: the checkout.

    Raises:
        CommandError: there is no such revision, or one of the two cannot be synthesised.
    """
    with compared(environment, base, root, _progress) as (comparison, old, new):
        _progress("Comparing")
        findings = find(comparison)
        text = _cli_output(old, new) if appendix else ""
    return Report(environment, base, revision.current(root), findings, appendix=text)


def _progress(step: str) -> None:
    print(f"→ {step}", file=sys.stderr, flush=True)


def _cli_output(base: Path, head: Path) -> str:
    """Return the diff of the CDK CLI, stack by stack."""
    before, parts = cdk.stacks_of(base), []
    for name, stack in sorted(cdk.stacks_of(head).items()):
        with tempfile.TemporaryDirectory(prefix="diff-") as directory:
            file = Path(directory) / "base.json"
            file.write_text(before[name].file.read_text("utf-8") if name in before else '{"Resources": {}}', "utf-8")
            arguments = ["diff", stack.construct, "--exclusively", "--app", str(head), "--template", str(file)]
            finished = cdk.run_offline(arguments, cwd=Path(directory), seconds=_DIFF_SECONDS)
        if finished.returncode != 0:
            raise CommandError(f"cdk diff of {name} failed:\n{(finished.stdout + finished.stderr)[-2_000:]}")
        parts.append(f"── {name}\n{(finished.stdout + finished.stderr).strip()}")
    return "\n".join(parts)


def _deployed_revision(environment: str) -> str | None:
    """Return the revision of the deployed Routes stack; None without credentials."""
    session = botocore.session.get_session()
    if session.get_credentials() is None:
        return None
    settings = load(environment)
    region = settings.aws.region if settings.aws.pinned else None
    deployed = preflight.read_deployed(environment, aws.client("cloudformation", region))
    return next((stack.revision for name, stack in deployed.items() if "-Routes-" in name), None)


def _threshold(environment: str, chosen: str | None) -> Severity | None:
    if chosen == _NONE:
        return None
    if chosen is not None:
        return severity_of(chosen)
    return Severity.DATA_AT_RISK if load(environment, variables={}).protected else Severity.REFUSED


def _acceptances(values: Sequence[str]) -> Mapping[str, str]:
    accepted = {}
    for value in values:
        key, separator, reason = value.partition("=")
        if not separator or not reason.strip():
            raise CommandError(
                f'--accept needs a key and a reason, KEY=REASON, for example "data.index=not queried": {value}'
            )
        accepted[key.strip()] = reason.strip()
    return accepted


def _comment_limit(value: str) -> int:
    if value.isdecimal() and _COMMENT_MIN <= int(value) <= COMMENT_LIMIT:
        return int(value)
    raise argparse.ArgumentTypeError(f"{value}: must be a number from {_COMMENT_MIN} to {COMMENT_LIMIT}")


def _write(report: Report, chosen: argparse.Namespace) -> None:
    for name, file in (
        ("text", chosen.text),
        ("markdown", chosen.markdown),
        ("html", chosen.html),
        ("json", chosen.json),
    ):
        if file:
            Path(file).write_text(FORMATS[name](report), encoding="utf-8")
    if chosen.comment:
        Path(chosen.comment).write_text(as_comment(report, chosen.full_text, chosen.comment_limit), encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ops.diff", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", required=True, help="name of the environment")
    parser.add_argument(
        "--base", help="git revision to compare with; else the deployed revision, the last tag, or the main branch"
    )
    parser.add_argument(
        "--fail-on",
        choices=[*(severity.option for severity in Severity), _NONE],
        help="exit with status 1 if a finding is of this severity or worse (default: data-at-risk where data is "
        "protected, refused elsewhere)",
    )
    parser.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="KEY=REASON",
        help="accept a finding and record why; KEY is its rule, or rule:stack:resource",
    )
    parser.add_argument("--appendix", action="store_true", help="add the output of the CDK CLI")
    for name in FORMATS:
        parser.add_argument(f"--{name}", metavar="FILE", help=f"also write the report as {name}")
    parser.add_argument("--comment", metavar="FILE", help="also write a comment of at most 65,000 characters")
    parser.add_argument(
        "--comment-limit",
        type=_comment_limit,
        default=COMMENT_LIMIT,
        metavar="N",
        help=f"characters of the comment, from {_COMMENT_MIN} to {COMMENT_LIMIT} (default)",
    )
    parser.add_argument("--full-text", default="", metavar="URL", help="where the comment says the full report is")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 1 if the threshold refuses the change, 2 if the comparison failed."""
    chosen = _parser().parse_args(arguments)
    try:
        threshold, accepted = _threshold(chosen.env, chosen.fail_on), _acceptances(chosen.accept)
        base = chosen.base or default_base(cdk.ROOT, lambda: _deployed_revision(chosen.env))
        report = replace(build(chosen.env, base, appendix=chosen.appendix), threshold=threshold, accepted=accepted)
        _write(report, chosen)
    except (CommandError, SettingsError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(as_text(report, colour=sys.stdout.isatty()), end="")
    return int(bool(report.failing))


if __name__ == "__main__":
    sys.exit(main())
