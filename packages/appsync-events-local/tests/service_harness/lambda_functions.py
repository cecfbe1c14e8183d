"""A Python and a Node function whose behaviour the event's `do` selects, and their invocation."""

import json
from pathlib import Path
from typing import Any

from appsync_events_local.functions.model import FunctionModel, InlineCode
from appsync_events_local.functions.runner import FunctionRunner

ARN = "arn:aws:lambda:us-east-1:000000000000:function:"

PYTHON = """
import json, os, sys, time
import beside
loaded = 0
def handler(event, context):
    global loaded
    loaded += 1
    do = event.get("do")
    if do == "raise":
        raise ValueError("no such luck")
    if do == "sleep":
        time.sleep(event["seconds"])
    if do == "exit":
        os._exit(3)
    if do == "print":
        print("to stdout"); print("to stderr", file=sys.stderr)
    if do == "object":
        return object()
    if do == "large":
        return "x" * event["size"]
    return {
        "event": event, "calls": loaded, "pid": os.getpid(), "beside": beside.VALUE, "environment": dict(os.environ),
        "function": [context.function_name, context.invoked_function_arn, context.memory_limit_in_mb],
        "left": context.get_remaining_time_in_millis(),
    }
"""

NODE = """
export const handler = async (event, context) => {
  if (event.do === "raise") throw new TypeError("no such luck");
  if (event.do === "spin") for (;;) {}
  if (event.do === "print") console.log("to stdout");
  return { event, pid: process.pid, name: context.functionName, left: context.getRemainingTimeInMillis() };
};
"""


def python(folder: Path, **changes: Any) -> FunctionModel:
    (folder / "app.py").write_text(PYTHON)
    (folder / "beside.py").write_text("VALUE = 'beside'\n")
    return FunctionModel("py", ARN + "py", "python3.13", "app.handler", folder, **changes)


def node(text: str = NODE, file: str = "", folder: Path | None = None, **changes: Any) -> FunctionModel:
    if folder is None:
        return FunctionModel("js", ARN + "js", "nodejs24.x", "index.handler", InlineCode(text), **changes)
    (folder / file).write_text(text)
    return FunctionModel("js", ARN + "js", "nodejs24.x", f"{Path(file).stem}.handler", folder, **changes)


async def ask(runner: FunctionRunner, function: str, event: Any) -> Any:
    invocation = await runner.invoke(function, json.dumps(event).encode(), asynchronous=False)
    assert invocation.function_error is None, invocation.payload
    return json.loads(invocation.payload)
