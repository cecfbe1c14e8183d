"""`docs/call-states.md`: the picture of the calls' states and the table of their transitions."""

from __future__ import annotations

from typing import Final

from contract.calls.transitions import RULES, Rule
from tools.generate.pages import NOTICE, markdown_table, page

_PICTURED: Final = tuple(rule for rule in RULES if not rule.name.startswith("S") or rule.status not in rule.to)
"""Rules of the system that leave the status as it is are left out of the picture."""
_TERMINAL: Final = ("ENDED", "MISSED", "REJECTED", "CANCELLED")


def call_states_page() -> str:
    """Return the page."""
    rows = [
        (
            rule.name,
            rule.status or "no call",
            f"`{rule.action}`" + ("" if len(rule.call_types) > 1 else f" ({rule.call_types[0]})"),
            ", ".join(standing.name for standing in rule.standings),
            " or ".join(rule.to),
            rule.summary,
            rule.tells,
        )
        for rule in RULES
    ]
    return page(
        [
            NOTICE,
            "# States of a call",
            picture(),
            "## Transitions",
            markdown_table(("rule", "from", "action", "by", "to", "what then holds", "who is told"), rows),
            "T10: once a call is over, and wherever no rule applies, nothing changes. The same actor repeating the "
            "same action gets 200 and the same answer; everybody else gets 409 with the call as it is in `call`.",
        ]
    )


def picture() -> str:
    """Return the states and the rules between them as a Mermaid diagram."""
    lines = [f"    {source} --> {target}: {', '.join(names)}" for (source, target), names in _arrows().items()]
    ends = [f"    {status} --> [*]" for status in _TERMINAL]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, *ends, "```"])


def _arrows() -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for rule in _PICTURED:
        for target in rule.to:
            label = _label(rule)
            labels = found.setdefault((rule.status or "[*]", target), [])
            if label not in labels:
                labels.append(label)
    return found


def _label(rule: Rule) -> str:
    return f"{rule.name} {rule.action}".replace("_", " ")
