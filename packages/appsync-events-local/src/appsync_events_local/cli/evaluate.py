"""`appsync-events-local evaluate`: run one handler with one context, as AWS's EvaluateCode does.

Data sources are not called: `request` and `response` are run individually, as on AWS. Source: AppSync API reference,
EvaluateCode; errors and log lines have the format observed on AWS (`code.js:line:column`).
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from appsync_events_local.runtime.engine import Engine
from appsync_events_local.runtime.errors import CodeRefused, Problem
from appsync_events_local.runtime.outcomes import Crashed, EarlyReturn, Limits, LogEntry, Refused, Returned, Run, Shape
from appsync_events_local.strict_json import parse

CODE_ERRORS: Final = "The code contains one or more errors."
HANDLERS: Final = ("onPublish", "onSubscribe")
PHASES: Final = ("request", "response")
FUNCTIONS: Final = [name for handler in HANDLERS for name in (handler, *(f"{handler}.{phase}" for phase in PHASES))]

EPILOG: Final = """\
example:
  echo '{"events": [{"id": "1", "payload": {"text": "hi"}}]}' \\
    | appsync-events-local evaluate --code handler.js --context - --function onPublish

prints {evaluationResult, error, logs, stash, outErrors} as JSON; evaluationResult, stash and outErrors are JSON text.
The exit status is 0, or 1 if the result has an error, or 2 if nothing could be run."""


def main(arguments: Sequence[str]) -> int:
    """Run the command; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        code = _read(options.code)
        context = _context(_read(options.context))
    except OSError as error:
        print(f"evaluate: {error.filename} cannot be read ({error.strerror})", file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 2
    result = asyncio.run(evaluate(code, context, options.function))
    print(json.dumps(result, indent=2, ensure_ascii=False))
    return 1 if "error" in result else 0


async def evaluate(code: str, context: dict[str, Any], function: str) -> dict[str, Any]:
    """Run one function of a handler module.

    Args:
        code: the text of the module.
        context: `ctx`.
        function: `onPublish` or `onSubscribe`, followed by `.request` or `.response` if the handler is such an object.

    Returns:
        The response of EvaluateCode; empty members are left out, as on AWS.
    """
    try:
        engine = await asyncio.to_thread(Engine.load, code, Limits())
    except CodeRefused as refused:
        return {"error": {"message": CODE_ERRORS, "codeErrors": [_code_error(p) for p in refused.problems]}}
    try:
        handler, _, phase = function.partition(".")
        problem = _mismatch(engine, handler, phase)
        if problem is not None:
            return {"error": {"message": problem}}
        return _answer(await engine.run(handler, phase or None, {"stash": {}} | context))
    finally:
        engine.release_thread()
        await asyncio.to_thread(engine.close)


def _answer(run: Run) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "logs": [_log_line(entry) for entry in run.logs],
        "stash": _text(run.stash),
        "outErrors": _text([_out_error(error) for error in run.appended]),
    }
    match run.outcome:
        case Returned(value) | EarlyReturn(value):
            return {"evaluationResult": _text(value)} | answer
        case Refused():
            return {"error": {"message": run.outcome.message}} | answer
        case Crashed():
            return {"error": {"message": run.outcome.message}} | answer


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _mismatch(engine: Engine, handler: str, phase: str) -> str | None:
    shape = engine.shapes.get(handler)
    if shape is None:
        return f"the code exports no {handler}; it exports {', '.join(engine.shapes)}"
    if shape is Shape.PAIR and not phase:
        return f"{handler} is an object {{request, response}}: name {handler}.request or {handler}.response"
    if shape is Shape.FUNCTION and phase:
        return f"{handler} is a function, it has no {phase}: name {handler}"
    return None


def _code_error(problem: Problem) -> dict[str, Any]:
    line, column = problem.line or 1, problem.column or 1
    return {
        "errorType": "PARSE_ERROR",
        "value": f"code.js({line},{column}): error: {problem.message}",
        "location": {"line": line, "column": column, "span": 1},
    }


def _log_line(entry: LogEntry) -> str:
    place = ":".join(str(part) for part in ("code.js", entry.line, entry.column) if part is not None)
    return f"{entry.level} - {place}: {entry.text}"


def _out_error(error: Any) -> dict[str, Any]:
    return {"message": error["message"], "errorType": error["type"], "data": error["data"], "errorInfo": error["info"]}


def _read(name: str) -> str:
    return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")


def _context(text: str) -> dict[str, Any]:
    try:
        context = parse(text)
    except ValueError as error:
        raise ValueError(f"the context is not JSON: {error}") from error
    if not isinstance(context, dict):
        raise ValueError("the context must be a JSON object (ctx of the handler)")
    return context


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="appsync-events-local evaluate",
        description="Run one handler with one context and print the result, as AWS's EvaluateCode does.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--code", required=True, metavar="FILE", help="module of the handlers; - reads standard input")
    parser.add_argument("--context", required=True, metavar="FILE", help="ctx as JSON; - reads standard input")
    parser.add_argument("--function", required=True, choices=FUNCTIONS, metavar="NAME", help=" | ".join(FUNCTIONS))
    return parser
