"""Lambda functions for the tests of data sources and direct handlers."""

from typing import Any

from appsync_events_local.functions.model import FunctionModel, InlineCode

ARN = "arn:aws:lambda:us-east-1:000000000000:function:"


def function(name: str, code: str, **changes: Any) -> FunctionModel:
    """A Python function; `code` defines `handler(event, context)`."""
    return FunctionModel(name, ARN + name, "python3.13", "index.handler", InlineCode(code), **changes)


PLAIN = function(
    "plain",
    """
import time
def handler(event, context):
    channel = event["info"]["channel"]["path"]
    what = channel.rsplit("/", 1)[-1]
    if what == "raises":
        raise ValueError("no such luck")
    if what == "slow":
        time.sleep(30)
    if what == "refused":
        return {"error": "not today"}
    if what == "empty":
        return None
    if what == "text":
        return "something else"
    if event["events"] is None:
        return None
    seen = {name: value for name, value in event.items() if name != "events"}
    def changed(item):
        payload = item["payload"]
        match payload:
            case "drop":
                return None
            case "fail":
                return {"id": item["id"], "error": "this one fails"}
            case "unknown id":
                return {"id": "unknown", "payload": 1}
            case "large":
                return {"id": item["id"], "payload": "x" * 250_000}
            case "seen":
                return {"id": item["id"], "payload": seen}
            case _:
                return {"id": item["id"], "payload": {"changed": payload}}
    return {"events": [changed(item) for item in event["events"]]}
""",
    timeout_seconds=2,
)

POWERTOOLS = function(
    "powertools",
    """
from aws_lambda_powertools.event_handler import AppSyncEventsResolver
from aws_lambda_powertools.event_handler.events_appsync.exceptions import UnauthorizedException
app = AppSyncEventsResolver()

@app.on_publish("/team/greet")
def greet(payload):
    if payload == "bad":
        raise ValueError("bad payload")
    return {"hello": payload, "by": app.current_event.info.channel_namespace["name"]}

@app.on_publish("/team/all/*", aggregate=True)
def everything(payload):
    return [{"id": event["id"], "payload": len(payload)} for event in payload]

@app.on_subscribe("/team/greet")
def subscribe():
    return None

@app.on_subscribe("/team/closed")
def closed():
    raise ValueError("closed today")

@app.on_subscribe("/team/locked")
def locked():
    raise UnauthorizedException("not for you")

def handler(event, context):
    return app.resolve(event, context)
""",
    timeout_seconds=20,
)
