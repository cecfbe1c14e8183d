"""What a deployment uses of the world outside: the CDK CLI, AWS, the terminal and the clock."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ops import aws, cdk
from ops.confirmation import Read
from ops.deploy.stack_states import StackState, State, read_state
from ops.errors import CommandError
from ops.progress import Progress

_POLL_SECONDS: Final = 5.0
_WAIT_SECONDS: Final = 3_600.0

MakeClient = Callable[[str], Any]


@dataclass(frozen=True)
class Tools:
    """What a deployment uses of the world outside.

    Args:
        make_client: creates a botocore client of a service in the environment's region.
        cli: runs the CDK CLI with the operator's credentials and returns its exit status.
        identify: returns the account of the credentials.
        read: shows a text and returns the operator's input.
        variables: the environment variables of the process.
        progress: prints the steps.
        pause: waits for a number of seconds.
    """

    make_client: MakeClient
    cli: Callable[[list[str]], int] = cdk.run
    identify: Callable[[], str] = aws.caller_account
    read: Read = input
    variables: Mapping[str, str] = field(default_factory=lambda: os.environ)
    progress: Progress = field(default_factory=Progress)
    pause: Callable[[float], None] = time.sleep

    @property
    def cloudformation(self) -> Any:
        """Return a client of CloudFormation."""
        return self.make_client("cloudformation")

    def ended(self, stack: str) -> StackState:
        """Wait until no operation runs on a stack, and return its state.

        Args:
            stack: its name; for a deletion its id, because the name is gone afterwards.

        Raises:
            CommandError: the operation took more than an hour.
        """
        client, waited = self.cloudformation, 0.0
        while waited < _WAIT_SECONDS:
            with aws.explained_errors():
                found = read_state(stack, client)
            if found.state is not State.BUSY:
                return found
            self.pause(_POLL_SECONDS)
            waited += _POLL_SECONDS
        raise CommandError(f"{stack} is still {found.status} after {_WAIT_SECONDS / 60:.0f} minutes.")
