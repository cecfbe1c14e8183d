"""`docs/reference/call-states.md`: the diagram of the states of a call and the table of the transitions."""

from __future__ import annotations

from typing import Final

from contract.calls.transitions import RULES
from tools.generate.pages import NOTICE, markdown_table, page

_PICTURED: Final = tuple(rule for rule in RULES if rule.action not in ("announce", "fail"))
"""The rules in the picture; these two actions change neither the status nor a participant."""
_TERMINAL: Final = ("ENDED", "MISSED", "REJECTED", "CANCELLED")


def call_states_page() -> str:
    """Return the page."""
    rows = [
        (
            f"`{rule.name}`",
            rule.status or "no call",
            f"`{rule.action}`" + ("" if len(rule.call_types) > 1 else f" ({rule.call_types[0]})"),
            ", ".join(role.name for role in rule.actors),
            " or ".join(rule.to),
            rule.summary,
            rule.publishes or "none",
        )
        for rule in RULES
    ]
    return page(
        [
            NOTICE,
            "# States of a call",
            picture(),
            "## Transitions",
            markdown_table(("rule", "from", "action", "by", "to", "then", "events"), rows),
            "Once a call is over, and wherever no rule applies, nothing changes "
            "([T10](requirements.md#transitions-of-a-call)). The same actor repeating the same action gets 200 and the "
            "same response; every other request gets 409 with the call as it is in `call`.",
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
            names = found.setdefault((rule.status or "[*]", target), [])
            if rule.name not in names:
                names.append(rule.name)
    return found
