"""The page on the rules of strict mode: what ministack alone accepts and AWS refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from local.emulator.strict.rules import DEFAULT, FAMILIES, Family
from local.emulator.strict.rules.rule import Rule

PAGE: Final = "docs/reference/what-the-emulator-allows.md"
_HEAD: Final = """# What the emulator allows and AWS refuses

Generated from `local/emulator/strict/rules/` by `python -m tools.generate`; change the rules, then run it.

[ministack](https://pypi.org/project/ministack/) 1.5.33, the emulator under the [local cloud](local-cloud.md), accepts
requests that AWS refuses, and answers at once where AWS answers late. Each section names one request, the answer of AWS
with its source, the answer of ministack alone, and the rule of strict mode that closes the gap. All rules are on by
default: in `make up` and in the tests. Tests below `tests/local/emulator/` (`strict/`, `services/`) show each rule
refusing, and ministack alone accepting.

A rule is switched by its name, in three ways; what a document does not name has its default:

* at start: `python -m local.emulator --strict '{"indexLag": false}'`; `--strict off` switches every rule off;
* while it runs: `PUT /_local/strict` with the same JSON; `GET` returns what is on;
* in a test: `FaultControl.set_strict({"indexLag": False})`.
"""


def page() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *(line for family in FAMILIES for line in _family(family))])


def _family(family: Family) -> Iterator[str]:
    yield f"## {family.title}\n"
    for rule in family.rules:
        yield from _rule(family, rule)
    sizes = [field for field in msgspec.structs.fields(family.switches) if field.type is not bool]
    if sizes:
        yield "Sizes of these rules, set like the switches:\n"
        yield "| name | default |"
        yield "| --- | --- |"
        present = getattr(DEFAULT, family.name)
        yield from (f"| `{field.encode_name}` | {getattr(present, field.name)} |" for field in sizes)
        yield ""


def _rule(family: Family, rule: Rule) -> Iterator[str]:
    names = {field.name: field.encode_name for field in msgspec.structs.fields(family.switches)}
    yield f"### `{names[rule.field]}`\n"
    yield f"* Request: {rule.request}."
    yield f"* AWS: {rule.effect}. Source: [{rule.source}]({rule.link})."
    yield f"* ministack alone: {rule.alone}.\n"
