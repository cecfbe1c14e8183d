"""Renders a handler module to the deployed code by filling in the table names.

An Event API has no environment variables, so the names of tables must be part of a handler's code. A module contains
placeholders inside string literals: the table's setting name between double underscores (``__MESSAGES_TABLE__``).
:func:`render` replaces each by the physical name, or by a CloudFormation token that resolves to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from contract.limits import HANDLER_CODE_CHARACTERS

_FOLDER: Final = Path(__file__).resolve().parent
_PLACEHOLDER: Final = re.compile(r"__([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)__")


class RenderError(ValueError):
    """A handler module cannot be rendered; the message has the reason."""


def namespaces() -> tuple[str, ...]:
    """Return the names of all namespaces that have a handler module, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.js")))


def placeholders(namespace: str) -> tuple[str, ...]:
    """Return the names that :func:`render` needs for a namespace, such as ``MESSAGES_TABLE``, in order.

    Raises:
        RenderError: there is no such module.
    """
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(source(namespace))))


def source(namespace: str) -> str:
    """Return the module of a namespace as it is in the repository.

    Raises:
        RenderError: there is no such module.
    """
    path = _FOLDER / f"{namespace}.js"
    if namespace not in namespaces():
        raise RenderError(f"no handlers for namespace {namespace!r}; there are {', '.join(namespaces())}")
    return path.read_text(encoding="utf-8")


def render(namespace: str, tables: Mapping[str, str]) -> str:
    """Return the handler code of a namespace with its table names filled in.

    Args:
        namespace: for example ``conversations``.
        tables: physical table name by placeholder, for example ``{"MESSAGES_TABLE": "…-Messages-dev"}``; exactly
            those of :func:`placeholders`. `contract.tables.Table.setting` is the placeholder's name.

    Raises:
        RenderError: a placeholder has no name, a name has no placeholder, a name would end its string literal, or the
            code is longer than AppSync allows (AppSync Events: quotas).
    """
    text = source(namespace)
    needed = set(placeholders(namespace))
    if needed != set(tables):
        missing = ", ".join(sorted(needed - set(tables))) or "none"
        unused = ", ".join(sorted(set(tables) - needed)) or "none"
        raise RenderError(f"appsync_js/{namespace}.js: table names missing: {missing}; not used there: {unused}")
    for name, table in tables.items():
        if not table or re.search(r"['\"\\\n\r`]", table):
            raise RenderError(f"appsync_js/{namespace}.js: {name} is not a table name: {table!r}")
        text = text.replace(f"__{name}__", table)
    if len(text) > HANDLER_CODE_CHARACTERS:
        raise RenderError(
            f"appsync_js/{namespace}.js has {len(text)} characters with its table names; AppSync allows at most "
            f"{HANDLER_CODE_CHARACTERS}"
        )
    return text
