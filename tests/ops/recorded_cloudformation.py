"""CloudFormation's responses in the shapes that AWS sends, checked by botocore's service model."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import botocore.session
from botocore.stub import Stubber

from ops.deploy.tools import Tools
from ops.progress import Progress

NOW = datetime.datetime(2026, 11, 1, 12, 0, tzinfo=datetime.UTC)
STACK = "PantherKolab-Data-staging"
STACK_ID = f"arn:aws:cloudformation:us-east-1:111111111111:stack/{STACK}/0f0e0d0c"


def client(service: str) -> Any:
    return botocore.session.Session().create_client(
        service, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )


@contextmanager
def recorded(*responses: tuple[Any, ...], service: str = "cloudformation") -> Iterator[Any]:
    """Yield a client that gives responses in order, each (operation, response or (code, message)[, request])."""
    made = client(service)
    with Stubber(made) as stub:
        for operation, response, *request in responses:
            if isinstance(response, tuple):
                code, message = response
                stub.add_client_error(operation, code, message, expected_params=request[0] if request else None)
            else:
                stub.add_response(operation, response, request[0] if request else None)
        yield made
        stub.assert_no_pending_responses()


def tools(client: Any, lines: list[str] | None = None, **more: Any) -> Tools:
    """Return tools whose client of every service is the same one, and that do not wait."""
    written = [] if lines is None else lines
    return Tools(
        lambda service: client,
        **{
            "identify": lambda: "111111111111",
            "variables": {},
            "progress": Progress(written.append),
            "pause": lambda seconds: None,
            **more,
        },
    )


def described(status: str, name: str = STACK, **more: Any) -> dict[str, Any]:
    stack = {"StackName": name, "StackId": STACK_ID, "CreationTime": NOW, "StackStatus": status, **more}
    return {"Stacks": [stack]}


def absent(name: str = STACK) -> tuple[str, str]:
    return "ValidationError", f"Stack with id {name} does not exist"


def events(*rows: tuple[str, str, str, str]) -> dict[str, Any]:
    """Return events from rows of logical id, type, status and reason, the newest first as AWS sends them."""
    return {
        "StackEvents": [
            {
                "StackId": STACK_ID,
                "EventId": f"{logical_id}-{number}",
                "StackName": STACK,
                "LogicalResourceId": logical_id,
                "PhysicalResourceId": STACK_ID if kind == "AWS::CloudFormation::Stack" else logical_id,
                "ResourceType": kind,
                "Timestamp": NOW,
                "ResourceStatus": status,
                "ResourceStatusReason": reason,
            }
            for number, (logical_id, kind, status, reason) in enumerate(rows)
        ]
    }
