"""What a question creates in the account for as long as it is asked."""

from __future__ import annotations

import contextlib
import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from ops.verify.deployment import Deployment
from ops.verify.question import CannotAskError

PREFIX: Final = "pantherkolab-verify"
"""Every temporary resource has this prefix, so that an operator finds what a killed command left behind."""
_STACK_MINUTES: Final = 15
_LOOK_SECONDS: Final = 5
_ATTEMPTS: Final = 6
_ATTEMPT_SECONDS: Final = 5


def temporary_name(purpose: str) -> str:
    """Return a name that no other resource has."""
    return f"{PREFIX}-{purpose}-{uuid.uuid4().hex[:8]}"


@contextlib.contextmanager
def deleted_after(what: str, delete: Callable[[], object]) -> Iterator[None]:
    """Delete something when the block ends, in whatever way; a failed deletion is repeated, then reported.

    The wait between two attempts is not interrupted by the operator: the deletion must be finished.

    Args:
        what: names it in the report.
        delete: deletes it; succeeds if it does not exist.
    """
    try:
        yield
    finally:
        _delete(what, delete)


def _delete(what: str, delete: Callable[[], object]) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            delete()
            return
        except (ClientError, BotoCoreError) as error:
            if attempt == _ATTEMPTS:
                print(f"{what} could not be deleted; delete it by hand: {error}", file=sys.stderr)
                return
        time.sleep(_ATTEMPT_SECONDS)


@dataclass(frozen=True)
class TemporaryStack:
    """A stack whose creation has ended, successfully or not.

    Args:
        name: its name.
        status: its status.
        failure: the reason of the first failed resource; empty if none failed.
        outputs: its outputs.
    """

    name: str
    status: str
    failure: str
    outputs: Mapping[str, str]

    @property
    def complete(self) -> bool:
        """Return whether everything was created."""
        return self.status == "CREATE_COMPLETE"


@contextlib.contextmanager
def stack(deployment: Deployment, purpose: str, template: Mapping[str, Any]) -> Iterator[TemporaryStack]:
    """Create a stack, wait until its creation has ended, and delete it after the block.

    Args:
        deployment: the environment in whose account it is created.
        purpose: part of its name.
        template: its template.

    Raises:
        CannotAskError: the creation did not end in time.
    """
    client = deployment.make_client("cloudformation")
    name = temporary_name(purpose)
    with deleted_after(f"The stack {name}", lambda: _delete_stack(client, name)):
        client.create_stack(StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
        yield ended(deployment, client, name)


def ended(deployment: Deployment, client: Any, name: str) -> TemporaryStack:
    """Wait until an operation on a stack has ended, and return the stack.

    Raises:
        CannotAskError: it did not end in time.
    """

    def look() -> Any:
        (found,) = client.describe_stacks(StackName=name)["Stacks"]
        return None if found["StackStatus"].endswith("_IN_PROGRESS") else found

    found = deployment.wait_until(look, minutes=_STACK_MINUTES, every=_LOOK_SECONDS)
    if found is None:
        raise CannotAskError(f"the stack {name} was not ready within {_STACK_MINUTES} minutes")
    outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
    failure = "" if found["StackStatus"] == "CREATE_COMPLETE" else _first_failure(client, name)
    return TemporaryStack(name, found["StackStatus"], failure, outputs)


def _first_failure(client: Any, name: str) -> str:
    events = client.describe_stack_events(StackName=name)["StackEvents"]
    failures = [each for each in events if each.get("ResourceStatus", "").endswith("_FAILED")]
    if not failures:
        return ""
    first = failures[-1]  # the newest event comes first
    return f"{first.get('ResourceType')}: {first.get('ResourceStatusReason', 'no reason')}"


def _delete_stack(client: Any, name: str) -> None:
    client.delete_stack(StackName=name)
    for _ in range(_STACK_MINUTES * 60 // _LOOK_SECONDS):
        try:
            (found,) = client.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return
            raise
        if found["StackStatus"] == "DELETE_COMPLETE":
            return
        if found["StackStatus"] == "DELETE_FAILED":
            print(f"The stack {name} could not be deleted; delete it by hand", file=sys.stderr)
            return
        time.sleep(_LOOK_SECONDS)
    print(f"The deletion of the stack {name} goes on; see that it ends", file=sys.stderr)
