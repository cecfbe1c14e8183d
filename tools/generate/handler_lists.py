"""Generates the blocks of the handler modules that the contract defines: event types, limits, message types, and so on.

    python -m tools.generate.handler_lists            rewrite the generated blocks
    python -m tools.generate.handler_lists --check    report outdated modules only (exit code 1 if there are any)

A block is enclosed by ``// <generated: NAME>`` and ``// </generated>``. Code that several modules share is in `parts/`
and copied into each, since the code of a namespace is one file that cannot import other files.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from appsync_js.render import namespaces, source
from contract import limits, text
from contract.events import event_types
from handlers.core.messages.rules import RULES

_FOLDER: Final = Path(__file__).resolve().parents[2] / "appsync_js"
_PARTS: Final = _FOLDER / "parts"
_BLOCK: Final = re.compile(r"(// <generated: ([a-z ]+)>\n).*?(// </generated>)", re.DOTALL)

LIMITS: Final = (
    "CONTENT_CHARACTERS",
    "MEDIA_URL_CHARACTERS",
    "FILE_NAME_CHARACTERS",
    "FILE_SIZE_BYTES",
    "DURATION_SECONDS",
    "DURATION_SECONDS_MIN",
    "SEQUENCE_NUMBER_MAX",
    "TEMP_ID_CHARACTERS",
    "ID_CHARACTERS",
    "IDEMPOTENCY_RETENTION_HOURS",
)
"""The names, in `contract.limits`, of the limits that handlers check."""


def _event_types(namespace: str) -> str:
    names = "".join(f"  '{name}',\n" for name in event_types(namespace))
    return f"const EVENT_TYPES = [\n{names}];\n" if names else "const EVENT_TYPES = [];\n"


def _limits(namespace: str) -> str:
    rows = "".join(f"  {name}: {getattr(limits, name)},\n" for name in LIMITS)
    return f"const LIMITS = {{\n{rows}}};\n"


def _message_types(namespace: str) -> str:
    def names(fields: Sequence[str]) -> str:
        return f"[{', '.join(repr(field) for field in fields)}]"

    rows = []
    for kind, rule in RULES.items():
        optional = [*rule.allowed, *([] if "content" in rule.required else ["content"])]
        rows.append(f"  {kind}: {{ required: {names(rule.required)}, optional: {names(optional)} }},\n")
    return f"const MESSAGE_TYPES = {{\n{''.join(rows)}}};\n"


def _blank_characters(namespace: str) -> str:
    return f"const BLANK_CHARACTERS = {json.dumps(text.BLANK_CHARACTERS)};\n".replace('"', "'")


def _send_rate(namespace: str) -> str:
    rate = limits.SEND_RATE
    return f"const SEND_RATE = {{ action: {rate.action!r}, count: {rate.count}, seconds: {rate.seconds} }};\n"


def _stamping(namespace: str) -> str:
    return (_PARTS / "stamping.js").read_text(encoding="utf-8")


_BLOCKS: Final[Mapping[str, Callable[[str], str]]] = {
    "blank characters": _blank_characters,
    "event types": _event_types,
    "limits": _limits,
    "message types": _message_types,
    "send rate": _send_rate,
    "stamping": _stamping,
}


def generated(namespace: str) -> str:
    """Return the module of a namespace with up-to-date generated blocks.

    Raises:
        KeyError: the module has a block with an unknown name.
    """
    return _BLOCK.sub(
        lambda block: block.group(1) + _BLOCKS[block.group(2)](namespace) + block.group(3), source(namespace)
    )


def outdated() -> list[str]:
    """Return the namespaces whose module has an outdated block."""
    return [namespace for namespace in namespaces() if generated(namespace) != source(namespace)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.generate.handler_lists", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a module is out of date")
    options = parser.parse_args(arguments)
    stale = outdated()
    for namespace in stale:
        if options.check:
            print(
                f"appsync_js/{namespace}.js is out of date: run python -m tools.generate.handler_lists", file=sys.stderr
            )
        else:
            (_FOLDER / f"{namespace}.js").write_text(generated(namespace), encoding="utf-8")
            print(f"rewrote appsync_js/{namespace}.js")
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
