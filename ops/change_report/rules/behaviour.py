"""Changes of code and settings that nothing above has named: what the system does differently."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ops.change_report.comparison import WHOLE, Comparison, ResourceChange, text
from ops.change_report.finding import Finding, Severity
from ops.change_report.sources import changed_files, entry_file, importing_functions

FUNCTION: Final = "AWS::Lambda::Function"
ALARM: Final = "AWS::CloudWatch::Alarm"
NAMESPACE: Final = "AWS::AppSync::ChannelNamespace"
_DIFF_LINES: Final = 60
_ALARM_RULES: Final = (
    *("Threshold", "ComparisonOperator", "EvaluationPeriods", "DatapointsToAlarm", "Period", "Statistic"),
    *("ExtendedStatistic", "TreatMissingData", "Metrics", "MetricName", "Dimensions", "Namespace"),
)
_WHY: Final[Mapping[str, str]] = {
    "Timeout": "Requests that take longer fail.",
    "MemorySize": "CPU and memory of the function change with it, and its price.",
    "Runtime": "The code runs on another version of the language.",
    "Environment": "The code reads other settings.",
    "VisibilityTimeout": "A failed message comes back after this time; if it is too short, work is done twice.",
    "RedrivePolicy": "The number of tries before a message becomes a dead letter, or where it goes, changes.",
    "DelaySeconds": "Messages arrive at another time.",
    "ScheduleExpression": "The function runs at other times.",
    "State": "A disabled rule does not run at all.",
    "DefaultRouteSettings": "Requests above the rate get 429.",
    "RetentionInDays": "Older log lines are deleted.",
    "BatchSize": "The function gets more or fewer records at once.",
    "ScalingConfig": "More or fewer copies of the function run at once.",
    "ReservedConcurrentExecutions": "More requests are refused with 429, or fewer.",
    "CorsConfiguration": "Browsers send or accept other requests.",
    "LogConfig": "The service writes more or fewer log lines.",
    "EventPattern": "Other events start the function.",
    "Targets": "Other functions run, or are retried differently.",
}


def find(comparison: Comparison) -> Iterator[Finding]:
    """Return the changes of behaviour."""
    yield from _code(comparison)
    for change in comparison.updated(NAMESPACE):
        yield from _handlers(change)
    for change in comparison.of_type(ALARM):
        yield from _alarm(change)
    for change in comparison.updated(FUNCTION):
        yield from _environment(change)


def remaining(change: ResourceChange, names: tuple[str, ...]) -> Finding:
    """Return the finding about changed properties of which no rule has said anything."""
    if change.added or change.removed:
        what = f"{change.name} ({change.type}) is {'new' if change.added else 'removed'}"
        why = "" if change.added else "Whatever it did stops."
        return _finding("resource", change, what, why or "It starts to work with this deployment.", WHOLE)
    described = [f"{name}: {_short(change, name)}" for name in names]
    whys = [_WHY[name] for name in names if name in _WHY]
    what = f"{', '.join(names)} of {change.name} changed"
    return _finding(
        "setting", change, what, " ".join(whys) or f"A setting of {change.type}.", *names, details=tuple(described)
    )


def _finding(
    rule: str, change: ResourceChange, what: str, why: str, *properties: str, details: tuple[str, ...] = ()
) -> Finding:
    return Finding(
        f"behaviour.{rule}",
        Severity.BEHAVES_DIFFERENTLY,
        what,
        why,
        "Check that this is intended.",
        change.stack,
        change.logical_id,
        properties,
        details=details,
    )


def _side(resource: Mapping[str, Any] | None, properties: Mapping[str, Any], name: str) -> str:
    value = properties.get(name, (resource or {}).get(name))
    shown = "(absent)" if value is None else text(value)
    return shown if len(shown) <= 160 else f"{shown[:157]}…"


def _short(change: ResourceChange, name: str) -> str:
    return f"{_side(change.before, change.old, name)} → {_side(change.after, change.new, name)}"


def _code(comparison: Comparison) -> Iterator[Finding]:
    changed = [change for change in comparison.updated(FUNCTION) if "Code" in change.changed]
    if not changed:
        return
    files = changed_files(comparison.before.checkout, comparison.after.checkout)
    entries = {change.name: entry_file(str(change.new.get("Handler", ""))) for change in changed}
    by_file = importing_functions(comparison.after.checkout, files, entries)
    affected = sorted({name for names in by_file.values() for name in names})
    if files and not affected:
        severity, what = (
            Severity.NOISE,
            "The code package of the functions changed, but no file that a function imports",
        )
    else:
        severity = Severity.BEHAVES_DIFFERENTLY
        what = f"The code of {len(affected or changed)} of {len(changed)} functions changed"
    details = [f"{file}: {', '.join(names) or 'no function imports it'}" for file, names in by_file.items()]
    for stack in sorted({change.stack for change in changed}):
        logical_ids = [change.logical_id for change in changed if change.stack == stack]
        yield Finding(
            "behaviour.code",
            severity,
            what,
            "All functions share one package: it changes with every file." if not affected else "They run other code.",
            "Read the diff of these files." if affected else "Nothing to do.",
            stack,
            ",".join(logical_ids),
            ("Code",),
            details=tuple(details) or tuple(change.name for change in changed if change.stack == stack),
        )


def _functions_of(code: str) -> dict[str, str]:
    parts = re.split(r"^export function (\w+)", code, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=False))


def _handlers(change: ResourceChange) -> Iterator[Finding]:
    old, new = (str(side.get("CodeHandlers", "")) for side in (change.old, change.new))
    if old == new or not new:
        return
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=1))[2:]
    if all(line.startswith((" ", "@")) or re.fullmatch(r"[+-]\s*(//.*)?", line) for line in lines):
        yield Finding(
            "noise.handler-comment",
            Severity.NOISE,
            f"Comments of the handlers of {change.new.get('Name')} changed",
            "No statement changed.",
            "Nothing to do.",
            change.stack,
            change.logical_id,
            ("CodeHandlers",),
        )
        return
    earlier, later = _functions_of(old), _functions_of(new)
    names = sorted(name for name in earlier.keys() | later.keys() if earlier.get(name) != later.get(name))
    subscribe = "onSubscribe" in names
    shown = lines[:_DIFF_LINES] + ([f"… {len(lines) - _DIFF_LINES} more lines"] if len(lines) > _DIFF_LINES else [])
    yield Finding(
        "exposed.subscribe-rule" if subscribe else "behaviour.handler",
        Severity.EXPOSED if subscribe else Severity.BEHAVES_DIFFERENTLY,
        f"{', '.join(names) or 'Shared code'} of the namespace {change.new.get('Name')} changed",
        "onSubscribe decides who listens to a channel."
        if subscribe
        else "The handler decides which events pass, and what subscribers receive.",
        "Read these lines, and run: make test ARGS=tests/appsync_js",
        change.stack,
        change.logical_id,
        ("CodeHandlers",),
        details=tuple(shown),
    )


def _alarm(change: ResourceChange) -> Iterator[Finding]:
    if change.removed:
        yield _finding(
            "alarm-removed", change, f"The alarm {change.name} is removed", "Operators are no longer notified.", WHOLE
        )
        return
    if change.added:
        return
    silenced = [
        name
        for name in ("AlarmActions", "ActionsEnabled")
        if name in change.changed
        and (change.new.get(name) in (False, []) or (change.old.get(name) and not change.new.get(name)))
    ]
    if silenced:
        yield _finding(
            "alarm-silenced",
            change,
            f"The alarm {change.name} no longer notifies operators",
            "It still changes state.",
            *silenced,
        )
    rules = [name for name in _ALARM_RULES if name in change.changed]
    if rules:
        yield _finding(
            "alarm-rule",
            change,
            f"The alarm {change.name} is raised by another rule",
            "It is raised earlier, later, or never: compare with what users feel.",
            *rules,
            details=tuple(f"{name}: {_short(change, name)}" for name in rules),
        )


def _environment(change: ResourceChange) -> Iterator[Finding]:
    old, new = (side.get("Environment", {}).get("Variables", {}) for side in (change.old, change.new))
    if old == new:
        return
    lines = [
        f"{name}: {text(old[name]) if name in old else '(absent)'} → {text(new[name]) if name in new else '(absent)'}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]
    yield _finding(
        "environment",
        change,
        f"The settings of {change.name} changed",
        _WHY["Environment"],
        "Environment",
        details=tuple(lines),
    )
