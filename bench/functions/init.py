"""Import to first response: route functions against a bare boto3 DynamoDB function, each in a new interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from bench.functions.send import fake_aws, function_environment, request_event
from bench.harness import ROOT, compare

ROUNDS = 15

_BARE = """
import time; started = time.perf_counter()
import json, os, sys
import boto3
client = boto3.client("dynamodb")
def handle(event, context):
    body = json.loads(event["body"])
    key = {"conversationId": {"S": body["conversationId"]}}
    found = client.get_item(TableName=os.environ["CONVERSATIONS_TABLE"], Key=key, ConsistentRead=True)
    return {"statusCode": 200 if "Item" in found else 404, "body": "{}"}
answer = handle(json.load(sys.stdin), None)
print(json.dumps({"ms": (time.perf_counter() - started) * 1000, "status": answer["statusCode"]}))
"""
_ROUTE = """
import time; started = time.perf_counter()
import json, sys
from handlers.entry.{domain} import handle
answer = handle(json.load(sys.stdin), None)
print(json.dumps({{"ms": (time.perf_counter() - started) * 1000, "status": answer["statusCode"]}}))
"""
_UNKNOWN = "00000000-0000-4000-8000-000000000000"


def run(rounds: int) -> list[str]:
    """Return the table: milliseconds from the first import to the first response (to an unknown id)."""
    send = request_event("unknown", "user-1")
    read = {**send, "routeKey": "GET /api/calls/{sessionId}", "body": None, "pathParameters": {"sessionId": _UNKNOWN}}
    with ExitStack() as stack:
        port = stack.enter_context(fake_aws())
        environment = function_environment(port)

        def start(script: str, event: Mapping[str, Any] = send) -> float:
            command = [sys.executable, "-c", script]
            done = subprocess.run(
                command, cwd=ROOT, env=environment, input=json.dumps(event), check=True, capture_output=True, text=True
            )
            figures = json.loads(done.stdout.strip().splitlines()[-1])
            if figures["status"] != 404:
                raise RuntimeError(f"the function answered {figures['status']} to an unknown id")
            return float(figures["ms"])

        return compare(
            "function INIT and first request",
            "ms",
            {
                "bare boto3 function": lambda: start(_BARE),
                "messages function": lambda: start(_ROUTE.format(domain="messages")),
                "calls function": lambda: start(_ROUTE.format(domain="calls"), read),
            },
            rounds=rounds,
        ).lines()
