"""Handler modules with a few tokens replaced, and what the engine makes of a module."""

import re
from collections.abc import Mapping

from appsync_events_local.handlers.namespace_handlers import CodeRefused
from appsync_events_local.runtime.engine import Engine
from appsync_events_local.runtime.outcomes import Limits
from hypothesis import strategies as st

FOREIGN_TOKENS = [
    "class", "async", "await", "yield", "new", "this", "while", "label:", "++", "`${", "}", "import.meta", "#x", "@",
]  # fmt: skip
"""Tokens that APPSYNC_JS does not have, or that break the syntax."""


def mutated(modules: Mapping[str, str]) -> st.SearchStrategy[str]:
    """The text of one of the modules after at most three replacements, each of up to three tokens by one other token.

    Args:
        modules: the text of each module, by name.
    """
    known = sorted({token for text in modules.values() for token in re.findall(r"\w+|[^\w\s]", text)})
    replacement = st.tuples(st.floats(0, 1), st.sampled_from(known + FOREIGN_TOKENS), st.integers(0, 3))
    return st.builds(
        lambda name, replacements: _replace(modules[name], replacements),
        st.sampled_from(sorted(modules)),
        st.lists(replacement, max_size=3),
    )


def _replace(text: str, replacements: list[tuple[float, str, int]]) -> str:
    parts = re.findall(r"\s+|\w+|[^\w\s]", text)
    for position, token, dropped in replacements:
        at = int(position * len(parts))
        parts[at : at + dropped] = [" ", token, " "]
    return "".join(parts)


def loaded_or_refused(code: str) -> list[str]:
    """Load a module; returns the handlers that it exports, or the message of every problem."""
    try:
        engine = Engine.load(code, Limits())
    except CodeRefused as refused:
        return [problem.message for problem in refused.problems]
    exports = list(engine.shapes)
    engine.close()
    return exports
