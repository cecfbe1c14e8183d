"""Checks handler code against the rules of APPSYNC_JS and rewrites it to a script that the engine can run.

The checks (``js/checker.js``) run in quickjs-ng over the syntax tree of acorn, which is vendored in ``vendor/acorn``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import quickjs

from appsync_events_local.limits import HANDLER_CODE_CHARACTERS
from appsync_events_local.runtime.errors import CodeRefused, Problem

_HERE = Path(__file__).resolve().parent
_ACORN = _HERE / "vendor" / "acorn" / "acorn.js"

LIBRARY = ("base", "regex", "time", "dynamodb", "transform", "util")
"""The files that make up the built-in modules, in the order in which they load."""

_CHECKER = ("scopes", "rules", "module", "checker")
_STACK_BYTES = 1024 * 1024
_PARSED_CHARACTERS = 10 * HANDLER_CODE_CHARACTERS
"""Longer code is refused without being parsed; shorter code is parsed, so that all problems are reported at once."""


class EngineUnavailableError(RuntimeError):
    """A part of the engine is not installed."""


@dataclass(frozen=True)
class Compiled:
    """A checked module.

    Attributes:
        script: JavaScript text of one function that takes the built-ins and returns the exports.
        exports: ``function`` or ``pair`` for each exported handler.
    """

    script: str
    exports: Mapping[str, str]


def compile_module(code: str) -> Compiled:
    """Check and rewrite one handler module.

    Args:
        code: the text of an ES module.

    Raises:
        CodeRefused: the code is not valid APPSYNC_JS; lists every problem with its line and column.
        EngineUnavailableError: acorn is missing from the installation.
    """
    if len(code) > _PARSED_CHARACTERS:
        raise CodeRefused(
            [Problem(f"the code has {len(code)} characters; at most {HANDLER_CODE_CHARACTERS} are allowed")]
        )
    result = json.loads(_thread().submit(_check, code).result())
    if result["problems"]:
        raise CodeRefused([Problem(**problem) for problem in result["problems"]])
    return Compiled(result["script"], result["exports"])


@cache
def javascript(name: str) -> str:
    """Return the text of one of the runtime's JavaScript files."""
    return (_HERE / "js" / f"{name}.js").read_text(encoding="utf-8")


@cache
def _thread() -> ThreadPoolExecutor:
    # A quickjs context belongs to the thread that created it; one checker serves the whole process.
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="appsync-js-check")


@cache
def _checker() -> Any:
    try:
        acorn = _ACORN.read_text(encoding="utf-8")
    except OSError as error:
        raise EngineUnavailableError(
            f"cannot read acorn, the JavaScript parser that checks handlers ({error.strerror}): install the package "
            "appsync-events-local again"
        ) from error
    context = quickjs.Context()
    context.set_max_stack_size(_STACK_BYTES)
    context.eval(acorn)
    for name in (*LIBRARY, *_CHECKER):
        context.eval(javascript(name))
    return context.eval("__check")


def _check(code: str) -> str:
    try:
        return str(_checker()(code))
    except quickjs.StackOverflow:
        return json.dumps({"problems": [{"message": "the code is nested too deeply", "line": None, "column": None}]})
