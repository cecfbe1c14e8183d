"""A Lambda authorizer function that runs for real and records its requests."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appsync_events_local.functions.model import FunctionModel, InlineCode
from appsync_events_local.functions.runner import FunctionRunner
from appsync_events_local.model.auth_providers import LambdaProvider

ARN = "arn:aws:lambda:us-east-1:000000000000:function:authorizer"
GOOD_TOKEN = "let-me-in"
CODE = """
import json, os, time
def handler(event, context):
    with open(os.environ["REQUESTS"], "a") as requests:
        requests.write(json.dumps(event) + "\\n")
    token, own = event["authorizationToken"], event["requestContext"]
    if token == "let-me-in":
        return {"isAuthorized": own["apiId"] != "closed", "handlerContext": {"role": "guest", "op": own["operation"]}}
    if token == "raise":
        raise ValueError("no such luck")
    if token == "sleep":
        time.sleep(30)
    if token == "large":
        return {"isAuthorized": True, "handlerContext": {"x": "x" * (5 * 1024 * 1024)}}
    if token.startswith("{") or token.startswith("["):
        return json.loads(token)
    return {"isAuthorized": False}
"""


@dataclass(frozen=True)
class Authorizer:
    """The running function and the file with its requests."""

    runner: FunctionRunner
    file: Path

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The requests received so far."""
        return [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []

    @staticmethod
    def provider(**fields: Any) -> LambdaProvider:
        return LambdaProvider(ARN, **fields)

    @staticmethod
    def properties(**config: Any) -> dict[str, Any]:
        """Its entry in `AuthProviders`."""
        return {"AuthType": "AWS_LAMBDA", "LambdaAuthorizerConfig": {"AuthorizerUri": ARN, **config}}


@asynccontextmanager
async def authorizer(folder: Path) -> AsyncIterator[Authorizer]:
    """An authorizer that runs until the block ends."""
    file = folder / "requests.jsonl"
    model = FunctionModel(
        "authorizer", ARN, "python3.13", "index.handler", InlineCode(CODE), {"REQUESTS": str(file)}, timeout_seconds=20
    )
    runner = FunctionRunner([model])
    try:
        yield Authorizer(runner, file)
    finally:
        await runner.close()
